//! Tests of the rows that a snapshot shows while writes go on.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use custom_models_core::field::Name;
use custom_models_core::model::{Edit, Expected, NewModel};
use custom_models_core::store::{Change, Job, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, Language, ModelId, Organisation};
use custom_models_group_commit::Committer;

use super::*;
use crate::database::backend::Disk;
use crate::database::folder::Folder;
use crate::rows::counters::{Counter, counter};
use crate::rows::keys::{id_of, model_key, model_keys, models_of};
use crate::write::writer::Writer;

fn organisation(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn creations(name: &str, number: usize) -> Vec<Write> {
    let model = NewModel {
        name: Name::new("Legal-NL-v2").unwrap(),
        description: None,
        language: Language::Nl,
        base_model: BaseModel::Legal,
        created_at: Timestamp::MIN,
    };
    let change = Change::Create { model, limit: None };
    vec![write(name, change); number]
}

fn deletion(id: u64) -> Write {
    let id = ModelId::new(id).unwrap();
    let (edit, expected) = (Box::new(Edit::Delete), Expected::Anything);
    write("acme", Change::Edit { id, edit, expected })
}

fn write(name: &str, change: Change) -> Write {
    let at = custom_models_core::time::UnixMillis::from_unix_millis(0);
    Write::new(organisation(name), Actor::HOST, at, change)
}

fn jobs(writes: Vec<Write>) -> Vec<Job> {
    writes.into_iter().map(Job::Model).collect()
}

/// A snapshot of an organisation's models, with their counter.
fn open<'a>(
    database: &'a Database,
    db: &'a Db,
    name: &str,
) -> Result<(Snapshot<'a>, Counter), StoreError> {
    let organisation = organisation(name);
    let models = models_of(name.as_bytes()).start;
    Snapshot::open(database, db, vec![models], || counter(db, &organisation))
}

fn id((key, _): (Vec<u8>, Vec<u8>)) -> u64 {
    id_of(&key).unwrap().get()
}

/// A database in which `acme` has models with the ids from 1 on, and its writer.
fn database(models: usize) -> (tempfile::TempDir, Arc<Database>, Arc<Mutex<Writer>>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder =
        Folder::open(temporary.path(), custom_models_core::store::OpenMode::Create).unwrap();
    let database = Arc::new(Database::open(folder, Disk).unwrap());
    let mut writer = Writer::new(Arc::clone(&database));
    writer.commit(&jobs(creations("acme", models))).unwrap();
    (temporary, database, Arc::new(Mutex::new(writer)))
}

/// Commits in a thread of its own, so that a writer that waits for the reader fails instead of
/// hanging.
fn commit(writer: &Arc<Mutex<Writer>>, writes: Vec<Write>) {
    let (answer, answered) = mpsc::channel();
    let writer = Arc::clone(writer);
    thread::spawn(move || answer.send(writer.lock().unwrap().commit(&jobs(writes))).unwrap());
    let answers = answered.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    assert!(answers.iter().all(Result::is_ok));
}

#[test]
fn a_moment_shows_what_was_there_whatever_is_written_meanwhile() {
    let models = CHUNK * 2 + 10;
    let (_temporary, database, writer) = database(models);
    let acme = organisation("acme");
    let last = models as u64;
    database
        .read(|db| {
            let (snapshot, _) = open(&database, db, "acme")?;
            let mut rows = snapshot.rows(model_keys(&acme, None));
            assert_eq!(rows.next().unwrap().map(id)?, 1);
            // Before, at and after the position of the reader, and at its end.
            commit(&writer, [1, 2, 300, 301, last].map(deletion).into());
            commit(&writer, creations("acme", 3));
            // A row that changes twice keeps its first old value.
            commit(&writer, vec![deletion(last + 1)]);
            commit(&writer, creations("other", 3));
            assert!(snapshot.row(&model_key(&acme, 1))?.is_some());
            assert!(snapshot.row(&model_key(&acme, last + 2))?.is_none());
            let rest: Result<Vec<u64>, StoreError> = rows.map(|row| row.map(id)).collect();
            assert_eq!(rest?, Vec::from_iter(2..=last));
            // The next snapshot has them.
            let (snapshot, counter) = open(&database, db, "acme")?;
            let ids: Result<Vec<u64>, StoreError> =
                snapshot.rows(model_keys(&acme, None)).map(|row| row.map(id)).collect();
            assert_eq!(ids?.len(), models - 5 + 2);
            assert_eq!(counter.models, last - 5 + 2);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_moment_goes_on_where_a_whole_piece_was_created_after_it() {
    let (_temporary, database, writer) = database(1);
    let acme = organisation("acme");
    database
        .read(|db| {
            let (snapshot, _) = open(&database, db, "acme")?;
            commit(&writer, creations("acme", CHUNK * 3));
            assert_eq!(snapshot.rows(model_keys(&acme, None)).count(), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn only_what_changes_of_the_organisation_is_kept_and_only_for_as_long_as_it_is_read() {
    let (_temporary, database, writer) = database(2);
    let kept = || database.block_writer().rows_kept();
    database
        .read(|db| {
            let (snapshot, _) = open(&database, db, "acme")?;
            commit(&writer, creations("acm", 2));
            commit(&writer, creations("acme-2", 2));
            assert_eq!(kept(), [0]);
            commit(&writer, vec![deletion(1)]);
            assert_eq!(kept(), [1]);
            drop(snapshot);
            assert_eq!(kept(), [0; 0]);
            Ok(())
        })
        .unwrap();
}
