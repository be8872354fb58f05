//! API keys: the secret that a caller sends, and the digest and record that a store keeps (AUTH-1).

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::access::scope::Scopes;
use crate::tenant::{Actor, Organisation};
use crate::time::Timestamp;

/// A secret API key, `cm_<id>_<secret>`, which a caller sends after `Bearer`.
///
/// It is shown once, when it is created; after that only its [`KeyDigest`] exists. `Debug` shows the id
/// alone.
pub struct ApiKey {
    id: KeyId,
    text: String,
}

impl ApiKey {
    /// Creates the key with this secret: 256 random bits from the operating system.
    pub fn new(id: KeyId, secret: [u8; 32]) -> Self {
        let mut text = format!("cm_{id}_");
        push_hex(&mut text, &secret);
        ApiKey { id, text }
    }

    /// Returns the id, which is not secret.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the whole key, to show it to its owner.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns true if a text contains a key, or an id followed by more than half of a secret. The case of
    /// letters does not matter, and `cm_` may be missing.
    pub(crate) fn is_in(text: &[u8]) -> bool {
        const ID: usize = 12;
        const TELLING: usize = 33;
        text.windows(ID + 1 + TELLING).any(|part| {
            let is_in_place = |(at, byte): (usize, &u8)| match at {
                ID => *byte == b'_',
                _ => byte.is_ascii_hexdigit(),
            };
            part.iter().enumerate().all(is_in_place)
        })
    }

    /// Returns the digest, which is stored instead of the key.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The id of a key: 48 random bits, shown as 12 hexadecimal digits. It is a public part of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 6]);

/// The error for a text that is not the id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key is 12 digits of 0-9 a-f")]
pub struct InvalidKeyId;

impl KeyId {
    /// Creates an id from random bytes; a store refuses one that is taken.
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        KeyId(bytes)
    }

    /// Returns the bytes.
    pub const fn to_bytes(self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 12 || !text.bytes().all(is_digit) {
            return Err(InvalidKeyId);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| InvalidKeyId)?;
        let [_, _, bytes @ ..] = number.to_be_bytes();
        Ok(KeyId(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(12);
        push_hex(&mut text, &self.0);
        f.pad(&text)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Names an actor by the id of its key.
impl From<KeyId> for Actor {
    fn from(key: KeyId) -> Self {
        Actor::from_validated(key.to_string())
    }
}

/// The SHA-256 digest of a key: the only form of its secret that is stored.
///
/// Keys are looked up by digest. The time of a look-up reveals nothing about a key, since a caller cannot
/// choose a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Returns the digest of a text that a caller sent.
    pub fn of(presented: &str) -> Self {
        KeyDigest(Sha256::digest(presented).into())
    }

    /// Creates a digest from stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        KeyDigest(bytes)
    }

    /// Returns the bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the digest of the key in an `Authorization` header, if there is one: `Bearer KEY`, with the
    /// scheme in any case (AUTH-1).
    pub fn of_authorization(header: &str) -> Option<Self> {
        let (scheme, key) = header.trim_matches([' ', '\t']).split_once(' ')?;
        let key = key.trim_start_matches(' ');
        let is_key = !key.is_empty() && !key.contains([' ', '\t']);
        (scheme.eq_ignore_ascii_case("Bearer") && is_key).then(|| KeyDigest::of(key))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// A stored key.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The id of the key.
    pub id: KeyId,
    /// The digest by which the key is found.
    pub digest: KeyDigest,
    /// The organisation of the key (AUTH-2).
    pub organisation: Organisation,
    /// The scopes of the key.
    pub scopes: Scopes,
    /// The time at which the key was created.
    pub created_at: Timestamp,
    /// The time from which the key is no longer valid; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The time of its revocation; `None` if it is not revoked.
    pub revoked_at: Option<Timestamp>,
}

impl KeyRecord {
    /// Returns true if the key is valid at `now`: neither revoked nor expired.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}
