//! Tests of query plans: statements find their rows through an index, already sorted.

use std::time::Duration;

use custom_models_core::store::OpenMode;
use rusqlite::{Connection, StatementStatus};

use crate::file::open::StoreFile;
use crate::rows::admissions::{self, sweep};
use crate::rows::{access, data, events, idempotency, models};
use crate::schema::MIGRATIONS;

/// The query plan of a statement, which may neither scan a table nor sort.
fn plan(statement: &str) -> String {
    let file = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|migration| file.execute_batch(migration).unwrap());
    let mut explained = file.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let steps = explained.raw_query().mapped(|row| row.get::<_, String>(3));
    let plan = steps.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("; ");
    assert!(!plan.contains("SCAN"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    plan
}

#[track_caller]
fn goes_by(statement: &str, index: &str) {
    let plan = plan(statement);
    assert!(plan.contains(index), "{plan}");
}

#[test]
fn a_page_of_models_goes_by_the_organisation() {
    goes_by(models::PAGE, "INDEX models_of_organisation (organisation=? AND rowid>?)");
}

#[test]
fn trainings_that_wait_go_by_their_time() {
    goes_by(models::CLAIMABLE, "INDEX claimable_models (claimable_at<?)");
}

#[test]
fn events_go_by_organisation_and_position() {
    let index = "INDEX events_of_organisation (organisation=?";
    goes_by(events::PAGE, &format!("{index} AND position>?)"));
    goes_by(events::RECOMPUTE_PURGED, &format!("COVERING {index})"));
    goes_by(events::OLDEST, &format!("{index})"));
    goes_by(events::DELETE_UNTIL, &format!("{index} AND position<?)"));
}

#[test]
fn data_goes_by_its_model() {
    goes_by(data::PAGE, "PRIMARY KEY (organisation=? AND model=? AND id>?)");
}

#[test]
fn answers_go_by_a_hash_and_are_forgotten_by_their_time() {
    goes_by(idempotency::ONE, "INDEX answers_of_hash (hash=?)");
    goes_by(idempotency::REPLACE, "INDEX answers_of_hash (hash=?)");
    goes_by(idempotency::DELETE_EXPIRED, "INDEX answers_in_time (at<?)");
}

#[test]
fn admissions_go_by_their_window_and_their_time() {
    let window = "PRIMARY KEY (key=? AND operation=?";
    goes_by(admissions::NEWEST, &format!("windows USING {window})"));
    goes_by(admissions::FIRST_AFTER, &format!("{window} AND at>?)"));
    goes_by(admissions::DELETE_FIRST, &format!("{window} AND at<?)"));
    goes_by(sweep::NEXT_WINDOW, "PRIMARY KEY ((key,operation)>(?,?))");
}

/// Planning costs more than running most of these statements.
#[test]
fn a_statement_is_planned_once_whatever_is_bound_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.db");
    let file = StoreFile { path, busy_timeout: Duration::ZERO, is_read_only: false };
    let (writer, _) = file.open_for_writing(OpenMode::Create).unwrap();
    for connection in [writer, file.open_for_reading().unwrap()] {
        for statement in [access::GRANT, models::ONE] {
            let mut prepared = connection.prepare(statement).unwrap();
            for value in 0..3 {
                (1..=prepared.parameter_count())
                    .for_each(|at| prepared.raw_bind_parameter(at, value).unwrap());
                assert!(prepared.raw_query().next().unwrap().is_none());
            }
            assert_eq!(prepared.get_status(StatementStatus::RePrepare), 0, "{statement}");
        }
    }
}
