//! Asks the service and its peers over HTTP, in interleaved rounds, and prints the table.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use custom_models_benches::disk::Disk;
use custom_models_benches::load::client::load;
use custom_models_benches::load::programs::{axum_peer, python, service};
use custom_models_benches::load::report::{Measured, bars, markdown};
use custom_models_benches::load::server::{Driver, Kind, Place, Server};
use custom_models_benches::load::{Asked, CONNECTIONS};
use custom_models_benches::machine;

const USAGE: &str = "usage: load [--quick] [--bars] [--rounds N] [--markdown FILE] [--dir FOLDER]

  --quick          one short round of the service alone: shows that everything runs
  --bars           exit with 1 when a bar does not hold
  --rounds N       rounds of every server; 5 without it
  --markdown FILE  write the table
  --dir FOLDER     where stores are put; without it beside this program";

struct Options {
    is_quick: bool,
    must_hold: bool,
    rounds: usize,
    markdown: Option<PathBuf>,
    dir: Option<PathBuf>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options =
            Options { is_quick: false, must_hold: false, rounds: 5, markdown: None, dir: None };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.is_quick = true,
                "--bars" => options.must_hold = true,
                "--rounds" => options.rounds = words.next()?.parse().ok().filter(|&it| it > 0)?,
                "--markdown" => options.markdown = Some(words.next()?.into()),
                "--dir" => options.dir = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(options)
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns true if every load was answered rightly and, where the bars must hold, every bar holds.
fn run(options: &Options) -> io::Result<bool> {
    let disk = Disk::new(options.dir.clone());
    let program = service()?;
    let ours = Kind::Ours { program: program.clone(), logs: false };
    let (kinds, rounds, span) = if options.is_quick {
        (vec![ours], 1, Duration::from_millis(200))
    } else {
        let mut kinds = vec![ours, Kind::Ours { program, logs: true }];
        for driver in Driver::ALL {
            kinds.push(Kind::Axum { program: axum_peer(driver)?, driver });
        }
        let python = python()?;
        for place in [Place::Threads, Place::Loop] {
            kinds.push(Kind::FastApi { python: python.clone(), place });
        }
        (kinds, options.rounds, Duration::from_secs(2))
    };
    let mut all: Vec<Measured> = kinds.iter().map(|it| Measured::new(it.name())).collect();
    for round in 1..=rounds {
        for (kind, measured) in kinds.iter().zip(&mut all) {
            eprintln!("round {round} of {rounds}: {}", kind.name());
            measure(Server::start(kind, &disk)?, span, measured)?;
        }
    }
    let machine = format!("{}, {}", machine::facts(), disk.file_system);
    let table = markdown(&all, rounds, span.as_secs_f64(), &machine);
    println!("{table}");
    if let Some(path) = &options.markdown {
        std::fs::write(path, &table)?;
    }
    let bars = bars(&all);
    bars.iter()
        .for_each(|(bar, holds)| println!("{}: {bar}", if *holds { "holds" } else { "FAILS" }));
    let all_answered = all.iter().all(Measured::is_whole);
    let are_held = bars.iter().all(|(_, holds)| *holds);
    Ok(all_answered && (options.is_quick || !options.must_hold || are_held))
}

/// One round of one server: every number of connections, creates and then gets of what was created.
fn measure(server: Server, span: Duration, measured: &mut Measured) -> io::Result<()> {
    measured.starts.push((server.started_in, server.resident));
    let mut acknowledged = 0;
    for connections in CONNECTIONS {
        for asked in Asked::ALL {
            let outcome =
                load(server.address, &server.key, asked, connections, span, acknowledged)?;
            if asked == Asked::Create {
                acknowledged += outcome.latencies.len() as u64;
            }
            measured.rounds.push((asked, connections, outcome));
        }
    }
    // A create whose answer was wrong may be there all the same.
    measured.lost += acknowledged.saturating_sub(server.killed()?);
    Ok(())
}
