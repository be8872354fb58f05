//! The exact sliding window: so many requests in any span of time (RATE-1). It is judged by the admissions
//! themselves, see [`admit`](crate::store::admit).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::access::api_key::KeyId;
use crate::access::operation::Operation;
use crate::time::UnixMillis;

/// A limit: a number of requests in any window of a given length.
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

/// A text or a pair of numbers is no limit of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a request limit is 1 to 100000 requests in 1 second to 31 days, such as 10/1h (units s, m, h, d)"
)]
pub struct InvalidRateLimit;

impl RateLimit {
    /// The limit of creates: 10 in any 60 minutes (RATE-1).
    pub const CREATE: RateLimit = RateLimit { requests: 10, window: Duration::from_secs(60 * 60) };

    /// The most requests; every admission of a window is kept.
    pub const MAX_REQUESTS: u32 = 100_000;

    /// The longest window.
    pub const MAX_WINDOW: Duration = Duration::from_secs(31 * 24 * 60 * 60);

    /// A limit of 1 to [`Self::MAX_REQUESTS`] requests in a second to [`Self::MAX_WINDOW`], in whole
    /// seconds.
    ///
    /// # Errors
    ///
    /// Beyond these bounds, and for a fraction of a second.
    pub fn new(requests: u32, window: Duration) -> Result<Self, InvalidRateLimit> {
        let is_window = (Duration::from_secs(1)..=Self::MAX_WINDOW).contains(&window);
        let is_whole = window.subsec_nanos() == 0;
        if !is_window || !is_whole || !(1..=Self::MAX_REQUESTS).contains(&requests) {
            return Err(InvalidRateLimit);
        }
        Ok(RateLimit { requests, window })
    }

    /// The number of requests that a window takes.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// The length of the window.
    pub const fn window(&self) -> Duration {
        self.window
    }
}

/// Reads `10/1h`: requests, and a window in seconds, minutes, hours or days.
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

/// Digits and nothing else; the parser of numbers takes a sign as well.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Writes the form that [`FromStr`] reads, in the largest unit that fits.
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

/// A window in which the requests of a key for an operation are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The key, which says whose requests are counted.
    pub key: WindowKey,
    /// The operation.
    pub operation: Operation,
}

/// The key of a window: 1 to 64 bytes that say whose requests are counted. A host chooses them; those of a
/// [`Gate`](crate::access::Gate) are the ids of its keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowKey {
    /// INVARIANT: those behind `length` are zeros.
    bytes: [u8; WindowKey::MAX_BYTES],
    length: u8,
}

/// Bytes are not the key of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a window is 1 to 64 bytes")]
pub struct InvalidWindowKey;

impl WindowKey {
    /// The most bytes of a key.
    pub const MAX_BYTES: usize = 64;

    /// The key of these bytes.
    ///
    /// # Errors
    ///
    /// For no bytes, and for more than [`WindowKey::MAX_BYTES`].
    pub fn new(key: &[u8]) -> Result<Self, InvalidWindowKey> {
        let mut bytes = [0; Self::MAX_BYTES];
        let permit = bytes.get_mut(..key.len()).filter(|permit| !permit.is_empty());
        permit.ok_or(InvalidWindowKey)?.copy_from_slice(key);
        let length = u8::try_from(key.len()).map_err(|_| InvalidWindowKey)?;
        Ok(WindowKey { bytes, length })
    }

    /// The bytes.
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

/// Hexadecimal digits.
impl fmt::Debug for WindowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WindowKey(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The rate-limit status of a key in a window, for the `X-RateLimit-` headers (RATE-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The number of requests that a window takes.
    pub limit: u32,
    /// The number of further requests that it would take now.
    pub remaining: u32,
    /// The time at which the oldest admission leaves the window; now, if there is none.
    pub reset_at: UnixMillis,
}

impl RateLimitStatus {
    /// The headers that say so, by their names (RATE-5).
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("X-RateLimit-Limit", self.limit.to_string()),
            ("X-RateLimit-Remaining", self.remaining.to_string()),
            ("X-RateLimit-Reset", self.reset_at.unix_seconds_up().to_string()),
        ]
    }
}
