use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;

#[test]
fn a_call_that_waits_in_vain_is_woken_and_so_is_the_next() {
    let (wake, woken) = mpsc::channel();
    let nudge = move || wake.send(()).unwrap_or_default();
    let nudger = Nudger::start(Duration::from_millis(1), nudge).unwrap();
    for _ in 0..3 {
        // Those that came too late for the last call.
        while woken.try_recv().is_ok() {}
        nudger.watch(|| woken.recv_timeout(Duration::from_secs(60))).unwrap();
    }
}

#[test]
fn a_call_that_ends_in_time_is_left_alone_and_nothing_is_held_afterwards() {
    let nudges = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&nudges);
    let nudge = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let nudger = Nudger::start(Duration::from_secs(3600), nudge).unwrap();
    assert_eq!(nudger.watch(|| 7), 7);
    drop(nudger);
    assert_eq!(nudges.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&nudges), 1);
}
