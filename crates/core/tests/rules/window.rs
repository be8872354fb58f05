//! RATE-1 and RATE-5: the sliding window, judged by the admissions alone.

use std::time::Duration;

use custom_models_core::{Admission, InvalidRequestLimit, Moment, RequestLimit, Standing};
use proptest::prelude::*;

/// What a key's requests were answered, and the admissions that came of them.
#[derive(Default)]
struct Key {
    admissions: Vec<Moment>,
}

impl Key {
    fn request(&mut self, limit: RequestLimit, now: Moment) -> Admission {
        let admission = limit.judge(self.admissions.iter().copied(), now);
        if matches!(admission, Admission::Admitted(_)) {
            self.admissions.push(now);
        }
        admission
    }
}

fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(millis)
}

fn limits() -> impl Strategy<Value = RequestLimit> {
    (1..6_u32, 1..5_u64).prop_map(|(requests, seconds)| {
        RequestLimit::new(requests, Duration::from_secs(seconds)).unwrap()
    })
}

/// Steps between requests: most are short beside the window, some land on its very edge.
fn steps() -> impl Strategy<Value = Vec<i64>> {
    let step =
        prop_oneof![4 => 0..400_i64, 2 => 900..1100_i64, 1 => Just(1000), 1 => 1000..6000_i64];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// By a count of its own: admitted exactly if fewer than the limit lie in `(now − window, now]`.
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
            let is_admitted = matches!(key.request(limit, at(now)), Admission::Admitted(_));
            prop_assert_eq!(is_admitted, has_room, "at {}, with {} in the window", now, used);
        }
    }

    /// The limit holds in any window there is, wherever it begins.
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

    /// A clock that is set back does not open the window again.
    #[test]
    fn rate_1_a_clock_that_goes_back_admits_no_more(
        limit in limits(),
        times in prop::collection::vec(0..5000_i64, 1..60),
    ) {
        let mut key = Key::default();
        for now in times {
            let later = key.admissions.iter().filter(|it| **it > limit.counts_after(at(now))).count();
            let is_admitted = matches!(key.request(limit, at(now)), Admission::Admitted(_));
            prop_assert_eq!(is_admitted, later < limit.requests() as usize);
        }
    }

    /// Admissions that have left the window may be forgotten, and their order does not matter.
    #[test]
    fn rate_1_what_has_left_the_window_changes_nothing(
        limit in limits(),
        mut admissions in prop::collection::vec((-9000..9000_i64).prop_map(at), 0..20),
        now in (-2000..9000_i64).prop_map(at),
    ) {
        let judged = limit.judge(admissions.clone(), now);
        admissions.retain(|admission| *admission > limit.counts_after(now));
        admissions.reverse();
        prop_assert_eq!(limit.judge(admissions, now), judged);
    }

    /// The moment that a refusal names is the first at which a request is admitted, and the seconds
    /// of `Retry-After` reach it.
    #[test]
    fn rate_5_a_retry_at_the_named_moment_is_the_first_that_is_admitted(
        limit in limits(),
        admissions in prop::collection::vec((0..9000_i64).prop_map(at), 0..20),
        now in (0..9000_i64).prop_map(at),
    ) {
        if let Admission::Refused { retry_at, .. } = limit.judge(admissions.clone(), now) {
            let seconds = retry_at.seconds_since_up(now);
            let is_admitted = |at| matches!(limit.judge(admissions.clone(), at), Admission::Admitted(_));
            prop_assert!(retry_at > now && seconds > 0);
            prop_assert!(is_admitted(retry_at));
            prop_assert!(!is_admitted(at(retry_at.unix_millis() - 1)));
            prop_assert!(is_admitted(now.later(Duration::from_secs(seconds))));
            prop_assert!(now.later(Duration::from_secs(seconds - 1)) < retry_at);
        }
    }

    /// Limit, rest and reset speak of the window as it is after the request.
    #[test]
    fn rate_5_the_standing_counts_the_window(
        limit in limits(),
        admissions in prop::collection::vec((0..9000_i64).prop_map(at), 0..20),
        now in (0..9000_i64).prop_map(at),
    ) {
        let mut after = admissions.clone();
        let standing = match limit.judge(admissions, now) {
            Admission::Admitted(standing) => {
                after.push(now);
                standing
            }
            Admission::Refused { standing, .. } => standing,
        };
        after.retain(|it| *it > limit.counts_after(now));
        let remaining = limit.requests().saturating_sub(u32::try_from(after.len()).unwrap());
        let oldest = after.iter().min().copied();
        let reset_at = oldest.map(|oldest| oldest.later(limit.window())).unwrap_or(now);
        let expected = Standing { limit: limit.requests(), remaining, reset_at };
        prop_assert_eq!(standing, expected);
        prop_assert_eq!(limit.standing(after, now), expected);
    }

    #[test]
    fn rate_1_a_limit_is_read_as_it_is_written(
        requests in 1..=RequestLimit::MAX_REQUESTS,
        seconds in 1..=RequestLimit::MAX_WINDOW.as_secs(),
    ) {
        let limit = RequestLimit::new(requests, Duration::from_secs(seconds)).unwrap();
        prop_assert_eq!(limit.to_string().parse(), Ok(limit));
    }
}

#[test]
fn rate_1_ten_creates_in_any_sixty_minutes_and_the_eleventh_to_the_millisecond() {
    const HOUR: i64 = 60 * 60 * 1000;
    let mut key = Key::default();
    for minute in 0..10 {
        let admission = key.request(RequestLimit::CREATE, at(minute * 60_000));
        assert!(matches!(admission, Admission::Admitted(_)), "minute {minute}");
    }
    // A bucket that refills would have had another token six minutes after the first.
    for early in [9 * 60_000, 30 * 60_000, HOUR - 1] {
        let Admission::Refused { retry_at, standing } =
            key.request(RequestLimit::CREATE, at(early))
        else {
            panic!("admitted at {early}");
        };
        assert_eq!(retry_at, at(HOUR));
        assert_eq!(standing, Standing { limit: 10, remaining: 0, reset_at: at(HOUR) });
    }
    assert!(matches!(key.request(RequestLimit::CREATE, at(HOUR)), Admission::Admitted(_)));
    assert!(matches!(key.request(RequestLimit::CREATE, at(HOUR)), Admission::Refused { .. }));
}

/// More than the limit are in the window when the limit was lowered: enough have to leave.
#[test]
fn rate_5_under_a_lowered_limit_the_retry_waits_for_as_many_as_are_too_many() {
    let limit = RequestLimit::new(2, Duration::from_secs(10)).unwrap();
    let admissions = [at(1), at(2), at(3), at(4)];
    let Admission::Refused { retry_at, standing } = limit.judge(admissions, at(5)) else {
        panic!("admitted");
    };
    assert_eq!(retry_at, at(10_003));
    assert_eq!(standing, Standing { limit: 2, remaining: 0, reset_at: at(10_001) });
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

/// Nothing overflows at the ends of time.
#[test]
fn rate_1_a_clock_out_of_range_is_judged_all_the_same() {
    for now in [at(i64::MIN), at(i64::MAX)] {
        let limit = RequestLimit::new(1, RequestLimit::MAX_WINDOW).unwrap();
        assert!(matches!(limit.judge([], now), Admission::Admitted(_)));
        limit.judge([at(i64::MIN), at(i64::MAX)], now);
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
        assert_eq!(text.parse::<RequestLimit>(), Err(InvalidRequestLimit), "{text:?}");
    }
    for (text, seconds) in [("1/1s", 1), ("100000/31d", 2_678_400), ("7/90m", 5400)] {
        let limit: RequestLimit = text.parse().unwrap();
        assert_eq!(limit.window(), Duration::from_secs(seconds), "{text}");
    }
    assert!(RequestLimit::new(1, Duration::from_millis(1500)).is_err());
    assert!(RequestLimit::new(1, Duration::from_millis(999)).is_err());
}
