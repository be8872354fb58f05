//! The order of a commit's steps, and the answers when one of them fails.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use custom_models_core::field::Name;
use custom_models_core::model::{Edit, Expected, NewModel};
use custom_models_core::store::{
    Change, Completion, JobOutcome, Listing, ModelStore, Outcome, Selection, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{BaseModel, Language, ModelId, Organisation};
use custom_models_group_commit::Committer;
use tempfile::TempDir;

use super::*;
use crate::database::folder::Folder;
use crate::database::recorder::{Fault, Recorder};
use crate::rows::counters::{Counter, counter};

mod damage;
mod partial_group;
mod place;

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

/// A new store, with the steps of its creation discarded.
fn store() -> (TempDir, Recorder, Arc<SledStore>) {
    let temporary = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let folder = temporary.path().join("store");
    let store = SledStore::open_on(&folder, recorder.clone()).unwrap();
    assert_eq!(recorder.steps(), ["open", "apply", "flush", "sync"]);
    (temporary, recorder, Arc::new(store))
}

fn new_model() -> NewModel {
    NewModel {
        name: Name::new("Legal-NL-v2").unwrap(),
        description: None,
        language: Language::Nl,
        base_model: BaseModel::Legal,
        created_at: Timestamp::MIN,
    }
}

fn creation(limit: Option<u64>) -> Write {
    let model = new_model();
    write(acme(), Change::Create { model, limit })
}

fn deletion(id: u64) -> Write {
    let (edit, expected) = (Box::new(Edit::Delete), Expected::Anything);
    write(acme(), Change::Edit { id: ModelId::new(id).unwrap(), edit, expected })
}

fn write(organisation: Organisation, change: Change) -> Write {
    Write::new(organisation, Actor::HOST, UnixMillis::from_unix_millis(0), change)
}

fn submit(store: &SledStore, recorder: &Recorder, write: Write) -> Result<Outcome, StoreError> {
    let (answer, answered) = mpsc::channel();
    let recorder = recorder.clone();
    let done: Completion = Box::new(move |outcome| {
        recorder.note("answer");
        answer.send(outcome).unwrap();
    });
    store.submit(write, done);
    answered.recv().unwrap()
}

/// Creates a model, and returns its id or the kind of error.
fn create(store: &SledStore, recorder: &Recorder) -> Result<u64, StoreErrorKind> {
    match submit(store, recorder, creation(None)) {
        Ok(Outcome::Created(model)) => Ok(model.id.get()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.kind()),
    }
}

fn list(store: &SledStore) -> Result<Listing, StoreError> {
    let selection = Selection { limit: 100, ..Selection::default() };
    store.list(&acme(), &selection)
}

/// The ids of all models, after comparing their number with the counter.
fn ids(store: &SledStore) -> Vec<u64> {
    let Listing { models, total } = list(store).unwrap();
    assert_eq!(models.len() as u64, total);
    models.iter().map(|model| model.id.get()).collect()
}

#[test]
fn model_6_a_write_is_answered_after_it_was_applied_flushed_and_synced() {
    let (_temporary, recorder, store) = store();
    create(&store, &recorder).unwrap();
    assert_eq!(recorder.steps(), ["apply", "flush", "sync", "answer"]);
    submit(&store, &recorder, deletion(1)).unwrap();
    assert_eq!(recorder.steps(), ["apply", "flush", "sync", "answer"]);
}

/// Commits a group without errors.
fn commit(writer: &mut Writer, writes: Vec<Write>) -> Vec<Outcome> {
    let jobs: Vec<Job> = writes.into_iter().map(Job::Model).collect();
    let answers = writer.commit(&jobs).unwrap().into_iter().map(Result::unwrap);
    answers
        .map(|answer| match answer {
            JobOutcome::Model(outcome) => outcome,
            other => panic!("a write of models was answered by {other:?}"),
        })
        .collect()
}

#[test]
fn model_6_a_group_shares_one_sync() {
    let temporary = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let folder =
        Folder::open(temporary.path(), custom_models_core::store::OpenMode::Create).unwrap();
    let database = Arc::new(Database::open(folder, recorder.clone()).unwrap());
    let mut writer = Writer::new(Arc::clone(&database));
    recorder.steps();
    // Each write sees the effects of those before it, such as the room that a delete makes.
    let answers = commit(
        &mut writer,
        vec![
            creation(Some(2)),
            creation(Some(2)),
            creation(Some(2)),
            deletion(1),
            deletion(1),
            creation(Some(2)),
        ],
    );
    let first = ModelId::new(1).unwrap();
    let third = ModelId::new(3).unwrap();
    assert_eq!(answers[0], Outcome::Created(new_model().with_id(first)));
    assert_eq!(answers[2], Outcome::LimitReached { current: 2 });
    assert_eq!(answers[3], Outcome::Deleted);
    assert_eq!(answers[4], Outcome::NotFound);
    assert_eq!(answers[5], Outcome::Created(new_model().with_id(third)));
    assert_eq!(recorder.steps(), ["apply", "flush", "sync"]);
    let answers = commit(&mut writer, vec![deletion(3), deletion(3)]);
    assert_eq!(answers, [Outcome::Deleted, Outcome::NotFound]);
    // Lists use it to notice a write that came between.
    let counter = database.read(|db| counter(db, &acme())).unwrap();
    assert_eq!(counter, Counter { models: 1, changes: 5 });
}

#[test]
fn quota_3_a_refused_create_writes_nothing() {
    let (_temporary, recorder, store) = store();
    let answer = submit(&store, &recorder, creation(Some(0))).unwrap();
    assert_eq!(answer, Outcome::LimitReached { current: 0 });
    assert_eq!(recorder.steps(), ["answer"]);
}

#[test]
fn model_6_a_failed_sync_leaves_the_outcome_unknown_and_opens_anew() {
    let (_temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    recorder.steps();
    recorder.tell("sync", Fault::Fails(StoreErrorKind::Failed));
    let unknown = Err(StoreErrorKind::OutcomeUnknown);
    assert_eq!(create(&store, &recorder), unknown);
    assert_eq!(recorder.steps(), ["apply", "flush", "sync", "answer"]);
    let next = create(&store, &recorder).unwrap();
    assert!(next > 2, "id {next} may have been seen before");
    assert_eq!(recorder.steps(), ["open", "apply", "flush", "sync", "answer"]);
    // The group of the failed sync was applied, and not rolled back.
    assert_eq!(ids(&store), [1, 2, next]);
}

/// The log is rewritten after a failed sync. Otherwise the next sync would succeed without the part
/// that the failed one left out. A full disk needs no rewriting.
#[test]
fn model_6_the_log_is_written_again_after_a_failed_sync() {
    for (step, kind) in [("sync", StoreErrorKind::Failed), ("flush", StoreErrorKind::Full)] {
        let (temporary, recorder, store) = store();
        recorder.tell(step, Fault::Fails(kind));
        if step == "flush" {
            // Keeps the database closed: after a failed flush it would be reopened at once.
            recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
        }
        let unknown = Err(StoreErrorKind::OutcomeUnknown);
        assert_eq!(create(&store, &recorder), unknown);
        let log = temporary.path().join("store/db");
        let is_written_at_opening = || {
            let log = std::fs::File::options().write(true).open(&log).unwrap();
            log.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Full);
            log.metadata().unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH
        };
        recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
        assert_eq!(is_written_at_opening(), step == "sync");
        // Once is enough.
        recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
        assert!(!is_written_at_opening());
        assert_eq!(ids(&store), [1]);
    }
}

#[test]
fn model_6_a_group_that_was_not_applied_is_not_made() {
    let (_temporary, recorder, store) = store();
    for kind in [StoreErrorKind::Full, StoreErrorKind::Damaged] {
        recorder.tell("apply", Fault::Fails(kind));
        assert_eq!(create(&store, &recorder), Err(kind));
        // The answer depends on what is found after reopening.
        assert_eq!(recorder.steps(), ["apply", "open", "answer"]);
        assert_eq!(ids(&store), [0; 0]);
    }
    assert_eq!(create(&store, &recorder), Ok(3));
    assert_eq!(ids(&store), [3]);
}

#[test]
fn model_6_a_group_that_was_not_flushed_and_is_not_found_is_not_made() {
    let (_temporary, recorder, store) = store();
    recorder.tell("apply", Fault::Lies);
    recorder.tell("flush", Fault::Fails(StoreErrorKind::Full));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Full));
    assert_eq!(recorder.steps(), ["apply", "flush", "open", "answer"]);
    assert_eq!(ids(&store), [0; 0]);
    assert_eq!(create(&store, &recorder), Ok(2));
}

#[test]
fn model_6_a_group_that_is_found_although_its_flush_failed_is_made() {
    let (_temporary, recorder, store) = store();
    recorder.tell("flush", Fault::Fails(StoreErrorKind::Failed));
    // Closing the database wrote it, and opening it synced it.
    assert_eq!(create(&store, &recorder), Ok(1));
    assert_eq!(recorder.steps(), ["apply", "flush", "open", "answer"]);
    assert_eq!(ids(&store), [1]);
}

#[test]
fn model_6_half_a_group_is_taken_back() {
    let (_temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    recorder.steps();
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Damaged, 1, b"c"));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Damaged));
    assert_eq!(recorder.steps(), ["apply", "open", "apply", "flush", "sync", "answer"]);
    assert_eq!(ids(&store), [1]);
    assert_eq!(create(&store, &recorder), Ok(3));
    assert_eq!(create(&store, &recorder), Ok(4));
    assert_eq!(ids(&store), [1, 3, 4]);
}

#[test]
fn model_6_half_a_group_is_taken_back_before_the_next_group_at_the_latest() {
    let (_temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Damaged, 1, b"c"));
    recorder.tell("apply", Fault::Fails(StoreErrorKind::Full));
    recorder.tell("apply", Fault::Fails(StoreErrorKind::Full));
    let unknown = Err(StoreErrorKind::OutcomeUnknown);
    assert_eq!(create(&store, &recorder), unknown);
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Full));
    assert_eq!(create(&store, &recorder), Ok(3));
    assert_eq!(create(&store, &recorder), Ok(4));
    assert_eq!(ids(&store), [1, 3, 4]);
}

#[test]
fn a_database_that_cannot_be_opened_anew_is_tried_again_by_whoever_comes() {
    let (_temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    recorder.tell("flush", Fault::Fails(StoreErrorKind::Full));
    for kind in [StoreErrorKind::Full, StoreErrorKind::Full, StoreErrorKind::Failed] {
        recorder.tell("open", Fault::Fails(kind));
    }
    recorder.steps();
    // Nothing tells whether the group is there.
    let unknown = Err(StoreErrorKind::OutcomeUnknown);
    assert_eq!(create(&store, &recorder), unknown);
    assert_eq!(recorder.steps(), ["apply", "flush", "open", "answer"]);
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Full));
    assert_eq!(recorder.steps(), ["open", "answer"]);
    assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Failed);
    assert_eq!(recorder.steps(), ["open"]);
    // The first reader opens it, and everything works again.
    let id = ModelId::new(1).unwrap();
    assert!(store.get(&acme(), id).unwrap().is_some());
    assert_eq!(recorder.steps(), ["open"]);
    assert_eq!(create(&store, &recorder), Ok(3));
    assert_eq!(recorder.steps(), ["apply", "flush", "sync", "answer"]);
}

#[test]
fn a_broken_database_stays_locked_and_can_be_closed() {
    let (temporary, recorder, store) = store();
    recorder.tell("sync", Fault::Fails(StoreErrorKind::Failed));
    let unknown = Err(StoreErrorKind::OutcomeUnknown);
    assert_eq!(create(&store, &recorder), unknown);
    // It still belongs to this store.
    let other = SledStore::open(temporary.path().join("store")).err().unwrap();
    assert_eq!(other.kind(), StoreErrorKind::Locked);
    store.close().unwrap();
    assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Closed);
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Closed));
    SledStore::open(temporary.path().join("store")).unwrap();
}

#[test]
fn a_store_whose_creation_fails_can_be_created_again() {
    for step in ["open", "apply", "flush", "sync"] {
        let temporary = tempfile::tempdir().unwrap();
        let recorder = Recorder::default();
        recorder.tell(step, Fault::Fails(StoreErrorKind::Full));
        let refused = SledStore::open_on(temporary.path(), recorder).err();
        assert_eq!(refused.unwrap().kind(), StoreErrorKind::Full, "{step}");
        let store = SledStore::open(temporary.path()).unwrap();
        assert_eq!(create(&store, &Recorder::default()), Ok(1), "{step}");
    }
}

/// Reads in a thread of its own, so that a read that waits for the sync fails instead of hanging.
#[test]
fn reads_do_not_wait_for_a_sync() {
    let (_temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    let (found, findings) = mpsc::channel();
    let reader = Arc::clone(&store);
    recorder.at_next_sync(move || {
        let (answer, answered) = mpsc::channel();
        thread::spawn(move || {
            let model = reader.get(&acme(), ModelId::new(1).unwrap()).unwrap();
            let first = ids(&reader).first().copied();
            // A list that is disturbed takes this lock.
            drop(reader.database.block_writer());
            answer.send((model.is_some(), first)).unwrap();
        });
        let answer = answered.recv_timeout(Duration::from_secs(60));
        found.send(answer).unwrap();
    });
    assert_eq!(create(&store, &recorder), Ok(2));
    assert_eq!(findings.try_recv().unwrap(), Ok((true, Some(1))));
}
