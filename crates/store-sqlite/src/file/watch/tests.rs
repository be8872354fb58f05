use std::fs;
use tempfile::TempDir;

use super::*;

/// Three files like those of a store, two folders down.
struct Place {
    folder: TempDir,
    database: PathBuf,
    watch: FileWatch,
}

impl Place {
    /// `is_told` starts events; otherwise every check is one by path.
    fn new(is_told: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner = fs::canonicalize(folder.path()).unwrap().join("outer/inner");
        fs::create_dir_all(&inner).unwrap();
        let database = inner.join("a.db");
        for ending in ["", "-wal", "-shm"] {
            fs::write(sidecar(&database, ending), "content").unwrap();
        }
        let watch = FileWatch::new(&database).unwrap();
        watch.watch_logs().unwrap();
        watch.check().unwrap();
        if is_told {
            (0..COMMITS_BEFORE_EVENTS).for_each(|_| watch.check_after_commit().unwrap());
        }
        assert_eq!(watch.events().is_some(), is_told && cfg!(target_os = "linux"));
        watch.check_after_commit().unwrap();
        Place { folder, database, watch }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.database.with_file_name(name)
    }

    fn assert_noticed(&self, path: &Path, is_gone: bool) {
        let moved = Err(FileMoved { path: path.to_owned(), is_gone });
        assert_eq!(self.watch.check_after_commit(), moved);
        assert_eq!(self.watch.check_after_commit(), moved, "it stays so");
        assert_eq!(self.watch.check_if_stale(), moved);
    }
}

/// Each case without events and with them.
fn both<T: Copy>(cases: [T; 2]) -> impl Iterator<Item = (bool, T)> {
    cases.into_iter().flat_map(|case| [(false, case), (true, case)])
}

#[test]
fn place_3_a_name_that_goes_is_noticed_behind_the_commit_told_or_not() {
    for (is_told, name) in both(["a.db", "a.db-wal"]) {
        let place = Place::new(is_told);
        let (path, elsewhere) = (place.at(name), place.folder.path().join("elsewhere"));
        fs::rename(&path, &elsewhere).unwrap();
        place.assert_noticed(&path, true);
        fs::rename(&elsewhere, &path).unwrap();
        place.watch.check_after_commit().unwrap();
        fs::hard_link(&path, &elsewhere).unwrap();
        fs::remove_file(&path).unwrap();
        place.assert_noticed(&path, true);
        fs::rename(&elsewhere, &path).unwrap();
        place.watch.check_after_commit().unwrap();
        fs::copy(&path, &elsewhere).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
        place.assert_noticed(&path, false);
    }
}

#[test]
fn place_3_a_folder_that_moves_is_noticed_and_nothing_is_missed_when_it_is_back() {
    for (is_told, name) in both(["outer", "outer/inner"]) {
        let place = Place::new(is_told);
        let folder = fs::canonicalize(place.folder.path()).unwrap();
        let (here, elsewhere) = (folder.join(name), folder.join("elsewhere"));
        fs::rename(&here, &elsewhere).unwrap();
        if place.watch.events().is_some() {
            place.assert_noticed(&place.database, true);
        } else {
            place.watch.check().unwrap_err();
        }
        fs::rename(&elsewhere, &here).unwrap();
        place.watch.check().unwrap();
        place.watch.check_after_commit().unwrap();
        fs::remove_file(&place.database).unwrap();
        place.assert_noticed(&place.database, true);
    }
}

#[test]
fn place_3_another_folder_with_the_same_files_is_no_alarm_and_watched() {
    for (is_told, is_removed) in both([false, true]) {
        let place = Place::new(is_told);
        let (here, other) = (place.database.parent().unwrap(), place.folder.path().join("other"));
        fs::create_dir(&other).unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            fs::hard_link(here.join(name), other.join(name)).unwrap();
        }
        fs::rename(here, place.folder.path().join("elsewhere")).unwrap();
        if is_removed {
            fs::remove_dir_all(place.folder.path().join("elsewhere")).unwrap();
        }
        fs::rename(&other, here).unwrap();
        place.watch.check_after_commit().unwrap();
        fs::remove_file(&place.database).unwrap();
        if is_told || is_removed {
            place.assert_noticed(&place.database, true);
        } else {
            place.watch.check().unwrap_err();
        }
    }
}

#[test]
fn place_3_what_a_reader_was_told_is_not_lost_for_the_writer() {
    let place = Place::new(true);
    fs::remove_file(&place.database).unwrap();
    place.watch.check().unwrap_err();
    place.assert_noticed(&place.database, true);
}

/// More events than the kernel queues.
#[test]
#[cfg(target_os = "linux")]
fn place_3_a_burst_of_other_names_hides_nothing() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let place = Place::new(true);
    let names = [place.at("x"), place.at("y")];
    let burst = || {
        fs::write(&names[0], "").unwrap();
        // Two events each.
        for _ in 0..limit / 2 {
            fs::rename(&names[0], &names[1]).unwrap();
            fs::rename(&names[1], &names[0]).unwrap();
        }
    };
    burst();
    let mut looks = 0;
    while place.watch.events().unwrap().has_pending() {
        place.watch.check_after_commit().unwrap();
        looks += 1;
    }
    assert!((100..limit).contains(&looks), "{looks}");
    burst();
    fs::remove_file(&place.database).unwrap();
    place.assert_noticed(&place.database, true);
}

/// A link can be changed without an event in the folder of the file.
#[test]
#[cfg(unix)]
fn place_3_behind_a_link_files_are_looked_at() {
    let place = Place::new(false);
    let link = place.folder.path().join("link");
    std::os::unix::fs::symlink(place.folder.path().join("outer"), &link).unwrap();
    assert!(FolderEvents::of(&link.join("inner/a.db")).is_none());
}
