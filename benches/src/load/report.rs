//! The table of a load, and the bars that it holds.

use std::fmt::Write;
use std::time::Duration;

use crate::load::client::Outcome;
use crate::load::server::{Driver, FASTAPI};
use crate::load::{Asked, CONNECTIONS};

/// The least rate of creates, as a multiple of FastAPI's, with 32 connections.
const LEAST_TIMES: f64 = 20.0;

/// The least rate of creates, as a multiple of that of the best peer in Rust, with 32 connections.
const LEAST_TIMES_RUST: f64 = 3.0;

/// The bound on the 99th percentile, as a multiple of the median, with 32 connections.
const MOST_SPREAD: f64 = 10.0;

/// The bound on the time until the service listens, in milliseconds.
const MOST_START: u128 = 100;

/// The most memory that it may have resident then, in MiB; a begun MiB counts as a whole one.
const MOST_RESIDENT: u64 = 20;

/// Everything that was measured of one server.
pub struct Measured {
    /// The name of the server.
    pub name: &'static str,
    /// The result of each round, for a request and a number of connections.
    pub rounds: Vec<(Asked, usize, Outcome)>,
    /// The time that each start took, and the bytes of memory that were resident after it, where that is known.
    pub starts: Vec<(Duration, Option<u64>)>,
    /// The number of acknowledged models that were not there in the end.
    pub lost: u64,
}

impl Measured {
    /// Of a server that nothing was measured of yet.
    pub const fn new(name: &'static str) -> Self {
        Measured { name, rounds: Vec::new(), starts: Vec::new(), lost: 0 }
    }

    /// Returns true if every load was answered, all of it rightly, and nothing was lost.
    pub fn is_whole(&self) -> bool {
        let has_answers = |it: &(Asked, usize, Outcome)| !it.2.latencies.is_empty();
        self.lost == 0 && self.failed() == 0 && self.rounds.iter().all(has_answers)
    }

    fn median(&self, asked: Asked, connections: usize, of: impl Fn(&Outcome) -> f64) -> f64 {
        let is_meant = |it: &&(Asked, usize, Outcome)| (it.0, it.1) == (asked, connections);
        let mut values: Vec<f64> =
            self.rounds.iter().filter(is_meant).map(|it| of(&it.2)).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn rate(&self, asked: Asked, connections: usize) -> f64 {
        self.median(asked, connections, Outcome::rate)
    }

    fn millis(&self, asked: Asked, connections: usize, part: f64) -> f64 {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        self.median(asked, connections, |outcome| millis(outcome.quantile(part)))
    }

    /// The slowest start in milliseconds.
    fn slowest_start(&self) -> Option<u128> {
        self.starts.iter().map(|(start, _)| start.as_millis()).max()
    }

    /// The most MiB that were resident after a start, begun ones counted.
    fn most_resident(&self) -> Option<u64> {
        let bytes = self.starts.iter().filter_map(|(_, resident)| *resident).max();
        bytes.map(|bytes| bytes.div_ceil(1 << 20))
    }

    fn failed(&self) -> u64 {
        self.rounds.iter().map(|(_, _, outcome)| outcome.failed).sum()
    }
}

/// A table: a row for every request and number of connections, a column for every server. Ratios are
/// those of the first server to each other one.
pub fn markdown(all: &[Measured], rounds: usize, seconds: f64, machine: &str) -> String {
    let mut table = String::from("| Requests a second; p50, p99 in ms |");
    let ours = all.first();
    for it in all {
        let _ = write!(table, " {} |", it.name);
    }
    let _ = write!(table, "\n| --- |{}\n", " ---: |".repeat(all.len()));
    for asked in Asked::ALL {
        for connections in CONNECTIONS {
            let _ = write!(table, "| {}, {connections} |", asked.name());
            for (index, it) in all.iter().enumerate() {
                let rate = it.rate(asked, connections);
                let (p50, p99) =
                    (it.millis(asked, connections, 0.5), it.millis(asked, connections, 0.99));
                let ratio = ours.map_or(1.0, |ours| ours.rate(asked, connections) / rate);
                let times = if index == 0 { String::new() } else { format!(" ({ratio:.1} ×)") };
                let _ = write!(table, " {rate:.0}{times}; {p50:.2}, {p99:.2} |");
            }
            table.push('\n');
        }
    }
    let or_unknown = |it: Option<String>| it.unwrap_or_else(|| "unknown".to_owned());
    table.push_str("| slowest start, ms; most MiB resident after it |");
    for it in all {
        let start = or_unknown(it.slowest_start().map(|it| it.to_string()));
        let resident = or_unknown(it.most_resident().map(|it| it.to_string()));
        let _ = write!(table, " {start}; {resident} |");
    }
    table.push('\n');
    let _ = write!(
        table,
        "\nMedians of {rounds} interleaved rounds of {seconds} s each. In parentheses: how many times \
        as many requests the first column answers. {machine}.\n"
    );
    table
}

/// A bar, and whether it holds.
pub fn bars(all: &[Measured]) -> Vec<(String, bool)> {
    let mut bars = Vec::new();
    let Some(ours) = all.first() else { return bars };
    if let Some(peer) = all.iter().find(|it| it.name == FASTAPI) {
        let times = ours.rate(Asked::Create, 32) / peer.rate(Asked::Create, 32);
        bars.push((
            format!("creates with 32 connections: {times:.1} × FastAPI, at least {LEAST_TIMES}"),
            times >= LEAST_TIMES,
        ));
    }
    let in_rust = all.iter().filter(|it| Driver::ALL.iter().any(|driver| driver.name() == it.name));
    let rate = |it: &Measured| it.rate(Asked::Create, 32);
    if let Some(best) = in_rust.max_by(|one, other| rate(one).total_cmp(&rate(other))) {
        let (times, name) = (rate(ours) / rate(best), best.name);
        let bar = format!(
            "creates with 32 connections: {times:.1} × {name}, the best peer in Rust, at least {LEAST_TIMES_RUST}"
        );
        bars.push((bar, times >= LEAST_TIMES_RUST));
    }
    let spread = ours.millis(Asked::Create, 32, 0.99) / ours.millis(Asked::Create, 32, 0.5);
    bars.push((
        format!("creates with 32 connections: p99 is {spread:.1} × p50, under {MOST_SPREAD}"),
        spread < MOST_SPREAD,
    ));
    if let Some(start) = ours.slowest_start() {
        let bar = format!("the slowest start: {start} ms, under {MOST_START}");
        bars.push((bar, start < MOST_START));
    }
    if let Some(mib) = ours.most_resident() {
        let bar = format!("resident after a start: {mib} MiB, at most {MOST_RESIDENT}");
        bars.push((bar, mib <= MOST_RESIDENT));
    }
    for it in all {
        let (lost, failed) = (it.lost, it.failed());
        bars.push((format!("{}: {lost} lost, {failed} failed", it.name), it.is_whole()));
    }
    bars
}
