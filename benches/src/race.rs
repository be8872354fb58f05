//! Interleaved rounds: everyone does a little work in turn, again and again, so that a machine that
//! is slow for a while is slow for all.

use std::time::Duration;

use crate::OURS;
use crate::variant::Variant;

/// The length of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The number of rounds.
    pub rounds: usize,
    /// The time that one contestant works in one round.
    pub span: Duration,
}

/// The work that a race compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Fields → verdict.
    Typed,
    /// Fields → the body of a refusal.
    TypedAnswered,
    /// Body → verdict.
    Bytes,
    /// Body → the body of a refusal.
    BytesAnswered,
    /// Durable creates.
    Creates,
    /// Creates under a request limit or without one.
    Limited,
    /// A create beside many models or few.
    Growth,
    /// One model by its id.
    Gets,
    /// A page of a list beside many models or few.
    Pages,
}

impl Group {
    /// All groups, in the order of the report.
    pub const ALL: [Group; 9] = [
        Group::Typed,
        Group::TypedAnswered,
        Group::Bytes,
        Group::BytesAnswered,
        Group::Creates,
        Group::Limited,
        Group::Growth,
        Group::Gets,
        Group::Pages,
    ];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Typed => "Fields to verdict",
            Group::TypedAnswered => "Fields to the JSON of the refusal",
            Group::Bytes => "Body to verdict",
            Group::BytesAnswered => "Body to the JSON of the refusal",
            Group::Creates => "Creates",
            Group::Limited => "Creates under a request limit",
            Group::Growth => "Creates beside 1000 or 1000000 models of the organisation",
            Group::Gets => "A model by its id, among 1000000",
            Group::Pages => "A page of a list beside 1000 or 1000000 models of the organisation",
        }
    }

    /// Returns true if more is better: creates are shown by the second, all else in time.
    pub fn is_rate(self) -> bool {
        matches!(self, Group::Creates | Group::Limited | Group::Growth)
    }
}

/// The times of everyone in one class.
#[derive(Clone, Debug)]
pub struct Race {
    /// The work that is compared.
    pub group: Group,
    /// The input, or the number of callers.
    pub class: String,
    /// Everyone's times; the first is what the others are compared with.
    pub entries: Vec<Entry>,
}

/// The times of one contestant.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name of the contestant.
    pub name: &'static str,
    /// Nanoseconds for one piece of work, round by round.
    pub rounds: Vec<f64>,
}

/// The time of a contestant, as a multiple of another's.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Of the medians.
    pub median: f64,
    /// The first quartile of the rounds' own ratios.
    pub low: f64,
    /// The third.
    pub high: f64,
}

impl Race {
    /// Runs everyone in turn; how much work a round is follows from a trial.
    pub fn run(group: Group, class: &str, pace: Pace, mut variants: Vec<Variant<'_>>) -> Self {
        let work: Vec<u64> = variants.iter_mut().map(|it| trial(it, pace.span)).collect();
        Race::run_fixed(group, class, pace.rounds, variants, &work)
    }

    /// Runs everyone in turn, with so much work each.
    pub fn run_fixed(
        group: Group,
        class: &str,
        rounds: usize,
        mut variants: Vec<Variant<'_>>,
        work: &[u64],
    ) -> Self {
        let name = |it: &Variant<'_>| Entry { name: it.name, rounds: Vec::new() };
        let mut entries: Vec<Entry> = variants.iter().map(name).collect();
        for _ in 0..rounds {
            for ((variant, entry), &times) in variants.iter_mut().zip(&mut entries).zip(work) {
                entry.rounds.push(nanoseconds(variant.run(times), times));
            }
        }
        Race { group, class: class.to_owned(), entries }
    }

    /// A contestant by name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The engine, or whoever stands first.
    pub fn ours(&self) -> &Entry {
        self.entry(OURS).unwrap_or(&self.entries[0])
    }

    /// Returns every other contestant, with its time as a multiple of the engine's.
    pub fn others(&self) -> impl Iterator<Item = (&Entry, Ratio)> {
        let ours = self.ours();
        let others = self.entries.iter().filter(|entry| entry.name != ours.name);
        others.map(|entry| (entry, entry.over(ours)))
    }
}

impl Entry {
    /// The median of the rounds, in nanoseconds.
    pub fn median(&self) -> f64 {
        percentile(self.rounds.clone(), 50)
    }

    /// Returns the time of this contestant, as a multiple of that of `base`.
    pub fn over(&self, base: &Entry) -> Ratio {
        let ratios: Vec<f64> = self.rounds.iter().zip(&base.rounds).map(|(it, b)| it / b).collect();
        Ratio {
            median: self.median() / base.median(),
            low: percentile(ratios.clone(), 25),
            high: percentile(ratios, 75),
        }
    }
}

/// Returns the amount of work that fills the span. One slow run must not decide it: with too little work, every
/// round would measure how a contestant begins. So the quickest of three counts.
fn trial(variant: &mut Variant<'_>, span: Duration) -> u64 {
    let mut times = 64;
    loop {
        let took = (0..3).map(|_| variant.run(times)).min().unwrap_or_default();
        if took >= span / 8 {
            let fitting = times as f64 * span.as_secs_f64() / took.as_secs_f64();
            return (fitting as u64).max(1);
        }
        times *= 4;
    }
}

fn nanoseconds(took: Duration, times: u64) -> f64 {
    took.as_nanos() as f64 / times as f64
}

fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}

/// The geometric mean.
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let logarithms: Vec<f64> = values.into_iter().map(f64::ln).collect();
    (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp()
}
