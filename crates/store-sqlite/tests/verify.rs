//! `verify` finds damage that no record shows, and most single flipped bits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::access::{KeyDigest, KeyId, KeyRecord, Scope};
use custom_models_core::model::Expected;
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveChange, ArchiveStore, Audit, ModelStore,
    OpenMode, Record, Registration, Write,
};
use custom_models_core::{Engine, ModelId, UpdateModel};
use custom_models_store_sqlite::SqliteStore;

use common::{
    NOW, acme, answer, caller, create_at, engine_at_now, moment, place, request, running, sql,
};

/// A store with every kind of record.
fn store() -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = place();
    let engine = engine_at_now(&path);
    for _ in 0..10 {
        engine.create(&caller(), request()).unwrap();
    }
    running(&engine, &caller());
    engine.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let write = Write { idempotency: answer("k"), ..create_at(&acme(), NOW) };
    store.apply(write).unwrap();
    store.close().unwrap();
    sql(
        &path,
        "INSERT INTO registrations (organisation, plan) VALUES ('acme', 'Gold');
        INSERT INTO keys (id, digest, organisation, scopes, created_at, expires_at, revoked_at)
            VALUES (zeroblob(6), zeroblob(32), 'acme', 'custom_models:read', 1800000000, NULL, NULL);",
    );
    (folder, path)
}

fn verified(path: &Path) -> Vec<String> {
    SqliteStore::open_as(path, OpenMode::ReadOnly).unwrap().verify().unwrap()
}

#[test]
fn a_sound_store_has_no_findings() {
    let (_folder, path) = store();
    assert_eq!(verified(&path), [""; 0]);
}

#[test]
fn what_is_not_as_it_was_made_is_found() {
    for (damage, finding) in [
        ("DROP INDEX models_of_organisation", "the index models_of_organisation is missing"),
        ("DROP TABLE admissions", "the table admissions is missing"),
        ("CREATE TABLE notes (text TEXT)", "the table notes is none of a store's"),
        (
            "CREATE TRIGGER t AFTER INSERT ON models BEGIN SELECT 1; END",
            "the trigger t is none of a store's",
        ),
        (
            "DROP INDEX answers_in_time; CREATE INDEX answers_in_time ON answers (status)",
            "the index answers_in_time is not as it was made",
        ),
        ("ALTER TABLE data ADD COLUMN more TEXT", "the table data is not as it was made"),
        ("UPDATE answers SET hash = hash + 1", "acme: the answer 1 has a hash of another key"),
        ("UPDATE sequence SET last_id = 3", "the last id is lower than that of model 12"),
        ("DELETE FROM store", "the table store has not one row"),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM registrations",
            "SQLite: a row of keys refers to none of registrations",
        ),
        (
            "PRAGMA ignore_check_constraints = ON; UPDATE organisations SET purged = 100",
            "SQLite: CHECK constraint failed in organisations",
        ),
    ] {
        let (_folder, path) = store();
        sql(&path, damage);
        assert_eq!(verified(&path), [finding], "{damage}");
    }
}

/// Changes that leave every record valid and consistent.
#[test]
fn a_row_that_is_not_as_it_was_written_is_found() {
    for (damage, finding) in [
        ("UPDATE registrations SET plan = 'Golf'", "zebra: the registration"),
        ("UPDATE keys SET expires_at = 1", "zebra: the key 010101010101"),
        ("UPDATE models SET name = 'another' WHERE id = 3", "acme: model 3"),
        ("UPDATE models SET description = NULL WHERE id = 3", "acme: model 3"),
        ("UPDATE models SET language = 'fr' WHERE id = 3", "acme: model 3"),
        ("UPDATE data SET record = replace(record, 'wav', 'wax')", "acme: data 1 of model 11"),
        ("UPDATE events SET actor = 'nobody' WHERE position = 2", "acme: event 2"),
        ("UPDATE answers SET body = body || ' '", "acme: the answer 1"),
    ] {
        let (_folder, path) = store();
        let store = SqliteStore::open(&path).unwrap();
        registered(&store);
        let request = UpdateModel::builder().name("as it is").description("a text").build();
        let engine = Engine::new(Arc::new(store), SystemTime::now);
        let id = ModelId::new(3).unwrap();
        engine.update(&caller(), id, request.unwrap(), &Expected::Anything).unwrap();
        engine.close().unwrap();
        assert_eq!(verified(&path), [""; 0]);
        sql(&path, damage);
        assert_eq!(verified(&path), [format!("{finding} is not as it was written")], "{damage}");
    }
}

/// An organisation, put on another plan, with a key that was revoked: rows that were changed after they were made.
fn registered(store: &SqliteStore) {
    let key = KeyRecord {
        id: KeyId::from_bytes([1; 6]),
        digest: KeyDigest::from_bytes([1; 32]),
        organisation: "zebra".parse().unwrap(),
        scopes: Scope::ALL.into_iter().collect(),
        created_at: moment(NOW).into(),
        expires_at: None,
        revoked_at: None,
    };
    let registration = |plan: &str| Registration {
        organisation: "zebra".parse().unwrap(),
        plan: plan.parse().unwrap(),
    };
    for change in [
        AccessChange::Register(registration("Gold")),
        AccessChange::SetPlan(registration("Enterprise")),
        AccessChange::AddKey(key.clone()),
        AccessChange::RevokeKey { id: key.id, at: moment(NOW).into() },
    ] {
        assert_eq!(store.apply_access(change).unwrap(), AccessOutcome::Done);
    }
}

/// A row without a checksum is older than checksums.
#[test]
fn every_row_that_is_written_has_a_checksum() {
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    running(&engine, &caller());
    engine.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.apply(Write { idempotency: answer("k"), ..create_at(&acme(), NOW) }).unwrap();
    registered(&store);
    let mut records = Vec::new();
    let mut keep = |record| {
        records.push(record);
        Ok(())
    };
    store.export(&mut keep).unwrap();
    store.close().unwrap();
    let (_other_folder, other) = place();
    let brought = SqliteStore::open(&other).unwrap();
    brought.archive(ArchiveChange::Import(records)).unwrap();
    brought.close().unwrap();
    for path in [path, other] {
        assert_eq!(verified(&path), [""; 0]);
        let file = rusqlite::Connection::open(&path).unwrap();
        for table in ["registrations", "keys", "models", "data", "events", "answers"] {
            let count = format!("SELECT count(*), count(checksum) FROM {table}");
            let counts = file.query_row(&count, [], |row| Ok((row.get(0)?, row.get(1)?)));
            let (rows, with): (u64, u64) = counts.unwrap();
            assert!(rows > 0 && rows == with, "{table}: {with} of {rows}");
        }
    }
}

/// A row missing from its index, as a misplaced page write leaves it.
#[test]
fn an_index_without_its_rows_is_found() {
    let (_folder, path) = store();
    sql(
        &path,
        "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX claimable_models ON models (claimable_at)'
            WHERE name = 'claimable_models';",
    );
    let findings = verified(&path);
    assert!(findings.len() > 2, "{findings:?}");
    assert!(findings[0].contains("claimable_models is not as it was made"), "{findings:?}");
    assert!(findings.iter().any(|it| it.contains("missing from index")), "{findings:?}");
}

/// The records of an export, or why there is none; and whether anything was found that is wrong.
fn checked(path: &Path) -> (Option<Vec<Record>>, bool) {
    let mut records = Vec::new();
    let mut looked = || -> Result<bool, custom_models_core::store::StoreError> {
        let store = SqliteStore::open_as(path, OpenMode::ReadOnly)?;
        let mut audit = Audit::default();
        store.export(&mut |record| {
            audit.look(&record);
            records.push(record);
            Ok(())
        })?;
        Ok(!audit.findings().is_empty() || !store.verify()?.is_empty())
    };
    match looked() {
        Ok(is_found) => (Some(records), is_found),
        Err(_) => (None, true),
    }
}

/// Flips single bits of a small store. What becomes of each is one of three: nothing that a record shows, a
/// finding, or a record that says something else without a finding. The README of this crate has the figures
/// that this prints for one bit of 61 (`CUSTOM_MODELS_FLIPS=61`).
#[test]
fn few_bits_flip_unseen() {
    let step = std::env::var("CUSTOM_MODELS_FLIPS").map_or(509, |step| step.parse().unwrap());
    let (folder, path) = store();
    let sound = fs::read(&path).unwrap();
    let (before, is_found) = checked(&path);
    assert!(!is_found, "{:?}", common::findings(&SqliteStore::open(&path).unwrap()));
    let damaged = folder.path().join("damaged.db");
    let (mut flips, mut found, mut unseen) = (0_u32, 0_u32, 0_u32);
    for bit in (0..sound.len() * 8).step_by(step) {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&damaged, bytes).unwrap();
        let (after, is_found) = checked(&damaged);
        flips += 1;
        found += u32::from(is_found);
        unseen += u32::from(!is_found && after != before);
        // Left by whoever could not close what he could not read.
        let _ = fs::remove_file(folder.path().join("damaged.db-wal"));
        let _ = fs::remove_file(folder.path().join("damaged.db-shm"));
    }
    println!("{flips} flips, {found} found, {unseen} changed a record unseen");
    assert!(flips > 500 && found > flips / 50, "{flips} flips, {found} found");
    assert!(unseen <= flips / 1000, "{unseen} of {flips}");
}
