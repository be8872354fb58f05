//! A window of many admissions, compared with a list of their times.

use custom_models_core::access::{Operation, RateLimit, RateLimitStatus, Window, WindowKey};
use custom_models_core::store::{AccessChange, AccessOutcome};
use custom_models_core::time::UnixMillis;

use crate::Builder;
use crate::cases::admissions::limit_of;
use crate::client::fresh;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// The length of the window in milliseconds.
const LENGTH: i64 = 10_000;

/// The times of the admissions that no sweep has removed.
#[derive(Default)]
struct Times(Vec<i64>);

impl Times {
    fn admit(&mut self, limit: RateLimit, now: i64) -> Checked<AccessOutcome> {
        let at = self.0.last().map_or(now, |last| now.max(*last));
        let counted: Vec<i64> = self.0.iter().copied().filter(|it| *it > at - LENGTH).collect();
        let oldest = counted.first().copied().unwrap_or(at);
        let allowed = usize::try_from(limit.requests()).unwrap_or(usize::MAX);
        let status = |remaining| RateLimitStatus {
            limit: limit.requests(),
            remaining,
            reset_at: moment(oldest + LENGTH),
        };
        let blocking = counted.len().checked_sub(allowed).and_then(|number| counted.get(number));
        if let Some(blocking) = blocking {
            let retry_after = moment(blocking + LENGTH).seconds_since_up(moment(now));
            return Ok(AccessOutcome::Refused { rate_limit: status(0), retry_after });
        }
        self.0.push(at);
        let remaining = u32::try_from(allowed - counted.len() - 1);
        let remaining = remaining.map_err(|error| Stop::failed(error.to_string()))?;
        Ok(AccessOutcome::Admitted(status(remaining)))
    }

    fn sweep(&mut self, now: i64) {
        self.0.retain(|at| *at > now - LENGTH);
        self.0.iter_mut().for_each(|at| *at = now.min(*at));
    }
}

const fn moment(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(millis)
}

/// A store may keep several admissions together, and delete those that have left the window at any time.
pub(crate) fn rate_1_a_window_of_many_admissions_is_judged_by_their_times(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (limit, lowered) = (limit_of(30)?, limit_of(12)?);
    let key = WindowKey::new(b"many").map_err(|error| Stop::failed(error.to_string()))?;
    let window = Window { key, operation: Operation::Create };
    let (mut times, mut now, mut random) = (Times::default(), 1_700_000_000_000, 7_i64);
    for step in 1..=400 {
        random = (random * 75 + 74) % 65_537;
        now += match random % 8 {
            0 => 0,
            1 => -(random % 1500),
            _ => random % 600,
        };
        let limit = if random % 5 == 0 { lowered } else { limit };
        let right = times.admit(limit, now)?;
        let change = AccessChange::Admit { window, limit, now: moment(now) };
        ensure_eq!(store.access(change)?, right, "step {step}");
        if step % 45 == 0 {
            let longest = limit.window();
            let change = AccessChange::SweepWindows { longest, now: moment(now), limit: 1000 };
            ensure!(matches!(store.access(change)?, AccessOutcome::Swept(_)), "not swept");
            times.sweep(now);
        }
        if step % 70 == 0 {
            store = store.reopen(&*place)?;
        }
    }
    Ok(())
}
