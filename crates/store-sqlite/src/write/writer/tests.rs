use std::fs;
use std::path::Path;
use std::time::Duration;

use custom_models_core::CreateModel;
use custom_models_core::access::{Operation, RateLimit, RateLimitStatus, Window, WindowKey};
use custom_models_core::store::{AccessChange, AccessOutcome, Change, Purge, Purged, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};

use super::*;

fn open(path: &Path) -> Writer {
    let busy_timeout = Duration::from_secs(600);
    let file = StoreFile { path: path.to_owned(), busy_timeout, is_read_only: false };
    Writer::open(file, OpenMode::Create).unwrap()
}

fn create() -> Job {
    let request = CreateModel::builder().name("n").language("en").build().unwrap();
    let created_at = Timestamp::from_unix_seconds(0).unwrap();
    let change = Change::Create { model: request.into_new_model(created_at), limit: None };
    let at = UnixMillis::from_unix_millis(0);
    Job::Model(Write::new("acme".parse().unwrap(), Actor::HOST, at, change))
}

#[test]
fn a_write_that_the_queue_does_not_answer_says_why() {
    let kind = |why| Writer::unanswered(why).kind();
    assert_eq!(kind(Unanswered::Busy), StoreErrorKind::Busy);
    assert_eq!(kind(Unanswered::Closed), StoreErrorKind::Closed);
    assert_eq!(kind(Unanswered::Unknown), StoreErrorKind::OutcomeUnknown);
}

/// A purge may be in one group with the events that it deletes.
#[test]
fn a_purge_behind_events_of_its_own_group_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(&folder.path().join("a.db"));
    writer.commit(&[create()]).unwrap();
    let purge = Purge {
        events_before: Some(Timestamp::from_unix_seconds(1).unwrap()),
        idempotency_until: UnixMillis::from_unix_millis(0),
        limit: 100,
    };
    let purged = writer.commit(&[create(), create(), Job::Purge(purge)]).unwrap();
    let expected = Purged { events: 3, answers: 0 };
    assert_eq!(purged.last().unwrap().as_ref().unwrap(), &JobOutcome::Purged(expected));
    let counters = "SELECT events, purged FROM organisations";
    let counters = writer
        .connection
        .as_ref()
        .unwrap()
        .query_row(counters, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)));
    assert_eq!(counters, Ok((3, 3)));
}

/// A sweep may be in one group with the admissions that it deletes or moves.
#[test]
fn rate_1_a_sweep_behind_admissions_of_its_own_group_sees_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(&folder.path().join("a.db"));
    let window = Window { key: WindowKey::new(b"k").unwrap(), operation: Operation::Create };
    let (longest, limit) = (Duration::from_secs(1), RateLimit::CREATE);
    let admit = |millis| {
        let now = UnixMillis::from_unix_millis(millis);
        Job::Access(AccessChange::Admit { window, limit, now })
    };
    let now = UnixMillis::from_unix_millis(5000);
    let sweep = Job::Access(AccessChange::SweepWindows { longest, now, limit: 100 });
    let group = [admit(0), admit(1), admit(900_000), sweep, admit(6000)];
    let outcomes = writer.commit(&group).unwrap().into_iter().map(Result::unwrap);
    let outcomes: Vec<_> = outcomes.map(|outcome| outcome.access().unwrap()).collect();
    assert_eq!(outcomes.get(3), Some(&AccessOutcome::Swept(2)));
    // The admission from the future counts as of the time of the sweep, and so does the next one.
    let rate_limit = RateLimitStatus {
        limit: limit.requests(),
        remaining: 8,
        reset_at: now.later(limit.window()),
    };
    assert_eq!(outcomes.get(4), Some(&AccessOutcome::Admitted(rate_limit)));
}

/// The database is moved during the commit.
#[test]
fn place_3_a_file_that_goes_at_the_commit_makes_the_outcome_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let mut writer = open(&path);
    let create = [create()];
    writer.commit(&create).unwrap();
    let places = (path.clone(), elsewhere.clone());
    let hook = move || fs::rename(&places.0, &places.1).is_err();
    writer.connection.as_mut().unwrap().commit_hook(Some(hook)).unwrap();
    let kind = |answers: Result<Answers<Writer>, StoreError>| answers.unwrap_err().kind();
    assert_eq!(kind(writer.commit(&create)), StoreErrorKind::OutcomeUnknown);
    assert_eq!(kind(writer.commit(&create)), StoreErrorKind::Unavailable);
    fs::rename(&elsewhere, &path).unwrap();
    writer.connection.as_mut().unwrap().commit_hook(None::<fn() -> bool>).unwrap();
    writer.commit(&create).unwrap();
    let count = "SELECT count(*) FROM models";
    let models = writer.connection.as_ref().unwrap().query_row(count, [], |row| row.get(0));
    assert_eq!(models, Ok(3_u64), "what was unknown was made");
}
