//! Creates by many callers, each of whom waits for one before beginning the next.

pub mod autocommit;
pub mod bound;
pub mod engine;
pub mod growth;
pub mod limited;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::variant::Variant;

/// The number of organisations over which creates are spread.
pub const ORGANISATIONS: usize = 16;

/// The numbers of callers that create at a time.
pub const CALLERS: [usize; 3] = [1, 8, 64];

/// More than anyone creates; everyone checks it all the same.
const LIMIT: u64 = 1 << 40;

const NAME: &str = "Medical Cardiology EN v2";
const DESCRIPTION: &str = "Cardiology model trained on 30 hours of MRI and CT scan report dictation \
    from 15 physicians. Includes extensive cardiac anatomy and diagnostic terminology. Created Jan \
    2025.";

/// A contestant that makes models durable.
pub trait Creates: Sync {
    /// Creates a model for one of the organisations, and returns when it is durable.
    fn create(&self, organisation: usize);

    /// Returns the number of models, by the counters that the limit is checked against.
    fn count(&self) -> u64;
}

/// Creates `times` models and says how long that took.
fn load(store: &dyn Creates, callers: usize, organisations: usize, times: u64) -> Duration {
    let begun = AtomicU64::new(0);
    let gate = Barrier::new(callers + 1);
    let caller = || {
        gate.wait();
        loop {
            let turn = begun.fetch_add(1, Ordering::Relaxed);
            if turn >= times {
                return;
            }
            store.create(turn as usize % organisations);
        }
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        gate.wait();
        let start = Instant::now();
        for caller in callers {
            caller.join().expect("a caller ends in order");
        }
        start.elapsed()
    })
}

/// The first creates prepare statements, read the pages that they need and start threads.
fn warm_up(store: &dyn Creates, callers: usize, organisations: usize) -> u64 {
    const TIMES: u64 = 64;
    load(store, callers, organisations, TIMES);
    TIMES
}

/// Fills a fresh store every time, and counts what is in it afterwards.
fn fresh<'a, S: Creates>(
    name: &'static str,
    callers: usize,
    open: impl Fn() -> S + 'a,
) -> Variant<'a> {
    Variant::timed(name, move |times| {
        let store = open();
        let before = warm_up(&store, callers, ORGANISATIONS);
        let took = load(&store, callers, ORGANISATIONS, times);
        assert_eq!(store.count(), before + times, "the models of {name}");
        took
    })
}

/// Everyone, with so many callers.
pub fn variants(disk: &Disk, callers: usize) -> Vec<Variant<'_>> {
    vec![
        fresh(crate::OURS, callers, || engine::sqlite(disk)),
        fresh(autocommit::PLAIN, callers, || autocommit::Autocommit::new(disk, false)),
        fresh(autocommit::WITH_EVENT, callers, || autocommit::Autocommit::new(disk, true)),
        #[cfg(feature = "sled")]
        fresh(engine::SLED, callers, || engine::sled(disk)),
        fresh(engine::MEMORY, callers, engine::memory),
        bound::variant(disk, callers),
    ]
}
