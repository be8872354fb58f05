//! Keys: what a caller holds, what is kept of it, and how the two meet (AUTH-1).

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::access::scope::Scopes;
use crate::tenant::{Actor, Organisation};
use crate::time::Timestamp;

/// A secret key, `cm_<id>_<secret>`, which a caller sends after `Bearer`.
///
/// The key is shown once, to the person who asked for it; from then on there is only its [`KeyDigest`]. `Debug`
/// shows the id alone.
pub struct ApiKey {
    id: KeyId,
    text: String,
}

impl ApiKey {
    /// The key of `secret`, 256 random bits of the operating system's.
    pub fn new(id: KeyId, secret: [u8; 32]) -> Self {
        let mut text = format!("cm_{id}_");
        push_hex(&mut text, &secret);
        ApiKey { id, text }
    }

    /// The part that may be shown.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The whole key, for the one who asked for it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// True if there is a key in a text, or more than half of its secret behind its id. The case and `cm_` do not
    /// matter.
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

    /// The digest of the key, which is kept instead of the key.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Tells keys apart: 48 random bits that stand in the key for all to see, 12 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 6]);

/// A text is not the id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key is 12 digits of 0-9 a-f")]
pub struct InvalidKeyId;

impl KeyId {
    /// The id of random bytes; a store refuses one that is taken.
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        KeyId(bytes)
    }

    /// The bytes.
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

/// The actor that uses a key, named by the key's id.
impl From<KeyId> for Actor {
    fn from(key: KeyId) -> Self {
        Actor::from_validated(key.to_string())
    }
}

/// The SHA-256 digest of a key: the only part of its secret that is ever kept.
///
/// A key is found by its digest. However long it takes to find or to miss one tells nothing about
/// any key, since nobody chooses a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of a text that a caller presented.
    pub fn of(presented: &str) -> Self {
        KeyDigest(Sha256::digest(presented).into())
    }

    /// The digest that a store kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        KeyDigest(bytes)
    }

    /// The bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest of the key in an `Authorization` header, if there is one: `Bearer KEY`, the scheme
    /// in any case (AUTH-1).
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

/// The record of a key, as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The id of the key.
    pub id: KeyId,
    /// The digest by which the key is found.
    pub digest: KeyDigest,
    /// The organisation that the key belongs to (AUTH-2).
    pub organisation: Organisation,
    /// The scopes that the key has.
    pub scopes: Scopes,
    /// The time at which the key was made.
    pub created_at: Timestamp,
    /// The time from which the key is no longer valid; `None` is never.
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
