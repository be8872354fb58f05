//! Measures everyone in interleaved rounds and prints the ratios.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use custom_models_benches::bars::{Bar, bars, callers_class};
use custom_models_benches::cases::{self, MIX};
use custom_models_benches::creates::{self, growth, limited};
use custom_models_benches::disk::Disk;
use custom_models_benches::race::{Group, Pace, Race};
use custom_models_benches::reads;
use custom_models_benches::variant::Variant;
use custom_models_benches::{chart, machine, peers, table, validation};

const USAGE: &str =
    "usage: compare [validation | creates | limits | reads] [--quick] [--bars] [--rounds N]
               [--svg FILE] [--markdown FILE] [--dir FOLDER]

  validation, creates, limits, reads  measure only these
  --quick              a few short rounds: shows that everything runs, measures nothing
  --bars               exit with 1 when a bar does not hold
  --rounds N           rounds of creates, and a tenth of those of validation; 21 without it
  --svg FILE           write the chart
  --markdown FILE      write the tables
  --dir FOLDER         where stores are put; without it beside this program";

struct Options {
    has_validation: bool,
    has_creates: bool,
    has_limits: bool,
    has_reads: bool,
    is_quick: bool,
    must_hold: bool,
    rounds: usize,
    svg: Option<PathBuf>,
    markdown: Option<PathBuf>,
    dir: Option<PathBuf>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Options {
            has_validation: true,
            has_creates: true,
            has_limits: true,
            has_reads: true,
            is_quick: false,
            must_hold: false,
            rounds: 21,
            svg: None,
            markdown: None,
            dir: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "validation" | "creates" | "limits" | "reads" => {
                    options.has_validation = word == "validation";
                    options.has_creates = word == "creates";
                    options.has_limits = word == "limits";
                    options.has_reads = word == "reads";
                }
                "--quick" => options.is_quick = true,
                "--bars" => options.must_hold = true,
                "--rounds" => options.rounds = words.next()?.parse().ok().filter(|&it| it > 0)?,
                "--svg" => options.svg = Some(words.next()?.into()),
                "--markdown" => options.markdown = Some(words.next()?.into()),
                "--dir" => options.dir = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(options)
    }

    /// Many rounds that are shorter than the system's time slices, so that most are undisturbed.
    fn fast_pace(&self) -> Pace {
        let rounds = if self.is_quick { 3 } else { self.rounds * 10 };
        Pace { rounds, span: Duration::from_micros(500) }
    }

    /// Returns the number of models that counts as many.
    fn many(&self) -> u64 {
        if self.is_quick { 10_000 } else { 1_000_000 }
    }

    /// Rounds that are long beside one sync of a disk.
    fn slow_pace(&self) -> Pace {
        if self.is_quick {
            Pace { rounds: 3, span: Duration::from_millis(50) }
        } else {
            Pace { rounds: self.rounds, span: Duration::from_secs(1) }
        }
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut races = Vec::new();
    let mut machine = machine::facts();
    if options.has_validation {
        race_validation(options.fast_pace(), &mut races);
    }
    if options.has_creates || options.has_limits || options.has_reads {
        let disk = Disk::new(options.dir.clone());
        machine = format!("{machine}, {}", disk.file_system);
        if options.has_creates {
            race_creates(&options, &disk, &mut races);
        }
        if options.has_limits {
            race_limits(&options, &disk, &mut races);
        }
        if options.has_reads {
            race_reads(&options, &disk, &mut races);
        }
    }
    let report = table::markdown(&races, &machine);
    println!("{report}");
    if let Some(path) = &options.markdown {
        std::fs::write(path, &report).expect("the tables can be written");
    }
    if let Some(path) = &options.svg {
        std::fs::write(path, chart::svg(&races, &machine)).expect("the chart can be written");
    }
    let bars = bars(&races);
    if options.is_quick {
        println!("{} bars, not judged by a quick run", bars.len());
        return ExitCode::SUCCESS;
    }
    bars.iter().for_each(|bar| println!("{bar}"));
    if options.must_hold && !bars.iter().all(Bar::holds) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn race_validation(pace: Pace, races: &mut Vec<Race>) {
    let mut race = |group, class: &str, variants: Vec<Variant<'_>>| {
        eprintln!("{}: {class}", Group::title(group));
        races.push(Race::run(group, class, pace, variants));
    };
    for case in &validation::typed_cases() {
        race(Group::Typed, case.class, validation::typed(case));
        if !case.is_valid() {
            race(Group::TypedAnswered, case.class, validation::typed_answered(case));
        }
    }
    let schema = peers::jsonschema::schema();
    for case in &cases::cases() {
        race(Group::Bytes, case.class, validation::bytes(case, &schema));
        if !case.is_valid() {
            race(Group::BytesAnswered, case.class, validation::bytes_answered(case));
        }
    }
    race(Group::Bytes, MIX, validation::bytes_mix(&cases::mix(), &schema));
}

fn race_creates(options: &Options, disk: &Disk, races: &mut Vec<Race>) {
    for callers in creates::CALLERS {
        let class = callers_class(callers);
        eprintln!("{}: {class}", Group::Creates.title());
        let variants = creates::variants(disk, callers);
        races.push(Race::run(Group::Creates, &class, options.slow_pace(), variants));
    }
    let many = options.many();
    for callers in [1, 64] {
        let class = callers_class(callers);
        eprintln!("{}: {class}", Group::Growth.title());
        let rounds = options.slow_pace().rounds;
        let variants = growth::variants(disk, callers, many);
        races.push(Race::run_fixed(Group::Growth, &class, rounds, variants, &[growth::TIMES; 2]));
    }
}

fn race_limits(options: &Options, disk: &Disk, races: &mut Vec<Race>) {
    for callers in limited::CALLERS {
        let mut race = |store: &str, variants| {
            let class = format!("{}, {store}", callers_class(callers));
            eprintln!("{}: {class}", Group::Limited.title());
            races.push(Race::run(Group::Limited, &class, options.slow_pace(), variants));
        };
        race("SQLite", limited::sqlite(disk, callers));
        #[cfg(feature = "sled")]
        race("sled", limited::sled(disk, callers));
    }
}

fn race_reads(options: &Options, disk: &Disk, races: &mut Vec<Race>) {
    let mut race = |group, class: &str, variants: Vec<Variant<'_>>| {
        eprintln!("{}: {class}", Group::title(group));
        races.push(Race::run(group, class, options.fast_pace(), variants));
    };
    race(Group::Gets, "one caller", reads::gets(disk, options.many()));
    for class in [reads::BY_CURSOR, reads::BY_NUMBER] {
        race(Group::Pages, class, reads::pages(disk, class, options.many()));
    }
}
