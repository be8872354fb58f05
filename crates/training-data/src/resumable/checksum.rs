//! Checksums of the bytes of a request.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A checksum, in the form of the header `Upload-Checksum`: the algorithm, a space, and the digest in Base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
}

impl Checksum {
    /// The names of the algorithms, separated by commas.
    pub const ALGORITHMS: &str = "sha1,sha256";

    /// Parses a checksum; `None` for an unknown algorithm, or a digest that is none of it.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = text.split_once(' ')?;
        let (algorithm, bytes) = match name {
            "sha1" => (Algorithm::Sha1, 20),
            "sha256" => (Algorithm::Sha256, 32),
            _ => return None,
        };
        let digest = BASE64_STANDARD.decode(digest).ok()?;
        (digest.len() == bytes).then_some(Checksum { algorithm, digest })
    }
}

/// The digest of the bytes so far, beside the one that they have to have.
pub(super) struct Hasher {
    state: State,
    wanted: Vec<u8>,
}

enum State {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn of(Checksum { algorithm, digest }: Checksum) -> Self {
        let state = match algorithm {
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
        };
        Hasher { state, wanted: digest }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Sha1(digest) => digest.update(bytes),
            State::Sha256(digest) => digest.update(bytes),
        }
    }

    pub(super) fn matches(self) -> bool {
        match self.state {
            State::Sha1(digest) => digest.finalize().as_slice() == self.wanted,
            State::Sha256(digest) => digest.finalize().as_slice() == self.wanted,
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}
