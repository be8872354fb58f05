//! The exact sliding window: so many requests in any span of time, judged by the admissions
//! themselves (RATE-1).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Moment;

/// So many requests in any window of such a length.
///
/// ```
/// use custom_models_core::RequestLimit;
///
/// let limit: RequestLimit = "10/1h".parse()?;
/// assert_eq!(limit, RequestLimit::CREATE);
/// assert_eq!(limit.to_string(), "10/1h");
/// # Ok::<(), custom_models_core::InvalidRequestLimit>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestLimit {
    requests: u32,
    window: Duration,
}

/// A text or a pair of numbers is no limit of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a request limit is 1 to 100000 requests in 1 second to 31 days, such as 10/1h (units s, m, h, d)"
)]
pub struct InvalidRequestLimit;

impl RequestLimit {
    /// The limit of creates: 10 in any 60 minutes (RATE-1).
    pub const CREATE: RequestLimit =
        RequestLimit { requests: 10, window: Duration::from_secs(60 * 60) };

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
    pub fn new(requests: u32, window: Duration) -> Result<Self, InvalidRequestLimit> {
        let is_window = (Duration::from_secs(1)..=Self::MAX_WINDOW).contains(&window);
        let is_whole = window.subsec_nanos() == 0;
        if !is_window || !is_whole || !(1..=Self::MAX_REQUESTS).contains(&requests) {
            return Err(InvalidRequestLimit);
        }
        Ok(RequestLimit { requests, window })
    }

    /// How many requests.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// In how long a window.
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// Only admissions after this moment count at `now`: the window is `(now − length, now]`.
    ///
    /// Those later than `now`, which there are when a clock was set back, count too: the limit holds
    /// by whatever clock.
    pub fn counts_after(&self, now: Moment) -> Moment {
        now.earlier(self.window)
    }

    /// Judges a request at `now` by the admissions there were, in any order; those that have left
    /// the window may be among them or not. If it is admitted, `now` is the next admission.
    pub fn judge(&self, admissions: impl IntoIterator<Item = Moment>, now: Moment) -> Admission {
        let mut counted = self.counted(admissions, now);
        let allowed = self.requests as usize;
        // The request is admitted once all but the newest `allowed - 1` have left the window.
        let blocking = counted.len().checked_sub(allowed).and_then(|index| counted.get(index));
        if let Some(&blocking) = blocking {
            let standing = self.standing_of(&counted, now);
            return Admission::Refused { standing, retry_at: blocking.later(self.window) };
        }
        counted.push(now);
        counted.sort_unstable();
        Admission::Admitted(self.standing_of(&counted, now))
    }

    /// How a key stands at `now`, without a request (RATE-5).
    pub fn standing(&self, admissions: impl IntoIterator<Item = Moment>, now: Moment) -> Standing {
        self.standing_of(&self.counted(admissions, now), now)
    }

    /// The admissions that are in the window, oldest first.
    fn counted(&self, admissions: impl IntoIterator<Item = Moment>, now: Moment) -> Vec<Moment> {
        let counts_after = self.counts_after(now);
        let counts = |admission: &Moment| *admission > counts_after;
        let mut counted: Vec<Moment> = admissions.into_iter().filter(counts).collect();
        counted.sort_unstable();
        counted
    }

    fn standing_of(&self, counted: &[Moment], now: Moment) -> Standing {
        let used = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        Standing {
            limit: self.requests,
            remaining: self.requests.saturating_sub(used),
            reset_at: counted.first().map_or(now, |oldest| oldest.later(self.window)),
        }
    }
}

/// Reads `10/1h`: requests, and a window in seconds, minutes, hours or days.
impl FromStr for RequestLimit {
    type Err = InvalidRequestLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (requests, window) = text.split_once('/')?;
            let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| window.ends_with(*unit))?;
            let count = number(window.strip_suffix(unit)?)?;
            let window = Duration::from_secs(u64::from(count).checked_mul(seconds)?);
            Some((number(requests)?, window))
        };
        let (requests, window) = parts().ok_or(InvalidRequestLimit)?;
        RequestLimit::new(requests, window)
    }
}

const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

/// Digits and nothing else; the parser of numbers takes a sign as well.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What [`FromStr`] reads, in the largest unit that fits.
impl fmt::Display for RequestLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.as_secs();
        let (unit, seconds) = UNITS
            .into_iter()
            .find(|(_, seconds)| window.is_multiple_of(*seconds))
            .unwrap_or(('s', 1));
        write!(f, "{}/{}{unit}", self.requests, window / seconds)
    }
}

/// What a window makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is admitted, and counts.
    Admitted(Standing),
    /// The window is full, and the request does not count (RATE-3).
    Refused {
        /// How the key stands.
        standing: Standing,
        /// From when on a request is admitted, if nothing else is sent (RATE-5).
        retry_at: Moment,
    },
}

/// How a key stands in a window, for the `X-RateLimit-` headers (RATE-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many requests a window takes.
    pub limit: u32,
    /// How many more it would take now.
    pub remaining: u32,
    /// When the oldest admission leaves the window; now, if there is none.
    pub reset_at: Moment,
}
