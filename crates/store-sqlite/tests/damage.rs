//! Damaged files cause errors, only for operations that need the damaged rows, and never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use custom_models_core::access::KeyDigest;
use custom_models_core::engine::Retention;
use custom_models_core::model::{DataType, Edit, Expected, LeaseTime};
use custom_models_core::request::ListData;
use custom_models_core::store::{AccessStore, ModelStore, StoreErrorKind, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, Engine, ListModels, Plan, Refusal, UpdateModel};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

use common::{
    NOW, acme, answer, answer_key, caller, create, create_at, edit_at, engine, engine_at_now, id,
    kind, moment, pair, place, request, running, sql, write,
};

#[test]
fn a_counter_below_its_rows_is_damage_of_that_organisation_alone() {
    let (_folder, path) = place();
    let engine = engine(&path);
    let id = engine.create(&caller(), request()).unwrap().id;
    let other = Caller::new("other".parse().unwrap(), Plan::enterprise());
    let others = engine.create(&other, request()).unwrap().id;
    sql(&path, "UPDATE organisations SET models = 0 WHERE organisation = 'acme'");
    assert_eq!(kind(engine.delete(&caller(), id).unwrap_err()), StoreErrorKind::Damaged);
    assert_eq!(engine.get(&caller(), id).unwrap().id, id);
    engine.delete(&other, others).unwrap();
}

#[test]
fn rows_against_the_rules_are_damage_and_not_models() {
    for damage in [
        "UPDATE models SET name = ' '",
        "UPDATE models SET name = CAST(x'ff' AS TEXT)",
        "UPDATE models SET language = 'xx'",
        "UPDATE models SET base_model = 'General'",
        "UPDATE models SET training_status = 6",
        "UPDATE models SET created_at = 9223372036854775807",
        "UPDATE models SET description = printf('%01001d', 0)",
        "UPDATE models SET beats = -1",
        "UPDATE models SET beats = 4294967296",
        "UPDATE models SET course = '{}'",
        "UPDATE models SET course = CAST(x'ff' AS TEXT)",
        "UPDATE models SET course = NULL",
        "UPDATE models SET training_status = 2",
        "UPDATE models SET claimable_at = NULL",
        "UPDATE models SET claimable_at = claimable_at + 1",
    ] {
        let (_folder, path) = place();
        let engine = engine_at_now(&path);
        let id = running(&engine, &caller()).id;
        sql(&path, damage);
        let refusal = engine.get(&caller(), id).unwrap_err();
        assert_eq!((refusal.status(), kind(refusal)), (500, StoreErrorKind::Damaged), "{damage}");
        let refusal = engine.list(&caller(), &ListModels::default()).unwrap_err();
        assert_eq!(kind(refusal), StoreErrorKind::Damaged, "{damage}");
    }
}

#[test]
fn a_training_that_waits_without_being_one_is_damage() {
    let (_folder, path) = place();
    engine_at_now(&path).create(&caller(), request()).unwrap();
    sql(&path, "UPDATE models SET claimable_at = 1");
    let claimable = SqliteStore::open(&path).unwrap().claimable(None, moment(NOW), 10);
    assert_eq!(claimable.unwrap_err().kind(), StoreErrorKind::Damaged);
}

#[test]
fn events_against_the_rules_are_damage() {
    for damage in [
        "UPDATE events SET actor = ''",
        "UPDATE events SET actor = 'two words'",
        "UPDATE events SET event = '{\"type\":\"sold\"}'",
        "UPDATE events SET event = 'created'",
        "UPDATE events SET created_at = 9223372036854775807",
        "UPDATE events SET model = 0",
        "DELETE FROM events WHERE position = 2",
        "UPDATE organisations SET events = 2",
        "UPDATE events SET position = position + 1 WHERE position = 3",
    ] {
        let (_folder, path) = place();
        let store = SqliteStore::open(&path).unwrap();
        for _ in 0..3 {
            store.apply(create_at(&acme(), NOW)).unwrap();
        }
        assert_eq!(store.events(&acme(), 0, 10).unwrap().events.len(), 3);
        sql(&path, damage);
        let events = store.events(&acme(), 0, 10);
        assert_eq!(events.unwrap_err().kind(), StoreErrorKind::Damaged, "{damage}");
    }
}

#[test]
fn data_against_the_rules_is_damage() {
    for damage in [
        "UPDATE data SET record = '{}'",
        "UPDATE data SET record = replace(record, '\"train\"', '\"exam\"')",
        "UPDATE data SET record = CAST(x'ff' AS TEXT)",
        "UPDATE data SET id = 2",
        "UPDATE data SET id = 4294967296",
    ] {
        let (_folder, path) = place();
        let engine = engine_at_now(&path);
        let id = running(&engine, &caller()).id;
        sql(&path, damage);
        let data = engine.data(&caller(), id, &ListData::default());
        assert_eq!(kind(data.unwrap_err()), StoreErrorKind::Damaged, "{damage}");
    }
}

#[test]
fn answers_against_the_rules_are_damage_to_read_and_to_repeat() {
    for damage in [
        "UPDATE answers SET status = 99",
        "UPDATE answers SET status = 66000",
        "UPDATE answers SET body = CAST(x'ff' AS TEXT)",
    ] {
        let (_folder, path) = place();
        let store = SqliteStore::open(&path).unwrap();
        let write = || Write { idempotency: answer("k"), ..write(&acme(), create(None)) };
        store.apply(write()).unwrap();
        assert!(store.idempotency_record(&acme(), &answer_key("k")).unwrap().is_some());
        sql(&path, damage);
        let read = store.idempotency_record(&acme(), &answer_key("k"));
        assert_eq!(read.unwrap_err().kind(), StoreErrorKind::Damaged, "{damage}");
        assert_eq!(store.apply(write()).unwrap_err().kind(), StoreErrorKind::Damaged, "{damage}");
    }
}

/// A pair under the number of the next one is not overwritten.
#[test]
fn data_that_is_there_already_is_damage_of_that_model_alone() {
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    let mut models = (0..2).map(|_| running(&engine, &caller()).id);
    let (first, second) = (models.next().unwrap(), models.next().unwrap());
    [first, second].into_iter().for_each(|id| {
        engine.cancel(&caller(), id, &Expected::Anything).unwrap();
    });
    sql(
        &path,
        "UPDATE data SET id = 2, record = replace(record, '\"id\":1', '\"id\":2') WHERE model = 1",
    );
    let add = |id| engine.add_data(&caller(), id, pair(DataType::Test), &Expected::Anything);
    let before = engine.get(&caller(), first).unwrap();
    let last = engine.events(&caller(), 0, 100).unwrap().last_position;
    assert_eq!(kind(add(first).unwrap_err()), StoreErrorKind::Damaged);
    assert_eq!(engine.get(&caller(), first).unwrap(), before);
    assert_eq!(engine.events(&caller(), 0, 100).unwrap().last_position, last);
    add(second).unwrap();
}

/// An unreadable row does not fail other writes in the same group.
#[test]
fn a_damaged_row_fails_its_own_write_and_no_other_of_the_group() {
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    let damaged = running(&engine, &caller());
    engine.close().unwrap();
    sql(&path, "UPDATE models SET beats = -1");
    let store = SqliteStore::open_with_busy_timeout(&path, Duration::from_secs(600)).unwrap();
    let (sender, answers) = channel();
    let submit = |write: Write| {
        let sender = sender.clone();
        store.submit(write, Box::new(move |it| sender.send(it.map_err(|it| it.kind())).unwrap()));
    };
    // While another process writes, the first is a group of its own and the others queue up.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    submit(create_at(&acme(), NOW));
    submit(create_at(&acme(), NOW));
    for edit in [Edit::Delete, Edit::Cancel] {
        submit(write(&acme(), edit_at(damaged.id, damaged.revision(), edit)));
    }
    submit(create_at(&acme(), NOW));
    other.execute_batch("ROLLBACK").unwrap();
    let answers: Vec<_> = (0..5).map(|_| answers.recv().unwrap().err()).collect();
    let told = Some(StoreErrorKind::Damaged);
    assert_eq!(answers, [None, None, told, told, None]);
    // Three events of the first model, and one a create.
    assert_eq!(store.events(&acme(), 0, 10).unwrap().last, 6);
}

/// Overwrites every part of a store's file in turn. Every operation then succeeds or fails with an
/// error, and none panics.
#[test]
fn a_damaged_file_gives_errors_and_no_panic() {
    let (folder, path) = place();
    let store = engine_at_now(&path);
    for _ in 0..40 {
        store.create(&caller(), request()).unwrap();
    }
    running(&store, &caller());
    store.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let write = Write { idempotency: answer("k"), ..write(&acme(), create(None)) };
    store.apply(write).unwrap();
    store.close().unwrap();
    let sound = fs::read(&path).unwrap();
    let mut told = 0;
    for (place, garbage) in
        (0..sound.len()).step_by(397).zip([0x00, 0xFF, 0x5A].into_iter().cycle())
    {
        let mut damaged = sound.clone();
        damaged.iter_mut().skip(place).take(60).for_each(|byte| *byte = garbage);
        let path = folder.path().join(format!("damaged-{place}.db"));
        fs::write(&path, damaged).unwrap();
        told += usize::from(ask_everything(&path).is_err());
        fs::remove_file(&path).unwrap();
    }
    for length in (1..sound.len()).step_by(2039) {
        let path = folder.path().join(format!("short-{length}.db"));
        fs::write(&path, sound.get(..length).unwrap()).unwrap();
        told += usize::from(ask_everything(&path).is_err());
    }
    assert!(told > 30, "only {told} damaged files were noticed");
}

fn ask_everything(path: &Path) -> Result<(), Refusal> {
    let store = SqliteStore::open(path)?;
    let answer = store.idempotency_record(&acme(), &answer_key("k"));
    store.close()?;
    let engine = Engine::new(Arc::new(SqliteStore::open(path)?), || {
        std::time::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() + 60 * 60 * 48)
    });
    let rename = UpdateModel::builder().name("other").build().unwrap();
    let done: [Result<(), Refusal>; 9] = [
        engine.create(&caller(), request()).map(drop),
        engine.list(&caller(), &ListModels::default()).map(drop),
        engine.get(&caller(), id(7)).map(drop),
        engine.update(&caller(), id(8), rename, &Expected::Anything).map(drop),
        engine.delete(&caller(), id(9)),
        engine.events(&caller(), 0, 100).map(drop),
        engine.data(&caller(), id(41), &ListData::default()).map(drop),
        engine.claim(&Actor::HOST, None, LeaseTime::default()).map(drop),
        engine.sweep(&Retention { events: Some(Duration::from_secs(60)) }).map(drop),
    ];
    engine.close()?;
    answer?;
    done.into_iter().collect()
}

#[test]
fn rows_of_access_that_cannot_be_are_damage() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let digest = KeyDigest::from_bytes([2; 32]);
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "INSERT INTO registrations (organisation, plan) VALUES ('acme', 'Gold');
        INSERT INTO keys (id, digest, organisation, scopes, created_at, expires_at, revoked_at)
            VALUES (zeroblob(6), zeroblob(32), 'acme', 'everything', 1, NULL, NULL);",
    )
    .unwrap();
    file.execute("UPDATE keys SET digest = ?1", [digest.as_bytes()]).unwrap();
    assert_eq!(store.key(&digest).unwrap_err().kind(), StoreErrorKind::Damaged);
    file.execute_batch("UPDATE keys SET scopes = '', expires_at = 9e15").unwrap();
    assert_eq!(store.key(&digest).unwrap_err().kind(), StoreErrorKind::Damaged);
    file.execute_batch("UPDATE keys SET expires_at = NULL").unwrap();
    assert!(store.key(&digest).unwrap().is_some());
    file.execute("UPDATE registrations SET plan = ''", []).unwrap();
    assert_eq!(store.key(&digest).unwrap_err().kind(), StoreErrorKind::Damaged);
    assert_eq!(store.registrations().unwrap_err().kind(), StoreErrorKind::Damaged);
}
