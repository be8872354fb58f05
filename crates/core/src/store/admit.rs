//! Judges admissions to rate-limit windows, over the rows that a store supplies.
//!
//! The admissions of a window are numbered without gaps, and their times never decrease. The number of
//! admissions in the window is therefore the difference of two numbers, and the cost of an admission depends
//! neither on the limit nor on how many admissions leave the window at once (RATE-1).

use crate::access::{RateLimit, RateLimitStatus, Window};
use crate::store::access_change::AccessOutcome;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::time::UnixMillis;

/// The most expired admissions to delete together with a new one. Deletion happens with every eighth
/// admission only: in the long run as many admissions expire as are added, and deleting several at once is
/// cheaper.
pub(super) const DELETED_AT_ONCE: u32 = 8;

/// A stored admission.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The number of the admission: one more than that of the previous admission in the same window.
    pub number: u64,
    /// The time of the admission: never earlier than that of the previous one.
    pub at: UnixMillis,
}

/// Read access to the admissions of one consistent view, for [`window_state`].
pub trait AdmissionRows {
    /// The error type of the store.
    type Error: From<StoreError>;

    /// Returns the last admission of a window, whatever its age.
    fn last(&mut self, window: &Window) -> Result<Option<Admission>, Self::Error>;

    /// Returns the first admission of a window that is later than `after`.
    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, Self::Error>;

    /// Returns the admission of a window with this number, which lies between the two above. Called only if a
    /// window has more admissions than its limit, because the limit was lowered.
    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, Self::Error>;
}

/// Write access to admissions within a transaction, for [`admit`].
pub trait AdmissionRowsMut: AdmissionRows {
    /// Adds an admission.
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), Self::Error>;

    /// Deletes the first admissions of a window that were made at or before `until`, `most` at most. May leave
    /// some of them to a sweep: no window counts them.
    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        most: u32,
    ) -> Result<(), Self::Error>;
}

/// The state of a window at a given time, without a new request.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowState {
    /// The status of the window.
    pub rate_limit: RateLimitStatus,
    /// The whole seconds until a request is admitted if no other is sent; `None` if one is admitted now
    /// (RATE-5).
    pub retry_after: Option<u64>,
}

/// Admits a request if its window has room, or refuses it and changes nothing (RATE-1, RATE-3).
///
/// The admission is recorded at `now`, or at the time of the last admission if that is later because a clock
/// was set back.
///
/// # Errors
///
/// Errors of the rows.
pub fn admit<R: AdmissionRowsMut>(
    rows: &mut R,
    window: &Window,
    limit: RateLimit,
    now: UnixMillis,
) -> Result<AccessOutcome, R::Error> {
    match judge(rows, window, limit, now)? {
        Ok(place) => {
            place.write(rows, window)?;
            Ok(AccessOutcome::Admitted(place.rate_limit))
        }
        Err(Full { rate_limit, retry_after }) => {
            Ok(AccessOutcome::Refused { rate_limit, retry_after })
        }
    }
}

/// An admission that was granted and is not written yet.
pub(super) struct Place {
    admission: Admission,
    /// Admissions at or before this time have left the window.
    until: UnixMillis,
    /// The status of the window, including the request.
    pub(super) rate_limit: RateLimitStatus,
}

impl Place {
    pub(super) fn write<R: AdmissionRowsMut>(
        &self,
        rows: &mut R,
        window: &Window,
    ) -> Result<(), R::Error> {
        rows.insert(window, self.admission)?;
        if self.admission.number.is_multiple_of(DELETED_AT_ONCE.into()) {
            rows.delete_first(window, self.until, DELETED_AT_ONCE)?;
        }
        Ok(())
    }
}

/// A window without room for a request.
pub(super) struct Full {
    pub(super) rate_limit: RateLimitStatus,
    pub(super) retry_after: u64,
}

/// Judges whether a window has room for a request. Writes nothing.
pub(super) fn judge<R: AdmissionRows>(
    rows: &mut R,
    window: &Window,
    limit: RateLimit,
    now: UnixMillis,
) -> Result<Result<Place, Full>, R::Error> {
    let look = Look::at(rows, window, limit, now)?;
    if let Some(retry_after) = look.retry_after(rows, window, limit, now)? {
        return Ok(Err(Full { rate_limit: look.rate_limit(limit), retry_after }));
    }
    let number = look.last.map_or(0, |last| last.number).checked_add(1);
    let number = number.ok_or_else(|| StoreError::from(StoreErrorKind::Damaged))?;
    let admission = Admission { number, at: look.at };
    let oldest = look.oldest.or(Some(admission));
    let rate_limit = Look { oldest, used: look.used + 1, ..look }.rate_limit(limit);
    Ok(Ok(Place { admission, until: look.at.earlier(limit.window()), rate_limit }))
}

/// Returns the state of a window at a given time (RATE-5).
///
/// # Errors
///
/// Errors of the rows.
pub fn window_state<R: AdmissionRows>(
    rows: &mut R,
    window: &Window,
    limit: RateLimit,
    now: UnixMillis,
) -> Result<WindowState, R::Error> {
    let look = Look::at(rows, window, limit, now)?;
    let retry_after = look.retry_after(rows, window, limit, now)?;
    Ok(WindowState { rate_limit: look.rate_limit(limit), retry_after })
}

/// A window as a request sees it.
#[derive(Clone, Copy)]
struct Look {
    /// The time at which the request counts.
    at: UnixMillis,
    last: Option<Admission>,
    /// The first admission in the window.
    oldest: Option<Admission>,
    /// The number of admissions in the window.
    used: u64,
}

impl Look {
    fn at<R: AdmissionRows>(
        rows: &mut R,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<Self, R::Error> {
        let Some(last) = rows.last(window)? else {
            return Ok(Look { at: now, last: None, oldest: None, used: 0 });
        };
        let at = now.max(last.at);
        let begin = at.earlier(limit.window());
        let oldest = if last.at > begin { rows.first_after(window, begin)? } else { None };
        let used = oldest.map_or(0, |oldest| last.number.saturating_sub(oldest.number) + 1);
        Ok(Look { at, last: Some(last), oldest, used })
    }

    /// Returns the seconds until a request is admitted, if the window is full.
    fn retry_after<R: AdmissionRows>(
        &self,
        rows: &mut R,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<Option<u64>, R::Error> {
        let allowed = u64::from(limit.requests());
        let (Some(last), Some(oldest)) = (self.last, self.oldest) else { return Ok(None) };
        if self.used < allowed {
            return Ok(None);
        }
        // A request is admitted once all but the newest `allowed - 1` have left the window.
        let number = last.number.saturating_sub(allowed - 1);
        let blocking = if number == oldest.number {
            oldest
        } else {
            rows.numbered(window, number)?.unwrap_or(last)
        };
        Ok(Some(blocking.at.later(limit.window()).seconds_since_up(now)))
    }

    fn rate_limit(&self, limit: RateLimit) -> RateLimitStatus {
        let used = u32::try_from(self.used).unwrap_or(u32::MAX);
        RateLimitStatus {
            limit: limit.requests(),
            remaining: limit.requests().saturating_sub(used),
            reset_at: self.oldest.map_or(self.at, |oldest| oldest.at.later(limit.window())),
        }
    }
}
