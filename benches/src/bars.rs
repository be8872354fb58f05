//! The bars that the engine has to reach, as ratios of medians of one run.

use std::fmt;

use crate::cases::{self, LONG, MIX, SHORT};
use crate::creates::{autocommit, growth, limited};
use crate::race::{Group, Race, geometric_mean};
use crate::reads;

/// One bar, and where the run came to.
pub struct Bar {
    what: String,
    reached: f64,
    needed: f64,
    is_upper: bool,
}

impl Bar {
    /// Returns true if the bar holds.
    pub fn holds(&self) -> bool {
        if self.is_upper { self.reached <= self.needed } else { self.reached >= self.needed }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "PASS" } else { "FAIL" };
        let bound = if self.is_upper { "at most" } else { "at least" };
        let Bar { what, reached, needed, .. } = self;
        write!(f, "{verdict} {what}: {reached:.2} × ({bound} {needed} ×)")
    }
}

/// The bars that these races can judge.
pub fn bars(races: &[Race]) -> Vec<Bar> {
    let run = Run(races);
    let mut bars = Vec::new();
    if run.has(Group::Typed) {
        run.typed(&mut bars);
        run.bytes(&mut bars);
    }
    if run.has(Group::Creates) {
        run.creates(&mut bars);
    }
    if run.has(Group::Gets) {
        run.reads(&mut bars);
    }
    bars
}

struct Run<'a>(&'a [Race]);

impl Run<'_> {
    fn has(&self, group: Group) -> bool {
        self.0.iter().any(|race| race.group == group)
    }

    /// The races of a group whose class is valid, or is not.
    fn classes(&self, group: Group, is_valid: bool) -> Vec<&Race> {
        let cases = cases::cases();
        let class_is = |race: &&Race| {
            let case = cases.iter().find(|case| case.class == race.class);
            case.is_some_and(|case| case.is_valid() == is_valid)
        };
        self.0.iter().filter(|race| race.group == group).filter(class_is).collect()
    }

    fn class(&self, group: Group, class: &str) -> &Race {
        let mut races = self.0.iter();
        let race = races.find(|race| race.group == group && race.class == class);
        race.expect("every class is measured")
    }

    fn typed(&self, bars: &mut Vec<Bar>) {
        let valid = self.classes(Group::Typed, true);
        let ratios: Vec<f64> = valid.iter().map(|race| fastest(race)).collect();
        let what = "fields, valid: the fastest of garde, validator, nutype over ours";
        bars.push(at_least(3.0, geometric_mean(ratios.iter().copied()), what));
        bars.push(at_least(2.0, least(&ratios), "the same, the worst class"));
        let verdicts = self.classes(Group::Typed, false);
        let answers = self.classes(Group::TypedAnswered, false);
        let ratios: Vec<f64> = verdicts.into_iter().chain(answers).map(fastest).collect();
        let what = "fields, invalid, verdicts and answers: the fastest over ours";
        bars.push(at_least(4.0, geometric_mean(ratios.iter().copied()), what));
        bars.push(at_least(2.0, least(&ratios), "the same, the worst class"));
        let short = self.class(Group::Typed, SHORT).ours();
        let long = self.class(Group::Typed, LONG).ours().over(short).median;
        bars.push(at_most(1.5, long, "fields, valid ASCII: 1000 characters over few"));
    }

    fn bytes(&self, bars: &mut Vec<Bar>) {
        let mix = over(self.class(Group::Bytes, MIX), "serde_json + garde");
        bars.push(at_least(3.0, mix, "body, the valid mix: serde_json + garde over ours"));
        for group in [Group::Bytes, Group::BytesAnswered] {
            for race in self.classes(group, false) {
                let what = format!("{}, {}", group.title(), race.class);
                bars.push(at_least(4.0, over(race, "serde_json + garde"), &what));
            }
        }
    }

    fn creates(&self, bars: &mut Vec<Bar>) {
        for (callers, needed) in [(64, 5.0), (8, 2.5), (1, 0.9)] {
            let class = callers_class(callers);
            let race = self.class(Group::Creates, &class);
            let what = format!("creates by {class}: {} over ours", autocommit::WITH_EVENT);
            bars.push(at_least(needed, over(race, autocommit::WITH_EVENT), &what));
        }
        for race in self.0.iter().filter(|race| race.group == Group::Limited) {
            // At 32 callers four fifths of the rate.
            let needed = if race.class.starts_with("1 caller") { 1.2 } else { 1.25 };
            for name in [limited::MANY_KEYS, limited::LARGE] {
                let what =
                    format!("a limited create over one without a limit, {}, {name}", race.class);
                bars.push(at_most(needed, over(race, name), &what));
            }
        }
        for race in self.0.iter().filter(|race| race.group == Group::Growth) {
            let what = format!("a create beside 10^6 models over one beside 10^3, {}", race.class);
            bars.push(at_most(1.5, over(race, growth::MANY), &what));
        }
    }

    fn reads(&self, bars: &mut Vec<Bar>) {
        for race in self.0.iter().filter(|race| race.group == Group::Gets) {
            let bare = race.entry(reads::BARE).expect("everyone is measured");
            let ours = race.ours().over(bare).median;
            bars.push(at_most(2.0, ours, "a get by id over a point query of rusqlite"));
        }
        for race in self.0.iter().filter(|race| race.group == Group::Pages) {
            let what = format!("a page beside 10^6 models over one beside 10^3, {}", race.class);
            bars.push(at_most(1.5, over(race, growth::MANY), &what));
        }
    }
}

/// The class of so many callers.
pub fn callers_class(callers: usize) -> String {
    if callers == 1 { "1 caller".to_owned() } else { format!("{callers} callers") }
}

fn over(race: &Race, name: &str) -> f64 {
    let entry = race.entry(name).expect("everyone is measured");
    entry.over(race.ours()).median
}

fn fastest(race: &Race) -> f64 {
    least(&race.others().map(|(_, ratio)| ratio.median).collect::<Vec<_>>())
}

fn least(ratios: &[f64]) -> f64 {
    ratios.iter().copied().fold(f64::INFINITY, f64::min)
}

fn at_least(needed: f64, reached: f64, what: &str) -> Bar {
    Bar { what: what.to_owned(), reached, needed, is_upper: false }
}

fn at_most(needed: f64, reached: f64, what: &str) -> Bar {
    Bar { what: what.to_owned(), reached, needed, is_upper: true }
}
