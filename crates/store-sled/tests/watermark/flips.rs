//! Flipped bits in the files of a store.

use super::*;

/// The step at which a flipped bit was noticed, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Opening,
    Verifying,
    Reading,
    /// Never: every read returns the old contents.
    Harmless,
    /// Never, although a read returns something else.
    Unseen,
}

fn look(folder: &Path, expected: &str) -> Seen {
    let Ok(store) = SledStore::open_as(folder, OpenMode::ReadOnly) else { return Seen::Opening };
    match store.verify() {
        Ok(findings) if findings.is_empty() => {}
        _ => return Seen::Verifying,
    }
    let mut lines = String::new();
    let shown = store.export(&mut |record| {
        lines.push_str(&serde_json::to_string(&record).unwrap());
        lines.push('\n');
        Ok(())
    });
    match shown {
        Err(_) => Seen::Reading,
        Ok(()) if lines == expected => Seen::Harmless,
        Ok(()) => Seen::Unseen,
    }
}

/// Flips bits of a small store, `apart` bytes apart, and counts what became of them.
fn flip(apart: usize, is_opened_again: bool) -> BTreeMap<Seen, usize> {
    let (temporary, sound) = folder();
    if is_opened_again {
        SledStore::open(&sound).unwrap().close().unwrap();
    }
    let expected = export(&SledStore::open_as(&sound, OpenMode::ReadOnly).unwrap());
    let mut seen = BTreeMap::new();
    let mut number = 0;
    for (path, bytes) in contents(&sound) {
        if bytes.is_empty() {
            continue;
        }
        let damaged = temporary.path().join("damaged");
        for place in (0..used(&bytes)).step_by(apart) {
            // Skip the gap between the two slots of the watermark.
            if path.ends_with(WATERMARK) && (76..4096).contains(&place) {
                continue;
            }
            copy(&sound, &damaged);
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (number % 8);
            number += 1;
            fs::write(damaged.join(path.strip_prefix(&sound).unwrap()), flipped).unwrap();
            let what = look(&damaged, &expected);
            *seen.entry(what).or_default() += 1;
            if what == Seen::Unseen {
                eprintln!("unseen: byte {place} of {}", path.display());
            }
            fs::remove_dir_all(&damaged).unwrap();
        }
    }
    eprintln!("{number} single flips, {apart} bytes apart, {is_opened_again}: {seen:?}");
    seen
}

/// No snapshot covers the log of a store that was opened once; one covers it after a second
/// opening.
#[test]
fn model_1_no_single_flip_in_a_small_store_is_unseen() {
    for is_opened_again in [false, true] {
        let seen = flip(61, is_opened_again);
        assert_eq!(seen.get(&Seen::Unseen), None, "{seen:?}");
        assert!(seen.get(&Seen::Opening) > Some(&20), "{seen:?}");
    }
}

/// The figures of the README.
#[test]
#[ignore = "takes minutes"]
fn every_single_byte_of_a_small_store() {
    for is_opened_again in [false, true] {
        assert_eq!(flip(1, is_opened_again).get(&Seen::Unseen), None);
    }
}

/// Commits a group, and waits until the watermark has it.
fn raise(store: &SledStore, folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    create(store, "last").unwrap();
    // The first group of a store is its creation, and each model is one.
    let groups = 1 + list(store).unwrap().total;
    while knows(folder) < groups {
        assert!(Instant::now() < deadline, "the watermark was not raised");
    }
}

/// The last messages of a log remove a journal. Without them an acknowledged group would be rolled
/// back.
#[test]
fn model_1_a_flip_in_the_last_group_is_seen_and_nothing_is_overwritten() {
    for is_closed in [true, false] {
        let (temporary, folder) = folder();
        let killed = temporary.path().join("killed");
        if !is_closed {
            let store = SledStore::open(&folder).unwrap();
            raise(&store, &folder);
            copy(&folder, &killed);
            store.close().unwrap();
        }
        let folder = if is_closed { folder } else { killed };
        let sound = fs::read(folder.join("db")).unwrap();
        let used = used(&sound);
        for place in (used - 150..used).step_by(10) {
            let mut flipped = sound.clone();
            flipped[place] ^= 1;
            fs::write(folder.join("db"), flipped).unwrap();
            is_damaged(&folder);
        }
        fs::write(folder.join("db"), &sound).unwrap();
        let total = if is_closed { 6 } else { 7 };
        assert_eq!(list(&SledStore::open(&folder).unwrap()).unwrap().total, total);
    }
}

/// The number of the last group in the watermark.
fn knows(folder: &Path) -> u64 {
    let bytes = fs::read(folder.join(WATERMARK)).unwrap();
    let number = |place: usize| u64::from_be_bytes(bytes[place..place + 8].try_into().unwrap());
    number(32).max(number(4096 + 32))
}

/// A store whose log has several segments that no snapshot covers.
fn large_folder() -> (tempfile::TempDir, PathBuf, u64) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    for number in 0..480 {
        let mut model = common::new_model(&format!("model {number}"));
        model.description = Some(Description::new("x".repeat(1000)).unwrap());
        let change = Change::Create { model, limit: None };
        common::submit(&store, change).unwrap().unwrap();
    }
    raise(&store, &folder);
    let killed = temporary.path().join("killed");
    copy(&folder, &killed);
    let total = list(&store).unwrap().total;
    store.close().unwrap();
    (temporary, folder, total)
}

/// Sled skips a broken message in the middle of its log, and loses its contents.
#[test]
fn model_1_a_flip_in_the_middle_of_a_long_log_is_seen() {
    for is_closed in [true, false] {
        let (temporary, folder, total) = large_folder();
        let folder = if is_closed { folder } else { temporary.path().join("killed") };
        let sound = fs::read(folder.join("db")).unwrap();
        assert!(sound.len() > 2 << 20, "{} bytes", sound.len());
        let expected = export(&SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap());
        let (mut opened, mut places) = (0, 0);
        for segment in 0..sound.len() / SEGMENT - 1 {
            for place in [2, SEGMENT / 2] {
                let mut flipped = sound.clone();
                flipped[segment * SEGMENT + place] ^= 1;
                fs::write(folder.join("db"), flipped).unwrap();
                places += 1;
                match SledStore::open_as(&folder, OpenMode::ReadOnly) {
                    Err(_) => drop(is_damaged(&folder)),
                    Ok(store) => {
                        // Every row that is there is unchanged.
                        assert!(!is_closed, "byte {place} of segment {segment}");
                        assert!(export(&store) == expected, "byte {place} of segment {segment}");
                        opened += 1;
                    }
                }
            }
        }
        eprintln!(
            "{places} flips in the middle of a long log, closed: {is_closed}: {opened} opened"
        );
        fs::write(folder.join("db"), &sound).unwrap();
        assert_eq!(list(&SledStore::open(&folder).unwrap()).unwrap().total, total);
    }
}

/// Sled reads such a segment only on demand.
#[test]
fn a_flip_in_a_segment_that_a_snapshot_covers_is_seen_by_who_looks_at_all_rows() {
    let (temporary, sound, _) = large_folder();
    SledStore::open(&sound).unwrap().close().unwrap();
    let expected = export(&SledStore::open_as(&sound, OpenMode::ReadOnly).unwrap());
    let bytes = fs::read(sound.join("db")).unwrap();
    let damaged = temporary.path().join("damaged");
    copy(&sound, &damaged);
    let mut seen = BTreeMap::new();
    for place in (SEGMENT / 3..bytes.len() - SEGMENT).step_by(SEGMENT / 7) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        fs::write(damaged.join("db"), flipped).unwrap();
        *seen.entry(look(&damaged, &expected)).or_insert(0) += 1;
    }
    assert!(seen.contains_key(&Seen::Verifying), "{seen:?}");
    assert!(!seen.contains_key(&Seen::Unseen), "{seen:?}");
}
