//! Windows in a layout with one row for each admission. The tests of the store over sled use them too.

use std::time::Duration;

use custom_models_core::access::{Operation, RateLimit, Window, WindowKey};
use custom_models_core::store::{AccessChange, AccessOutcome, AccessStore};
use custom_models_core::time::UnixMillis;

/// The windows of the old store, with the first and the last number of their admissions.
pub(crate) const WINDOWS: [(&[u8], Operation, u64, u64); 5] = [
    (b"many", Operation::Create, 5, 45),
    (b"many", Operation::Get, 1, 7),
    (b"at the end", Operation::Create, 1, 8),
    (&[0; 64], Operation::Create, 16, 16),
    (b"\0", Operation::List, 1_000_007, 1_000_024),
];

/// The time of an admission. Two in a row are of one millisecond, and the first are before 1970.
pub(crate) const fn at(number: u64) -> i64 {
    (number.cast_signed() % 1000 - 20) / 2 * 1000
}

/// A limit of 1000 requests in ten seconds.
fn limit() -> RateLimit {
    RateLimit::new(1000, Duration::from_secs(10)).unwrap()
}

/// Checks that every window counts its admissions.
pub(crate) fn count_as_before(store: &impl AccessStore) {
    for (key, operation, first, last) in WINDOWS {
        let window = Window { key: WindowKey::new(key).unwrap(), operation };
        for now in (at(last)..at(last) + 11_000).step_by(500) {
            let counts = |number: &u64| at(*number) > now - 10_000;
            let oldest = (first..=last).find(counts).map_or(now, |number| at(number) + 10_000);
            let used = (first..=last).filter(counts).count();
            let now = UnixMillis::from_unix_millis(now);
            let found = store.window(&window, limit(), now).unwrap().rate_limit;
            let found = (1000 - found.remaining, found.reset_at.unix_millis());
            assert_eq!(found, (u32::try_from(used).unwrap(), oldest), "{operation} {now}");
        }
    }
}

/// Admits a request to every window, then sweeps all admissions.
pub(crate) fn are_used_on(store: &impl AccessStore) {
    let mut left: u64 = WINDOWS.iter().map(|(_, _, first, last)| last - first + 1).sum();
    for (key, operation, _, last) in WINDOWS {
        let window = Window { key: WindowKey::new(key).unwrap(), operation };
        let now = UnixMillis::from_unix_millis(at(last));
        let before = store.window(&window, limit(), now).unwrap().rate_limit.remaining;
        let change = AccessChange::Admit { window, limit: limit(), now };
        match store.apply_access(change).unwrap() {
            AccessOutcome::Admitted(status) => assert_eq!(status.remaining, before - 1),
            other => panic!("{other:?}"),
        }
        left += 1;
    }
    let (longest, now) = (Duration::from_secs(1), UnixMillis::from_unix_millis(1_000_000));
    let sweep =
        |limit| store.apply_access(AccessChange::SweepWindows { longest, now, limit }).unwrap();
    assert_eq!(sweep(13), AccessOutcome::Swept(13));
    assert_eq!(sweep(1000), AccessOutcome::Swept(left - 13));
    assert_eq!(sweep(1000), AccessOutcome::Swept(0));
}
