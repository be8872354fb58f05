//! The report as tables, for a terminal and for Markdown alike.

use std::fmt::Write;

use crate::OURS;
use crate::race::{Group, Race};

/// One table a group: a row a class, a column a contestant.
pub fn markdown(races: &[Race], machine: &str) -> String {
    let mut report = String::new();
    for group in Group::ALL {
        let races: Vec<&Race> = races.iter().filter(|race| race.group == group).collect();
        if let Some(first) = races.first() {
            let _ = write!(report, "{}{}", heading(first), body(&races));
            report.push('\n');
        }
    }
    let _ = writeln!(
        report,
        "Medians of interleaved rounds in one process: {}. In parentheses: how many times as fast \
        as this one {OURS} is, and the quartiles of that over the rounds. {machine}.",
        rounds(races),
    );
    report
}

/// Creates take long, and have fewer rounds.
fn rounds(races: &[Race]) -> String {
    let of = |is_rate, what: &str| {
        let race = races.iter().find(|race| race.group.is_rate() == is_rate)?;
        Some(format!("{} of {what}", race.entries[0].rounds.len()))
    };
    let counts = [of(false, "validation and reads"), of(true, "creates")];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn heading(race: &Race) -> String {
    let unit = if race.group.is_rate() { "a second" } else { "ns" };
    let names = race.entries.iter().map(|entry| entry.name);
    let names: Vec<&str> = names.collect();
    format!(
        "| {}, {unit} | {} |\n| --- |{}\n",
        race.group.title(),
        names.join(" | "),
        " ---: |".repeat(names.len())
    )
}

fn body(races: &[&Race]) -> String {
    let mut rows = String::new();
    for race in races {
        let _ = write!(rows, "| {} | {}", race.class, amount(race, race.ours().median()));
        for (entry, ratio) in race.others() {
            let _ = write!(
                rows,
                " | {} ({}; {}–{})",
                amount(race, entry.median()),
                times(ratio.median),
                times(ratio.low),
                times(ratio.high)
            );
        }
        rows.push_str(" |\n");
    }
    rows
}

fn amount(race: &Race, nanoseconds: f64) -> String {
    if race.group.is_rate() {
        format!("{:.0}", 1e9 / nanoseconds)
    } else if nanoseconds < 100.0 {
        format!("{nanoseconds:.1}")
    } else {
        format!("{nanoseconds:.0}")
    }
}

/// A ratio with the digits that mean something.
pub fn times(ratio: f64) -> String {
    match ratio {
        ..0.1 => format!("{ratio:.4} ×"),
        ..10.0 => format!("{ratio:.2} ×"),
        _ => format!("{ratio:.0} ×"),
    }
}
