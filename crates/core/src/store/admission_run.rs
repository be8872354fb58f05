//! Several admissions of a window in one row.

use crate::store::admit::{Admission, DELETED_AT_ONCE};
use crate::time::UnixMillis;

/// The most admissions of a run before its last one.
const MOST_EARLIER: usize = DELETED_AT_ONCE as usize - 1;

/// Up to eight consecutive admissions of a window, for stores that keep them in one row.
///
/// A store keeps the newest run of each window under the key of the window, and all others by their times. So
/// an admission changes one row. Every eighth one moves a run to the others, and may remove the oldest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionRun {
    last: Admission,
    /// The times of the admissions before the last one.
    earlier: Vec<UnixMillis>,
}

impl AdmissionRun {
    /// Returns a run of one admission.
    pub const fn new(admission: Admission) -> Self {
        AdmissionRun { last: admission, earlier: Vec::new() }
    }

    /// Reads a run from its last admission and from [`earlier_to_bytes`](Self::earlier_to_bytes). Returns
    /// `None` for what no run has.
    pub fn from_bytes(last: Admission, earlier: &[u8]) -> Option<Self> {
        let (earlier, rest) = earlier.as_chunks();
        let is_run = rest.is_empty() && earlier.len() <= MOST_EARLIER;
        if !is_run || last.number <= earlier.len() as u64 {
            return None;
        }
        let earlier = earlier.iter().map(|at| i64::from_be_bytes(*at));
        let earlier: Vec<_> = earlier.map(UnixMillis::from_unix_millis).collect();
        let is_ordered = earlier.iter().chain([&last.at]).is_sorted();
        is_ordered.then_some(AdmissionRun { last, earlier })
    }

    /// Returns the times of all admissions but the last one: for each its milliseconds, in 8 bytes,
    /// big-endian.
    pub fn earlier_to_bytes(&self) -> Vec<u8> {
        self.earlier.iter().flat_map(|at| at.unix_millis().to_be_bytes()).collect()
    }

    /// Returns the last admission.
    pub const fn last(&self) -> Admission {
        self.last
    }

    /// Returns the first admission.
    pub fn first(&self) -> Admission {
        self.admissions().next().unwrap_or(self.last)
    }

    /// Returns the admissions in order.
    pub fn admissions(&self) -> impl Iterator<Item = Admission> {
        let number = self.last.number.saturating_sub(self.earlier.len() as u64);
        let times = self.earlier.iter().copied().chain([self.last.at]);
        (number..).zip(times).map(|(number, at)| Admission { number, at })
    }

    /// Returns the first admission later than `after`.
    pub fn first_after(&self, after: UnixMillis) -> Option<Admission> {
        self.admissions().find(|admission| admission.at > after)
    }

    /// Returns the first admission with this number or a larger one.
    pub fn first_from(&self, number: u64) -> Option<Admission> {
        self.admissions().find(|admission| admission.number >= number)
    }

    /// Adds an admission. Returns the run as it was if the new one begins another.
    pub fn push(&mut self, admission: Admission) -> Option<Self> {
        // `admit` deletes with every eighth number too, so that the same write changes the other runs.
        let begins = admission.number.is_multiple_of(DELETED_AT_ONCE.into());
        if begins || self.earlier.len() == MOST_EARLIER {
            return Some(std::mem::replace(self, AdmissionRun::new(admission)));
        }
        self.earlier.push(self.last.at);
        self.last = admission;
        None
    }

    /// Counts the admissions at or before `until`.
    pub fn count_until(&self, until: UnixMillis) -> u64 {
        self.admissions().take_while(|admission| admission.at <= until).count() as u64
    }

    /// Removes the first `count` admissions. Returns `None` if none is left.
    pub fn without_first(mut self, count: u64) -> Option<Self> {
        let count = usize::try_from(count).ok()?;
        self.earlier = self.earlier.get(count..)?.to_vec();
        Some(self)
    }

    /// Moves the admissions later than `now` to `now`.
    pub fn move_to(&mut self, now: UnixMillis) {
        self.last.at = self.last.at.min(now);
        self.earlier.iter_mut().for_each(|at| *at = (*at).min(now));
    }
}

#[cfg(test)]
mod tests;
