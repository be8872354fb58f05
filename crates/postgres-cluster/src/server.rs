use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tempfile::TempDir;

use crate::Programs;
use crate::programs::hand_over;

/// A server of its own, which is stopped when it is dropped.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    running: Mutex<Option<Child>>,
    databases: Mutex<Databases>,
}

/// Databases for tests, by name.
#[derive(Debug, Default)]
struct Databases {
    made: u32,
    empty: Vec<String>,
}

impl Server {
    /// Starts a server with such settings (`name=value`), in which everybody is trusted. Its disk is
    /// not waited for unless a setting says so: tests end processes, not machines.
    pub fn start(programs: &Programs, settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        hand_over(folder.path());
        let data = folder.path().join("data");
        let made = programs
            .command("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .args(["--locale=C.UTF-8", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let server = Server::of(programs, folder, settings);
        server.restart();
        server
    }

    fn of(programs: &Programs, folder: TempDir, settings: &[&str]) -> Self {
        Server {
            programs: programs.clone(),
            folder,
            port: free_port(),
            settings: settings.iter().map(|it| (*it).to_owned()).collect(),
            running: Mutex::new(None),
            databases: Mutex::default(),
        }
    }

    /// A second server, which follows this one and has what it has. `name` is what this one knows it
    /// by.
    pub fn standby(&self, name: &str, settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        hand_over(folder.path());
        let from =
            format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        let copied = self
            .programs
            .command("pg_basebackup")
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-d", &from, "-D"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&copied.stderr);
        assert!(copied.status.success(), "pg_basebackup: {told}");
        let server = Server::of(&self.programs, folder, settings);
        server.restart();
        server
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// An empty database: one that was emptied before, or a new one.
    pub fn empty_database(&self) -> String {
        if let Some(name) = self.lock(|databases| databases.empty.pop()) {
            return name;
        }
        let number = self.lock(|databases| {
            databases.made += 1;
            databases.made
        });
        let name = format!("test_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Empties a database for the next one who needs one, which is sooner done than to make another.
    pub fn give_back(&self, name: String) {
        self.sql(
            &name,
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS custom_models CASCADE",
        );
        self.lock(|databases| databases.empty.push(name));
    }

    /// A database with what is committed in another one at this moment.
    pub fn copy(&self, name: &str) -> String {
        let copy = self.empty_database();
        let url = self.url(name);
        let dump = self.programs.command("pg_dump").args(["--dbname", &url]).output().unwrap();
        assert!(dump.status.success(), "pg_dump: {}", String::from_utf8_lossy(&dump.stderr));
        let file = self.own_file(&copy, &dump.stdout);
        let file = file.to_str().unwrap();
        let restored = self.psql(&copy, &["-f", file]);
        assert!(restored.is_ok(), "{restored:?}");
        copy
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Databases) -> T) -> T {
        work(&mut self.databases.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has statements executed, and brings back what they print.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        match self.try_sql(database, statements) {
            Ok(printed) => printed,
            Err(refusal) => panic!("{statements}: {refusal}"),
        }
    }

    /// [`Server::sql`] of statements that may be refused.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        self.psql(database, &["-c", statements])
    }

    fn psql(&self, database: &str, arguments: &[&str]) -> Result<String, String> {
        let done = self
            .programs
            .command("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname", &self.url(database)])
            .args(arguments)
            .output()
            .unwrap();
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }

    /// Starts it again on the same files and the same port, after it ended.
    pub fn restart(&self) {
        self.stop();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(self.started());
    }

    fn started(&self) -> Child {
        let mut command = self.programs.command("postgres");
        command.arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        let own = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", &port];
        let common = ["max_connections=200", "shared_buffers=64MB", "log_min_messages=log"];
        let settings = own.into_iter().chain(common);
        for setting in settings.chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut all = String::new();
        loop {
            let begin = all.len();
            let read = told.read_line(&mut all).unwrap();
            assert!(read > 0, "the server did not start: {all}");
            if all.get(begin..).is_some_and(|line| line.contains("ready to accept")) {
                break;
            }
        }
        // Nobody reads the rest, and it must not stand in the server's way.
        thread::spawn(move || told.lines().for_each(drop));
        child
    }

    /// Ends it in good order: connections are cut, files are complete.
    pub fn stop(&self) {
        self.end(|child| signal("INT", child.id()));
    }

    /// Ends it as the death of its machine would: everything at once, in the middle of whatever.
    pub fn kill(&self) {
        self.end(|child| {
            let pid = child.id();
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.unwrap_or_default();
            // It would see the end of its children, and so it goes first.
            signal("KILL", pid);
            for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
                signal("KILL", child);
            }
        });
    }

    fn end(&self, end: impl FnOnce(&mut Child)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = running.take() {
            end(&mut child);
            child.wait().unwrap();
        }
    }

    /// Makes a standby the one that writes.
    pub fn promote(&self) {
        let done =
            self.programs.command("pg_ctl").args(["promote", "-w", "-D"]).arg(self.data()).output();
        let done = done.unwrap();
        assert!(done.status.success(), "promote: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Writes a line into the file that says who may connect, before all others.
    pub fn allow_first(&self, line: &str) {
        let path = self.data().join("pg_hba.conf");
        let others = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{line}\n{others}")).unwrap();
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Puts a file beside its data that only it may read.
    pub fn own_file(&self, name: &str, content: &[u8]) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        hand_over(Path::new(&path));
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(name: &str, pid: u32) {
    // Whoever is gone already cannot be told.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid} 2>/dev/null")]).status();
}

/// A port that was free a moment ago. Nobody else is given it soon.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
