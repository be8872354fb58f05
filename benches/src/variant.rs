//! Something that is measured, and how its time is taken.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One contestant in one class: does its work so many times and says how long that took.
pub struct Variant<'a> {
    /// The name of the contestant.
    pub name: &'static str,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
}

impl<'a> Variant<'a> {
    /// Times `work` as it is.
    pub fn new<T>(name: &'static str, mut work: impl FnMut() -> T + 'a) -> Self {
        Variant::timed(name, move |times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(&work());
            }
            start.elapsed()
        })
    }

    /// Times `work` on inputs that it consumes: making them and dropping its results is not timed.
    pub fn consuming<I: 'a, T: 'a>(
        name: &'static str,
        mut input: impl FnMut() -> I + 'a,
        mut work: impl FnMut(I) -> T + 'a,
    ) -> Self {
        // Few enough for the inputs to stay in the cache, many enough to hide the clock.
        const BATCH: u64 = 64;
        let mut inputs = Vec::new();
        let mut results = Vec::new();
        Variant::timed(name, move |times| {
            let mut total = Duration::ZERO;
            let mut left = times;
            while left > 0 {
                let batch = left.min(BATCH);
                left -= batch;
                inputs.extend((0..batch).map(|_| input()));
                results.reserve(inputs.len());
                let start = Instant::now();
                for input in inputs.drain(..) {
                    results.push(black_box(work(black_box(input))));
                }
                total += start.elapsed();
                results.clear();
            }
            total
        })
    }

    /// Brings its own clock.
    pub fn timed(name: &'static str, run: impl FnMut(u64) -> Duration + 'a) -> Self {
        Variant { name, run: Box::new(run) }
    }

    /// Does the work so many times, and says how long it took.
    pub fn run(&mut self, times: u64) -> Duration {
        (self.run)(times)
    }
}
