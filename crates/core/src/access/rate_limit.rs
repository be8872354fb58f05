//! Rate limits with an exact sliding window: at most so many requests in any time span of that length
//! (RATE-1). [`admit`](crate::store::admit) judges them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::api_key::KeyId;
use crate::access::operation::Operation;
use crate::time::UnixMillis;

/// A rate limit: the most requests in any window of a given length.
///
/// ```
/// use custom_models_core::access::RateLimit;
///
/// let limit: RateLimit = "10/1h".parse()?;
/// assert_eq!(limit, RateLimit::CREATE);
/// assert_eq!(limit.to_string(), "10/1h");
/// # Ok::<(), custom_models_core::access::InvalidRateLimit>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit {
    requests: u32,
    window: Duration,
}

/// The error for a text or numbers that are not a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a request limit is 1 to 100000 requests in 1 second to 31 days, such as 10/1h (units s, m, h, d)"
)]
pub struct InvalidRateLimit;

impl RateLimit {
    /// The limit for creates: 10 in any 60 minutes (RATE-1).
    pub const CREATE: RateLimit = RateLimit { requests: 10, window: Duration::from_secs(60 * 60) };

    /// The most requests; every admission in a window is stored.
    pub const MAX_REQUESTS: u32 = 100_000;

    /// The longest window.
    pub const MAX_WINDOW: Duration = Duration::from_secs(31 * 24 * 60 * 60);

    /// Creates a limit of 1 to [`Self::MAX_REQUESTS`] requests in one second to [`Self::MAX_WINDOW`], in
    /// whole seconds.
    ///
    /// # Errors
    ///
    /// If a number is out of these bounds, or the window is not in whole seconds.
    pub fn new(requests: u32, window: Duration) -> Result<Self, InvalidRateLimit> {
        let is_window = (Duration::from_secs(1)..=Self::MAX_WINDOW).contains(&window);
        let is_whole = window.subsec_nanos() == 0;
        if !is_window || !is_whole || !(1..=Self::MAX_REQUESTS).contains(&requests) {
            return Err(InvalidRateLimit);
        }
        Ok(RateLimit { requests, window })
    }

    /// Returns the most requests in a window.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// Returns the length of the window.
    pub const fn window(&self) -> Duration {
        self.window
    }
}

/// Parses the form `10/1h`: requests, and a window in seconds, minutes, hours or days.
impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (requests, window) = text.split_once('/')?;
            let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| window.ends_with(*unit))?;
            let count = number(window.strip_suffix(unit)?)?;
            let window = Duration::from_secs(u64::from(count).checked_mul(seconds)?);
            Some((number(requests)?, window))
        };
        let (requests, window) = parts().ok_or(InvalidRateLimit)?;
        RateLimit::new(requests, window)
    }
}

const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// Parses digits alone, without the sign that `parse` accepts.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Formats as [`FromStr`] parses, in the largest unit that divides the window.
impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.as_secs();
        let (unit, seconds) = UNITS
            .into_iter()
            .find(|(_, seconds)| window.is_multiple_of(*seconds))
            .unwrap_or(('s', 1));
        write!(f, "{}/{}{unit}", self.requests, window / seconds)
    }
}

impl Serialize for RateLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A rate-limit window: the admissions of a key for one operation.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The key of the window.
    pub key: WindowKey,
    /// The operation.
    pub operation: Operation,
}

/// The key of a window: 1 to 64 bytes that the host chooses. A [`Gate`](crate::access::Gate) uses the ids of
/// API keys. Serialises as an array of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<u8>", try_from = "Vec<u8>")]
pub struct WindowKey {
    /// INVARIANT: bytes after `length` are zero.
    bytes: [u8; WindowKey::MAX_BYTES],
    length: u8,
}

/// The error for bytes that are not the key of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a window is 1 to 64 bytes")]
pub struct InvalidWindowKey;

impl WindowKey {
    /// The most bytes of a key.
    pub const MAX_BYTES: usize = 64;

    /// Creates a key from bytes.
    ///
    /// # Errors
    ///
    /// If there are no bytes, or more than [`WindowKey::MAX_BYTES`].
    pub fn new(key: &[u8]) -> Result<Self, InvalidWindowKey> {
        let mut bytes = [0; Self::MAX_BYTES];
        let permit = bytes.get_mut(..key.len()).filter(|permit| !permit.is_empty());
        permit.ok_or(InvalidWindowKey)?.copy_from_slice(key);
        let length = u8::try_from(key.len()).map_err(|_| InvalidWindowKey)?;
        Ok(WindowKey { bytes, length })
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl From<KeyId> for WindowKey {
    fn from(id: KeyId) -> Self {
        let (mut bytes, id) = ([0; Self::MAX_BYTES], id.to_bytes());
        let mut length = 0;
        for (permit, byte) in bytes.iter_mut().zip(id) {
            *permit = byte;
            length += 1;
        }
        WindowKey { bytes, length }
    }
}

impl From<WindowKey> for Vec<u8> {
    fn from(key: WindowKey) -> Self {
        key.as_bytes().to_vec()
    }
}

impl TryFrom<Vec<u8>> for WindowKey {
    type Error = InvalidWindowKey;

    fn try_from(key: Vec<u8>) -> Result<Self, Self::Error> {
        WindowKey::new(&key)
    }
}

/// Hexadecimal digits.
impl fmt::Debug for WindowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WindowKey(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The rate-limit status of a window, for the `X-RateLimit-` headers (RATE-5).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The most requests in the window.
    pub limit: u32,
    /// The number of further requests that would be admitted now.
    pub remaining: u32,
    /// The time at which the oldest admission leaves the window; now, if there is none.
    pub reset_at: UnixMillis,
}

impl RateLimitStatus {
    /// Returns the headers with the status, by name (RATE-5).
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("X-RateLimit-Limit", self.limit.to_string()),
            ("X-RateLimit-Remaining", self.remaining.to_string()),
            ("X-RateLimit-Reset", self.reset_at.unix_seconds_up().to_string()),
        ]
    }
}
