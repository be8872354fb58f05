//! Asks the service and its peer over HTTP, in interleaved rounds, and prints the table.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use custom_models_benches::disk::Disk;
use custom_models_benches::load::client::load;
use custom_models_benches::load::report::{Measured, bars, markdown};
use custom_models_benches::load::server::{Kind, Place, Server};
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

/// Whether every bar that is asked for holds.
fn run(options: &Options) -> io::Result<bool> {
    let disk = Disk::new(options.dir.clone());
    let program = program()?;
    let ours = Kind::Ours { program: program.clone(), logs: false };
    let (kinds, rounds, span) = if options.is_quick {
        (vec![ours], 1, Duration::from_millis(200))
    } else {
        let logging = Kind::Ours { program, logs: true };
        let python = python()?;
        let peer = Kind::FastApi { python: python.clone(), place: Place::Threads };
        let in_loop = Kind::FastApi { python, place: Place::Loop };
        (vec![ours, logging, peer, in_loop], options.rounds, Duration::from_secs(2))
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

/// The command line, built as a user builds it.
fn program() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", "custom-models-cli"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the command line was not built"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("release/custom-models").canonicalize()
}

/// A Python with what the peer needs, installed beside this program the first time.
fn python() -> io::Result<PathBuf> {
    let place = std::env::current_exe()?.with_file_name("fastapi-peer");
    let (python, ready) = (place.join("bin/python"), place.join("is-ready"));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/fastapi/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("installing for the peer: {}", wanted.lines().collect::<Vec<_>>().join(", "));
    let made = Command::new("python3").args(["-m", "venv"]).arg(&place).status()?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements);
    if !made.success() || !pip.status()?.success() {
        return Err(io::Error::other("what the peer needs was not installed"));
    }
    std::fs::write(ready, wanted)?;
    Ok(python)
}
