use std::collections::BTreeMap;
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::CreateModel;
use custom_models_core::store::{ArchiveStore, Change, ModelStore, OpenMode, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_store_sqlite::SqliteStore;
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

const OWNER: u32 = 54_321;
const OTHER: u32 = 54_322;

/// The environment variable with the task of a process of another user, and the file for it.
const TASK: &str = "CUSTOM_MODELS_OWNERS_TASK";

pub(crate) fn main() {
    if let Ok(task) = env::var(TASK) {
        return work(&task);
    }
    let is_root = rustix::process::geteuid().is_root();
    let test = |name: &str, test: fn()| {
        let run = move || -> Result<(), Failed> {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(!is_root)
    };
    let trials = vec![
        test("place_5_another_user_who_reads_leaves_nothing", others_leave_nothing),
        test("place_5_another_user_reads_what_a_service_writes", others_read_what_is_written),
        test("place_5_another_user_who_may_not_write_leaves_nothing", writers_leave_nothing),
        test("place_5_those_who_may_write_share_a_store", writers_share),
        test("place_5_another_user_cannot_read_a_store_that_was_made_here", stores_are_private),
        test("another_user_is_told_what_is_in_the_way", others_are_told),
        test("place_5_the_superuser_who_reads_leaves_nothing", root_leaves_nothing),
        test("place_5_a_folder_for_reading_alone_is_read", read_only_folders_are_read),
        test("place_5_a_log_in_a_folder_for_reading_alone_is_read", read_only_logs_are_read),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Does the work of a process of another user.
fn work(task: &str) {
    let (verb, path) = task.split_once(' ').unwrap();
    match verb {
        "create" => create(&SqliteStore::open(path).unwrap()),
        "die" => {
            let store = SqliteStore::open(path).unwrap();
            create(&store);
            // The store is not closed.
            std::process::exit(0);
        }
        "refused" => {
            let fault = SqliteStore::open_as(path, OpenMode::ReadOnly).unwrap_err();
            println!("{}", std::error::Error::source(&fault).unwrap());
        }
        "read" => {
            let store = SqliteStore::open_as(path, OpenMode::ReadOnly).unwrap();
            let mut records = 0_u64;
            store
                .export(&mut |_| {
                    records += 1;
                    Ok(())
                })
                .unwrap();
            assert!(records > 1);
            assert_eq!(store.verify().unwrap(), [""; 0]);
            println!("{}", store.summary().unwrap().last_id);
        }
        other => panic!("{other}"),
    }
}

fn create(store: &SqliteStore) {
    let request = CreateModel::builder().name("n").language("en").build().unwrap();
    let model = request.into_new_model(Timestamp::from_unix_seconds(0).unwrap());
    let change = Change::Create { model, limit: None };
    let at = UnixMillis::from_unix_millis(0);
    store.apply(Write::new("acme".parse().unwrap(), Actor::HOST, at, change)).unwrap();
}

/// A folder that everybody may use, with this program in it.
struct Shared {
    folder: TempDir,
    path: PathBuf,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let program = folder.path().join("program");
        // The lock keeps processes of other threads from inheriting the file that `cp` writes: it
        // would be busy then.
        let copied = Command::new("cp").arg(env::current_exe().unwrap()).arg(&program).status();
        assert!(copied.unwrap().success());
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let store = folder.path().join("store");
        fs::create_dir(&store).unwrap();
        fs::set_permissions(&store, Permissions::from_mode(0o777)).unwrap();
        Shared { path: store.join("models.db"), folder }
    }

    /// Runs a task as a user. Returns its output if it succeeded.
    fn has(&self, user: u32, verb: &str) -> Result<String, String> {
        self.has_as(user, user, verb)
    }

    fn has_as(&self, user: u32, group: u32, verb: &str) -> Result<String, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let temporary =
            self.folder.path().join(format!("tmp-{}", NUMBER.fetch_add(1, Ordering::SeqCst)));
        fs::create_dir(&temporary).unwrap();
        chown(&temporary, Some(user), Some(user)).unwrap();
        let out = Command::new(self.folder.path().join("program"))
            .env(TASK, format!("{verb} {}", self.path.display()))
            .env("TMPDIR", &temporary)
            .uid(user)
            .gid(group)
            .output()
            .unwrap();
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "the private copy is removed");
        let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        let complaint = String::from_utf8_lossy(&out.stderr).into_owned();
        if out.status.success() { Ok(said) } else { Err(complaint) }
    }

    /// Modes that earlier versions gave to databases, and that shared folders have.
    fn readable(&self) {
        fs::set_permissions(&self.path, Permissions::from_mode(0o644)).unwrap();
    }

    /// The names, owners and modes of all files of the store.
    fn files(&self) -> BTreeMap<PathBuf, (u32, u32)> {
        let entries = fs::read_dir(self.path.parent().unwrap()).unwrap().map(|it| it.unwrap());
        let shown = entries.map(|entry| {
            let found = entry.metadata().unwrap();
            (entry.path(), (found.uid(), found.mode() & 0o777))
        });
        shown.collect()
    }

    fn close_folder(&self) {
        let folder = self.path.parent().unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
    }
}

fn log(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn others_leave_nothing() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    shared.readable();
    let before = shared.files();
    assert_eq!(shared.has(OTHER, "read"), Ok("1".to_owned()));
    assert_eq!(shared.files(), before);
    shared.has(OWNER, "create").unwrap();
    assert_eq!(shared.has(OTHER, "read"), Ok("2".to_owned()));
}

fn others_read_what_is_written() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    shared.readable();
    // Files that root creates belong to the owner of the database.
    let store = SqliteStore::open(&shared.path).unwrap();
    create(&store);
    let before = shared.files();
    assert_eq!(before.len(), 3);
    assert!(before.values().all(|it| *it == (OWNER, 0o644)), "{before:?}");
    assert_eq!(shared.has(OTHER, "read"), Ok("2".to_owned()));
    assert_eq!(shared.files(), before);
    create(&store);
    assert_eq!(shared.has(OTHER, "read"), Ok("3".to_owned()));
    store.close().unwrap();
}

fn writers_leave_nothing() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    let empty = Shared::new();
    fs::write(&empty.path, "").unwrap();
    chown(&empty.path, Some(OWNER), Some(OWNER)).unwrap();
    for shared in [shared, empty] {
        shared.readable();
        let before = shared.files();
        let complaint = shared.has(OTHER, "create").unwrap_err();
        assert!(complaint.contains("Unavailable"), "{complaint}");
        assert!(complaint.contains(shared.path.to_str().unwrap()), "{complaint}");
        assert_eq!(shared.files(), before);
        shared.has(OWNER, "create").unwrap();
    }
}

/// SQLite gives the mode of the database to the files beside it, so those left by a killed process
/// can be used by all users, too.
fn writers_share() {
    for (mode, group) in [(0o660, OWNER), (0o666, OTHER)] {
        let shared = Shared::new();
        shared.has(OWNER, "create").unwrap();
        fs::set_permissions(&shared.path, Permissions::from_mode(mode)).unwrap();
        shared.has_as(OTHER, group, "die").unwrap();
        let left = shared.files();
        assert_eq!(left.get(&log(&shared.path, "-wal")), Some(&(OTHER, mode)));
        shared.has(OWNER, "die").unwrap();
        shared.has_as(OTHER, group, "create").unwrap();
        assert_eq!(shared.has(OWNER, "read"), Ok("4".to_owned()));
    }
}

fn stores_are_private() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    let before = shared.files();
    assert!(before.values().eq([&(OWNER, 0o600)]), "{before:?}");
    let complaint = shared.has(OTHER, "read").unwrap_err();
    assert!(complaint.contains("Unavailable"), "{complaint}");
    assert_eq!(shared.files(), before);
}

fn others_are_told() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    let cause = shared.has(OTHER, "refused").unwrap();
    assert_eq!(cause, format!("{}: Permission denied (os error 13)", shared.path.display()));
    shared.readable();
    let mut command = Command::new(shared.folder.path().join("program"));
    command.env(TASK, format!("refused {}", shared.path.display())).env("TMPDIR", "/nonexistent");
    let out = command.uid(OTHER).gid(OTHER).output().unwrap();
    let cause = String::from_utf8(out.stdout).unwrap();
    assert!(cause.starts_with("/nonexistent: ") && cause.contains("TMPDIR"), "{cause}");
}

fn root_leaves_nothing() {
    let shared = Shared::new();
    shared.has(OWNER, "create").unwrap();
    let before = shared.files();
    let store = SqliteStore::open_as(&shared.path, OpenMode::ReadOnly).unwrap();
    assert_eq!(store.summary().unwrap().last_id, 1);
    assert!(shared.files().values().all(|it| *it == (OWNER, 0o600)), "{:?}", shared.files());
    store.close().unwrap();
    assert_eq!(shared.files(), before);
    shared.has(OWNER, "create").unwrap();
}

fn read_only_folders_are_read() {
    for user in [OWNER, OTHER] {
        let shared = Shared::new();
        shared.has(OWNER, "create").unwrap();
        shared.readable();
        shared.close_folder();
        let before = shared.files();
        assert_eq!(shared.has(user, "read"), Ok("1".to_owned()));
        fs::write(log(&shared.path, "-wal"), "").unwrap();
        chown(log(&shared.path, "-wal"), Some(OWNER), None).unwrap();
        assert_eq!(shared.has(user, "read"), Ok("1".to_owned()));
        fs::remove_file(log(&shared.path, "-wal")).unwrap();
        assert_eq!(shared.files(), before);
    }
}

/// The log left by a killed service is read in a read-only folder, with its index and without.
fn read_only_logs_are_read() {
    for (user, endings) in
        [(OWNER, 3), (OWNER, 2), (OTHER, 3), (OTHER, 2)].map(|(user, files)| (user, files))
    {
        let from = Shared::new();
        let store = SqliteStore::open(&from.path).unwrap();
        create(&store);
        create(&store);
        let shared = Shared::new();
        for ending in ["", "-wal", "-shm"].into_iter().take(endings) {
            let to = log(&shared.path, ending);
            fs::copy(log(&from.path, ending), &to).unwrap();
            chown(&to, Some(OWNER), None).unwrap();
            fs::set_permissions(&to, Permissions::from_mode(0o644)).unwrap();
        }
        shared.close_folder();
        let before = shared.files();
        assert_eq!(shared.has(user, "read"), Ok("2".to_owned()), "{user} {endings}");
        assert_eq!(shared.files(), before);
    }
}
