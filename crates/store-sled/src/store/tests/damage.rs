//! Damaged rows and counters in a group with intact ones.

use sled::Db;

use super::*;

/// Commits a group in which `acme`, with one model and this counter, writes, and another
/// organisation creates a model. Returns the error, the counter and the model of `acme`.
fn among_others(counter: &[u8], write: Write) -> (StoreErrorKind, Vec<u8>, bool) {
    let temporary = tempfile::tempdir().unwrap();
    let folder =
        Folder::open(temporary.path(), custom_models_core::store::OpenMode::Create).unwrap();
    let database = Arc::new(Database::open(folder, Recorder::default()).unwrap());
    let mut writer = Writer::new(Arc::clone(&database));
    writer.commit(&[Job::Model(creation(None))]).unwrap();
    database
        .read(|db| {
            db.insert("cacme", counter).unwrap();
            Ok(())
        })
        .unwrap();
    let other = Change::Create { model: new_model(), limit: Some(1) };
    let other = super::write("other".parse().unwrap(), other);
    let mut answers = writer.commit(&[Job::Model(write), Job::Model(other)]).unwrap().into_iter();
    let error = answers.next().unwrap().unwrap_err();
    let created = answers.next().unwrap().unwrap();
    assert!(matches!(created, JobOutcome::Model(Outcome::Created(_))), "{created:?}");
    let found = |db: &Db| {
        let counter = db.get("cacme").unwrap().unwrap().to_vec();
        let has_model = db.contains_key(b"macme\0\0\0\0\0\0\0\0\x01").unwrap();
        Ok((error.kind(), counter, has_model))
    };
    database.read(found).unwrap()
}

#[test]
fn a_model_that_is_not_counted_is_damage_and_stays() {
    let counter = Counter { models: 0, changes: 1 }.to_bytes();
    let expected = (StoreErrorKind::Damaged, counter.clone(), true);
    assert_eq!(among_others(&counter, deletion(1)), expected);
}

#[test]
fn a_counter_that_cannot_be_is_damage_to_its_organisation_alone() {
    for counter in [Counter { models: u64::MAX, changes: 1 }.to_bytes(), b"short".to_vec()] {
        let expected = (StoreErrorKind::Damaged, counter.clone(), true);
        assert_eq!(among_others(&counter, creation(None)), expected);
    }
}
