//! Files that are removed, and steps that are interrupted, in the middle of a group or of a
//! creation.

use std::fs;
use std::path::Path;

use custom_models_core::store::{ArchiveStore, OpenMode};

use super::partial_group::{copy_folder, half_a_write, is_as_it_was, killed, see};
use super::*;
use crate::database::watermark::WATERMARK;

#[cfg(unix)]
#[test]
fn place_3_a_store_that_goes_before_the_answer_leaves_the_outcome_unknown() {
    let (temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    let (folder, aside) = (temporary.path().join("store"), temporary.path().join("aside"));
    let (from, to) = (folder.clone(), aside.clone());
    recorder.at_next_sync(move || fs::rename(from, to).unwrap());
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::OutcomeUnknown));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Unavailable));
    assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Unavailable);
    // No new file is created in its place, and no other file is used.
    assert!(!folder.exists());
    copy_folder(&aside, &folder);
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Unavailable));
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    assert_eq!(ids(&store), [1, 2]);
    assert_eq!(create(&store, &recorder), Ok(3));
}

#[test]
fn place_1_half_a_group_is_read_as_if_it_was_taken_back_and_stays() {
    for half in [(0, &b"j"[..]), (1, b"m"), (1, b"g"), (2, b"j")] {
        let (temporary, _recorder, _store, before) = half_a_write(0, half);
        let folder = killed(&temporary);
        let bytes = |folder: &Path| fs::read(folder.join("db")).unwrap();
        let was = bytes(&folder);
        let store = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
        assert_eq!(see(&store), before, "{half:?}");
        assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "{half:?}");
        drop(store);
        assert!(bytes(&folder) == was);
        is_as_it_was(&SledStore::open(&folder).unwrap(), &before, "afterwards");
    }
}

/// The steps of a creation: the rows, the watermark, the marker.
#[test]
fn model_1_a_creation_is_finished_whatever_of_it_was_made() {
    for (has_watermark, mode) in [
        (false, OpenMode::Create),
        (true, OpenMode::Create),
        (true, OpenMode::Existing),
        (true, OpenMode::Current),
    ] {
        let (temporary, recorder, store) = store();
        assert_eq!(create(&store, &recorder), Ok(1));
        let identity = store.summary().unwrap().identity;
        store.close().unwrap();
        let folder = temporary.path().join("store");
        fs::write(folder.join("custom-models-sled"), "custom-models").unwrap();
        if !has_watermark {
            fs::remove_file(folder.join(WATERMARK)).unwrap();
        }
        let store = SledStore::open_as(&folder, mode).unwrap();
        assert_eq!(ids(&store), [1]);
        assert_eq!(store.summary().unwrap().identity, identity);
    }
}

/// A process killed while writing leaves a part of an unacknowledged message.
#[test]
fn model_6_a_log_that_is_torn_behind_the_watermark_is_opened() {
    let (temporary, recorder, store) = store();
    for id in 1..=3 {
        assert_eq!(create(&store, &recorder), Ok(id));
    }
    let folder = killed(&temporary);
    let log = folder.join("db");
    let whole = fs::read(&log).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    // What sled writes of a group, in part.
    assert_eq!(create(&store, &recorder), Ok(4));
    let grown = fs::read(temporary.path().join("store/db")).unwrap();
    let grown_to = grown.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut parts = 0;
    for length in (used..grown_to).step_by(7) {
        let (copy, part) = (temporary.path().join("copy"), &grown[..length]);
        copy_folder(&folder, &copy);
        fs::write(copy.join("db"), part).unwrap();
        let store = SledStore::open(&copy).unwrap();
        let found = ids(&store);
        assert!(found == [1, 2, 3] || found == [1, 2, 3, 4], "{found:?}");
        store.close().unwrap();
        fs::remove_dir_all(&copy).unwrap();
        parts += 1;
    }
    assert!(parts > 20, "{parts}");
}

/// A log is opened although its segment holds bytes of an earlier use after its end.
#[test]
fn model_6_a_log_with_something_old_behind_its_end_is_opened() {
    for is_closed in [false, true] {
        let (temporary, recorder, store) = store();
        assert_eq!(create(&store, &recorder), Ok(1));
        if is_closed {
            store.close().unwrap();
        }
        let folder = killed(&temporary);
        let log = folder.join("db");
        let mut bytes = fs::read(&log).unwrap();
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 8);
        bytes.resize(400_000, 0x55);
        fs::write(&log, bytes).unwrap();
        for mode in [OpenMode::ReadOnly, OpenMode::Existing] {
            assert_eq!(ids(&SledStore::open_as(&folder, mode).unwrap()), [1]);
        }
    }
}
