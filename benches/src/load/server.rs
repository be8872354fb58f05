//! The sides that are asked, each in a process of its own, with a fresh store on a disk.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::OURS;
use crate::disk::Disk;

/// The name of the peer in Python that a bar is about.
pub const FASTAPI: &str = "FastAPI";

const PEERS_FILE: &str = "models.db";
const PEERS_KEY: &str = "peer-key";

/// The kind of server that is asked.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `custom-models serve`, without request limits, which no peer has.
    Ours {
        /// The program.
        program: PathBuf,
        /// True if it writes a line for each request, which no peer does.
        logs: bool,
    },
    /// The same endpoints in Rust, on axum.
    Axum {
        /// The program.
        program: PathBuf,
        /// The crate by which it reaches SQLite.
        driver: Driver,
    },
    /// The same endpoints in FastAPI.
    FastApi {
        /// The Python that has what it needs.
        python: PathBuf,
        /// The place in which they run.
        place: Place,
    },
}

/// The crate by which a peer on axum reaches SQLite. Each links a SQLite of its own, hence two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// rusqlite, which blocks.
    Rusqlite,
    /// sqlx, whose connections have threads of their own.
    Sqlx,
}

impl Driver {
    /// Both, in the order in which they are asked.
    pub const ALL: [Driver; 2] = [Driver::Rusqlite, Driver::Sqlx];

    /// Returns the name of the peer in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Driver::Rusqlite => "axum, rusqlite",
            Driver::Sqlx => "axum, sqlx",
        }
    }

    /// The folder of its workspace under `peers`.
    pub const fn folder(self) -> &'static str {
        match self {
            Driver::Rusqlite => "axum-rusqlite",
            Driver::Sqlx => "axum-sqlx",
        }
    }

    /// Its package, and the program that it builds.
    pub const fn package(self) -> &'static str {
        match self {
            Driver::Rusqlite => "axum-rusqlite-peer",
            Driver::Sqlx => "axum-sqlx-peer",
        }
    }
}

/// The place in which FastAPI runs an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In threads, as its documentation says of what blocks.
    Threads,
    /// In its event loop, where a commit holds up every other request, and nothing changes threads.
    Loop,
}

impl Kind {
    /// Returns the name of the server in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Kind::Ours { logs: false, .. } => OURS,
            Kind::Ours { logs: true, .. } => "with a log of requests",
            Kind::Axum { driver, .. } => driver.name(),
            Kind::FastApi { place: Place::Threads, .. } => FASTAPI,
            Kind::FastApi { place: Place::Loop, .. } => "FastAPI, in its loop",
        }
    }
}

/// A server that runs, ended when it is dropped.
pub struct Server {
    child: Child,
    /// The address at which it listens.
    pub address: SocketAddr,
    /// A key that it knows.
    pub key: String,
    /// The time from the start of its process until it listened.
    pub started_in: Duration,
    /// The number of bytes of memory that it had resident then, where the system says so.
    pub resident: Option<u64>,
    folder: TempDir,
    /// Its store within the folder.
    file: &'static str,
}

impl Server {
    /// Starts a server and waits until it answers.
    pub fn start(kind: &Kind, disk: &Disk) -> io::Result<Self> {
        let folder = disk.fresh();
        match kind {
            Kind::Ours { program, logs } => ours(program, *logs, folder),
            Kind::Axum { program, .. } => axum(program, folder),
            Kind::FastApi { python, place } => fast_api(python, *place, folder),
        }
    }

    /// Kills it, and counts the models that its file has.
    pub fn killed(mut self) -> io::Result<u64> {
        self.child.kill()?;
        self.child.wait()?;
        let file =
            Connection::open(self.folder.path().join(self.file)).map_err(io::Error::other)?;
        let count = file.query_row("SELECT count(*) FROM models", [], |row| row.get(0));
        count.map_err(io::Error::other)
    }
}

/// Returns the number of bytes of memory that a process has resident.
fn resident(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ours(program: &Path, logs: bool, folder: TempDir) -> io::Result<Server> {
    let run = |arguments: &[&str]| -> io::Result<String> {
        let output = Command::new(program).args(arguments).current_dir(&folder).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(said));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    };
    run(&["org", "add", "acme", "--plan", "Enterprise"])?;
    let scopes = ["--scope", "custom_models:write", "custom_models:read"];
    let key = run(&[&["key", "create", "--org", "acme"], &scopes[..]].concat())?;
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--create-concurrency", "off"])
        .args(["--create-limit", "off", "--log-level", if logs { "info" } else { "warn" }])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let address = said_address(&mut child, "listening on http://")?;
    let (started_in, resident) = (begun.elapsed(), resident(&child));
    Ok(Server { child, address, key, started_in, resident, folder, file: "custom-models.db" })
}

fn axum(program: &Path, folder: TempDir) -> io::Result<Server> {
    let key = PEERS_KEY.to_owned();
    let begun = Instant::now();
    let mut child = Command::new(program)
        .env("DATABASE", folder.path().join(PEERS_FILE))
        .env("API_KEY", &key)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let address = said_address(&mut child, "listening on http://")?;
    let (started_in, resident) = (begun.elapsed(), resident(&child));
    Ok(Server { child, address, key, started_in, resident, folder, file: PEERS_FILE })
}

fn fast_api(python: &Path, place: Place, folder: TempDir) -> io::Result<Server> {
    let key = PEERS_KEY.to_owned();
    // Uvicorn does not say which port it took, if it is to take a free one.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder_of_peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/fastapi");
    let app = match place {
        Place::Threads => "app:app",
        Place::Loop => "in_loop:app",
    };
    let begun = Instant::now();
    let mut child = Command::new(python)
        .args(["-m", "uvicorn", app, "--workers", "1", "--no-access-log"])
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
        .env("DATABASE", folder.path().join(PEERS_FILE))
        .env("API_KEY", &key)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder_of_peer)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    said_address(&mut child, "Uvicorn running on http://")?;
    TcpStream::connect(address)?;
    let (started_in, resident) = (begun.elapsed(), resident(&child));
    Ok(Server { child, address, key, started_in, resident, folder, file: PEERS_FILE })
}

/// Reads what a server says until it says where it listens.
fn said_address(child: &mut Child, before: &str) -> io::Result<SocketAddr> {
    let stderr = child.stderr.take().ok_or_else(|| io::Error::other("it has no voice"))?;
    let mut said = BufReader::new(stderr);
    let mut all = String::new();
    loop {
        let mut line = String::new();
        if said.read_line(&mut line)? == 0 {
            return Err(io::Error::other(format!("it ended: {all}")));
        }
        all.push_str(&line);
        if let Some((_, address)) = line.split_once(before) {
            let address = address.split([' ', '\n']).next().unwrap_or_default();
            let address = address.parse().map_err(io::Error::other)?;
            read_on(said);
            return Ok(address);
        }
    }
}

/// Reads and discards all later output, so that the server never waits for a reader.
fn read_on(mut said: BufReader<ChildStderr>) {
    thread::spawn(move || {
        let mut forgotten = [0; 4096];
        while said.read(&mut forgotten).is_ok_and(|read| read > 0) {}
    });
}
