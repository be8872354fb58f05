use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;

#[test]
fn a_call_that_waits_in_vain_is_woken_and_so_is_the_next() {
    let (wake, woken) = mpsc::channel();
    let wake = move || wake.send(()).unwrap_or_default();
    let watchdog = FlushWatchdog::start(Duration::from_millis(1), wake).unwrap();
    for _ in 0..3 {
        // Discard those that came too late for the last call.
        while woken.try_recv().is_ok() {}
        watchdog.watch(|| woken.recv_timeout(Duration::from_secs(60))).unwrap();
    }
}

#[test]
fn a_call_that_ends_in_time_is_left_alone_and_nothing_is_held_afterwards() {
    let wakes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&wakes);
    let wake = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let watchdog = FlushWatchdog::start(Duration::from_secs(3600), wake).unwrap();
    assert_eq!(watchdog.watch(|| 7), 7);
    drop(watchdog);
    assert_eq!(wakes.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&wakes), 1);
}
