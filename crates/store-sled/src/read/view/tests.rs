use std::cell::Cell;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::*;
use crate::database::backend::Disk;
use crate::database::folder::Folder;
use crate::rows::overflow::Edits;
use crate::rows::write_set::WriteSet;

const VERSION: &[u8] = b"z";

#[test]
fn a_reading_that_a_write_came_between_is_not_believed() {
    let version = Cell::new(1);
    let read_version = || Ok(version.get());
    assert_eq!(read_if_unchanged(read_version, |before| before).unwrap(), Some(1));
    let disturbed = read_if_unchanged(read_version, |before| {
        version.set(2);
        before
    });
    assert_eq!(disturbed.unwrap(), None);
}

/// Replaces all values under `v` by values of these lengths, each filled with the last byte of its
/// length. Uses a thread of its own, so that a writer that waits for the reader fails instead of
/// hanging.
fn write(database: &Arc<Database>, lengths: &'static [usize]) {
    let database = Arc::clone(database);
    let (answer, answered) = mpsc::channel();
    let judge = move |db: &Db| {
        let (mut write_set, mut edits) = (WriteSet::default(), Edits::new());
        for key in write_set.rows(db, b"v")?.into_keys() {
            write_set.set(db, key, None)?;
        }
        for (number, length) in (0..).zip(lengths) {
            overflow::put(&mut edits, &[b'v', number], value(*length), None)?;
        }
        let version = write_set.row(db, VERSION)?.unwrap_or_default().len();
        edits.push((VERSION.to_vec(), Some(vec![0; version + 1])));
        write_set.set_all(db, edits)?;
        Ok(((), write_set))
    };
    thread::spawn(move || {
        let written = database.write_group(|| database.read(judge)).unwrap();
        answer.send(written.result.is_ok()).unwrap();
    });
    assert!(answered.recv_timeout(Duration::from_secs(60)).unwrap());
}

fn value(length: usize) -> Vec<u8> {
    vec![length.to_be_bytes()[7]; length]
}

fn database() -> (tempfile::TempDir, Arc<Database>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder =
        Folder::open(temporary.path(), custom_models_core::store::OpenMode::Create).unwrap();
    let database = Arc::new(Database::open(folder, Disk).unwrap());
    (temporary, database)
}

const FIRST: &[usize] = &[11_001, 7, 11_002];
const SECOND: &[usize] = &[6_003, 16_504, 16_505, 9];
const THIRD: &[usize] = &[5];

/// A read is consistent, although others write in the middle of the first and of the second
/// attempt.
#[test]
fn a_disturbed_reading_is_of_one_moment_with_the_values_whole() {
    let (_temporary, database) = database();
    write(&database, FIRST);
    let tries = Cell::new(0);
    let version = |db: &Db| Ok(call_sled(|| db.get(VERSION))?.map(|row| row.len()));
    let read = |version, view: &View| {
        tries.set(tries.get() + 1);
        let mut values = view.values(b"v".to_vec()..b"w".to_vec());
        let first = values.next().transpose()?;
        write(&database, if tries.get() == 1 { SECOND } else { THIRD });
        let rest: Result<Vec<_>, StoreError> = values.collect();
        let found = first.into_iter().chain(rest?).map(|(_, value)| value);
        Ok((version, found.collect::<Vec<_>>()))
    };
    let (version, found) = read_consistent(&database, b"v".to_vec(), version, read).unwrap();
    assert_eq!((tries.get(), version), (2, Some(2)));
    let expected: Vec<_> = SECOND.iter().map(|length| value(*length)).collect();
    assert!(found == expected);
}

#[test]
fn the_value_of_a_key_is_whole_while_others_write() {
    let (_temporary, database) = database();
    write(&database, FIRST);
    let writer = Arc::clone(&database);
    let writing = thread::spawn(move || {
        for _ in 0..20 {
            write(&writer, SECOND);
            write(&writer, FIRST);
        }
    });
    while !writing.is_finished() {
        let found = read_value(&database, &[b'v', 0]).unwrap().unwrap();
        let lengths = [FIRST[0], SECOND[0]];
        assert!(lengths.iter().any(|length| found == value(*length)), "{} bytes", found.len());
    }
    writing.join().unwrap();
    assert!(read_value(&database, &[b'v', 0]).unwrap().unwrap() == value(FIRST[0]));
    assert_eq!(read_value(&database, b"w").unwrap(), None);
}
