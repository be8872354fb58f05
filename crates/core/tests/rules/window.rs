//! RATE-1 and RATE-5: the sliding window, judged by the admissions alone.

use std::time::Duration;

use custom_models_core::access::{
    InvalidRateLimit, InvalidWindowKey, KeyId, Operation, RateLimit, RateLimitStatus, Window,
    WindowKey,
};
use custom_models_core::store::{
    AccessOutcome, Admission, AdmissionRows, AdmissionRowsMut, StoreError, admit, window_state,
};
use custom_models_core::time::UnixMillis;
use proptest::prelude::*;

/// An error that the rows of these tests never return.
#[derive(Debug)]
struct Never;

impl From<StoreError> for Never {
    fn from(error: StoreError) -> Self {
        panic!("{error}")
    }
}

/// The admissions of one window, and the number of rows that were read or changed.
#[derive(Clone, Debug, Default)]
struct Key {
    rows: Vec<Admission>,
    /// All admissions so far.
    admissions: Vec<UnixMillis>,
    touched: usize,
}

impl AdmissionRows for Key {
    type Error = Never;

    fn last(&mut self, _: &Window) -> Result<Option<Admission>, Never> {
        self.touched += 1;
        Ok(self.rows.last().copied())
    }

    fn first_after(&mut self, _: &Window, after: UnixMillis) -> Result<Option<Admission>, Never> {
        self.touched += 1;
        Ok(self.rows.iter().find(|row| row.at > after).copied())
    }

    fn numbered(&mut self, _: &Window, number: u64) -> Result<Option<Admission>, Never> {
        self.touched += 1;
        Ok(self.rows.iter().find(|row| row.number == number).copied())
    }
}

impl AdmissionRowsMut for Key {
    fn insert(&mut self, _: &Window, admission: Admission) -> Result<(), Never> {
        self.touched += 1;
        self.rows.push(admission);
        self.admissions.push(admission.at);
        Ok(())
    }

    fn delete_first(&mut self, _: &Window, until: UnixMillis, most: u32) -> Result<(), Never> {
        let old = self.rows.iter().take_while(|row| row.at <= until).take(most as usize).count();
        self.touched += old;
        self.rows.drain(..old);
        Ok(())
    }
}

fn window() -> Window {
    Window { key: KeyId::from_bytes([1; 6]).into(), operation: Operation::Create }
}

impl Key {
    fn request(&mut self, limit: RateLimit, now: UnixMillis) -> AccessOutcome {
        admit(self, &window(), limit, now).unwrap()
    }

    fn is_admitted(&mut self, limit: RateLimit, now: UnixMillis) -> bool {
        matches!(self.request(limit, now), AccessOutcome::Admitted(_))
    }

    /// Creates a key with these admissions.
    fn with(admissions: impl IntoIterator<Item = UnixMillis>) -> Self {
        let mut key = Key::default();
        let unlimited = RateLimit::new(100_000, RateLimit::MAX_WINDOW).unwrap();
        for at in admissions {
            key.request(unlimited, at);
        }
        key
    }

    fn used(&self, limit: RateLimit, now: UnixMillis) -> usize {
        let now = self.admissions.iter().copied().fold(now, UnixMillis::max);
        self.admissions.iter().filter(|it| **it > now.earlier(limit.window())).count()
    }
}

fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(millis)
}

fn limits() -> impl Strategy<Value = RateLimit> {
    (1..6_u32, 1..5_u64).prop_map(|(requests, seconds)| {
        RateLimit::new(requests, Duration::from_secs(seconds)).unwrap()
    })
}

/// Generates steps between requests: most are short compared with the window, some end exactly at its edge.
fn steps() -> impl Strategy<Value = Vec<i64>> {
    let step =
        prop_oneof![4 => 0..400_i64, 2 => 900..1100_i64, 1 => Just(1000), 1 => 1000..6000_i64];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// Compared with a simple count: admitted exactly if fewer than the limit lie in `(now − window, now]`.
    #[test]
    fn rate_1_a_request_is_admitted_exactly_if_the_window_before_it_has_room(
        limit in limits(),
        steps in steps(),
        start in -100_000_000_000_i64..4_000_000_000_000,
    ) {
        let window = i64::try_from(limit.window().as_millis()).unwrap();
        let mut key = Key::default();
        let mut now = start;
        for step in steps {
            now += step;
            let used = key.admissions.iter().filter(|it| now - it.unix_millis() < window).count();
            let has_room = used < limit.requests() as usize;
            prop_assert_eq!(key.is_admitted(limit, at(now)), has_room, "at {}, with {}", now, used);
        }
    }

    /// The limit holds in every window, wherever it begins.
    #[test]
    fn rate_1_no_window_anywhere_has_more_admissions_than_the_limit(
        limit in limits(),
        steps in steps(),
    ) {
        let mut key = Key::default();
        let mut now = at(0);
        for step in steps {
            now = at(now.unix_millis() + step);
            key.request(limit, now);
        }
        for first in &key.admissions {
            let end = first.later(limit.window());
            let within = key.admissions.iter().filter(|it| (*first..end).contains(*it)).count();
            prop_assert!(within <= limit.requests() as usize, "{} from {}", within, first);
        }
    }

    /// A clock that is set back does not reopen the window: requests count at the latest time so far.
    #[test]
    fn rate_1_a_clock_that_goes_back_admits_no_more(
        limit in limits(),
        times in prop::collection::vec(0..5000_i64, 1..60),
    ) {
        let mut key = Key::default();
        for now in times {
            let used = key.used(limit, at(now));
            prop_assert_eq!(key.is_admitted(limit, at(now)), used < limit.requests() as usize);
            prop_assert!(key.admissions.is_sorted());
        }
    }

    /// Numbers have no gaps and times are in order, whatever was deleted.
    #[test]
    fn rate_1_admissions_are_numbered_densely(limit in limits(), steps in steps()) {
        let mut key = Key::default();
        let mut now = at(0);
        for step in steps {
            now = at(now.unix_millis() + step);
            key.request(limit, now);
            let first = key.rows.first().map_or(0, |row| row.number);
            for (number, row) in (first..).zip(&key.rows) {
                prop_assert_eq!(row.number, number);
            }
            prop_assert_eq!(key.rows.last().map_or(0, |row| row.number), key.admissions.len() as u64);
        }
    }

    /// The limit may be lowered and raised between requests.
    #[test]
    fn rate_5_the_seconds_of_a_refusal_reach_the_first_moment_that_admits(
        limit in limits(),
        other in limits(),
        steps in steps(),
    ) {
        let mut key = Key::default();
        let mut now = at(0);
        for (step, limit) in steps.into_iter().zip([limit, limit, other].into_iter().cycle()) {
            now = at(now.unix_millis() + step);
            let state = window_state(&mut key, &window(), limit, now).unwrap();
            let is_admitted = |at| key.clone().is_admitted(limit, at);
            match state.retry_after {
                None => prop_assert!(is_admitted(now)),
                Some(seconds) => {
                    prop_assert!(seconds > 0);
                    prop_assert!(is_admitted(now.later(Duration::from_secs(seconds))));
                    prop_assert!(!is_admitted(now.later(Duration::from_secs(seconds - 1))));
                }
            }
            match key.request(limit, now) {
                AccessOutcome::Admitted(_) => prop_assert_eq!(state.retry_after, None),
                AccessOutcome::Refused { rate_limit, retry_after } => {
                    prop_assert_eq!(state.rate_limit, rate_limit);
                    prop_assert_eq!(state.retry_after, Some(retry_after));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    /// The limit, the remaining requests and the reset describe the window after the request.
    #[test]
    fn rate_5_the_standing_counts_the_window(limit in limits(), steps in steps()) {
        let mut key = Key::default();
        let mut now = at(0);
        for step in steps {
            now = at(now.unix_millis() + step);
            let (AccessOutcome::Admitted(rate_limit) | AccessOutcome::Refused { rate_limit, .. }) =
                key.request(limit, now)
            else {
                panic!("neither admitted nor refused");
            };
            let in_window: Vec<_> =
                key.admissions.iter().filter(|it| **it > now.earlier(limit.window())).collect();
            let used = u32::try_from(in_window.len()).unwrap();
            let remaining = limit.requests().saturating_sub(used);
            let reset_at = in_window.first().map_or(now, |oldest| oldest.later(limit.window()));
            let expected = RateLimitStatus { limit: limit.requests(), remaining, reset_at };
            prop_assert_eq!(rate_limit, expected);
            prop_assert_eq!(window_state(&mut key, &window(), limit, now).unwrap().rate_limit, expected);
        }
    }

    #[test]
    fn rate_1_the_key_of_a_window_is_1_to_64_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        match WindowKey::new(&bytes) {
            Ok(key) => prop_assert_eq!(key.as_bytes(), &bytes[..]),
            Err(InvalidWindowKey) => prop_assert!(bytes.is_empty() || bytes.len() > 64),
        }
    }

    #[test]
    fn rate_1_a_limit_is_read_as_it_is_written(
        requests in 1..=RateLimit::MAX_REQUESTS,
        seconds in 1..=RateLimit::MAX_WINDOW.as_secs(),
    ) {
        let limit = RateLimit::new(requests, Duration::from_secs(seconds)).unwrap();
        prop_assert_eq!(limit.to_string().parse(), Ok(limit));
    }
}

#[test]
fn rate_1_ten_creates_in_any_sixty_minutes_and_the_eleventh_to_the_millisecond() {
    const HOUR: i64 = 60 * 60 * 1000;
    let mut key = Key::default();
    for minute in 0..10 {
        assert!(key.is_admitted(RateLimit::CREATE, at(minute * 60_000)), "minute {minute}");
    }
    // A bucket that refills would admit another request six minutes after the first.
    for (early, retry_after) in [(9 * 60_000, 51 * 60), (30 * 60_000, 30 * 60), (HOUR - 1, 1)] {
        let rate_limit = RateLimitStatus { limit: 10, remaining: 0, reset_at: at(HOUR) };
        let refused = AccessOutcome::Refused { rate_limit, retry_after };
        assert_eq!(key.request(RateLimit::CREATE, at(early)), refused);
    }
    assert!(key.is_admitted(RateLimit::CREATE, at(HOUR)));
    assert!(!key.is_admitted(RateLimit::CREATE, at(HOUR)));
}

/// If the limit was lowered, the window may have more admissions than the limit; enough of them have to
/// leave.
#[test]
fn rate_5_under_a_lowered_limit_the_retry_waits_for_as_many_as_are_too_many() {
    let limit = RateLimit::new(2, Duration::from_secs(10)).unwrap();
    let mut key = Key::with([at(1000), at(2000), at(3000), at(4000)]);
    let rate_limit = RateLimitStatus { limit: 2, remaining: 0, reset_at: at(11_000) };
    let refused = AccessOutcome::Refused { rate_limit, retry_after: 8 };
    assert_eq!(key.request(limit, at(5000)), refused);
}

/// A window with room for one, and thousands of admissions that leave at once.
#[test]
fn rate_1_the_cost_of_an_admission_does_not_grow_with_its_window() {
    let mut costs = Vec::new();
    for requests in [2, 100, 10_000] {
        let limit = RateLimit::new(requests, Duration::from_secs(10)).unwrap();
        let mut key = Key::with((1..requests).map(|_| at(0)));
        for now in [at(5), at(20_000), at(20_000)] {
            key.touched = 0;
            assert!(key.is_admitted(limit, now));
            costs.push(key.touched);
        }
    }
    // Two reads, the admission, and eight expired ones.
    assert!(costs.iter().all(|cost| *cost <= 3 + 8), "{costs:?}");
}

/// The last admission shows that all have left the window, so no other one is read.
#[test]
fn rate_1_a_window_that_has_emptied_is_looked_at_once() {
    let limit = RateLimit::new(2, Duration::from_secs(10)).unwrap();
    for (now, touched) in [(9999, 2), (10_000, 1), (10_001, 1)] {
        let mut key = Key::with([at(0)]);
        key.touched = 0;
        window_state(&mut key, &window(), limit, at(now)).unwrap();
        assert_eq!(key.touched, touched, "{now}");
    }
}

#[test]
fn rate_5_seconds_are_rounded_up() {
    for (millis, seconds) in [(-1000, -1), (-999, 0), (0, 0), (1, 1), (1000, 1), (1001, 2)] {
        assert_eq!(at(millis).unix_seconds_up(), seconds, "{millis}");
    }
    for (from, to, seconds) in [(0, 0, 0), (5, 0, 0), (0, 1, 1), (0, 1000, 1), (500, 1501, 2)] {
        assert_eq!(at(to).seconds_since_up(at(from)), seconds, "{from} to {to}");
    }
}

/// Nothing overflows at the extreme times.
#[test]
fn rate_1_a_clock_out_of_range_is_judged_all_the_same() {
    let limit = RateLimit::new(1, RateLimit::MAX_WINDOW).unwrap();
    for now in [at(i64::MIN), at(i64::MAX)] {
        assert!(Key::default().is_admitted(limit, now));
        Key::with([at(i64::MIN), at(i64::MAX)]).request(limit, now);
    }
}

#[test]
fn rate_1_texts_that_are_no_limit() {
    for text in [
        "",
        "/",
        "10",
        "10/",
        "10/h",
        "/1h",
        "0/1h",
        "10/0s",
        "10/1",
        "10/1w",
        "10/1H",
        "+1/1h",
        "1/+1h",
        "-1/1h",
        "10/1h ",
        " 10/1h",
        "10 /1h",
        "1.5/1h",
        "100001/1h",
        "10/32d",
        "10/4294967296s",
        "99999999999/1h",
        "10/1h/1h",
    ] {
        assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text:?}");
    }
    for (text, seconds) in
        [("1/1s", 1), ("100000/31d", 2_678_400), ("7/90m", 5400), ("2/3h", 10_800)]
    {
        let limit: RateLimit = text.parse().unwrap();
        assert_eq!(limit.window(), Duration::from_secs(seconds), "{text}");
    }
    assert!(RateLimit::new(1, Duration::from_millis(1500)).is_err());
    assert!(RateLimit::new(1, Duration::from_millis(999)).is_err());
}
