//! Records beside models in a file: what is stored, what a refusal leaves, what a purge deletes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::model::{
    DataTotals, DataType, Edit, EditRefusal, EventPage, Expected, Figure, LeaseTime, MetricName,
    Progress, TrainingMetrics,
};
use custom_models_core::request::ListData;
use custom_models_core::store::{
    IdempotencyRecord, ModelStore, NewIdempotencyRecord, Outcome, Purge, Purged, Selection, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::UnixMillis;
use custom_models_core::{
    Caller, CustomModel, Engine, MemoryStore, ModelId, Organisation, Plan, UpdateModel,
};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

use common::{
    NOW, acme, answer, answer_key, at, caller, create, create_at, edit_at, id, moment, pair, place,
    request, sql, write,
};

fn open() -> (tempfile::TempDir, std::path::PathBuf, SqliteStore) {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    (folder, path, store)
}

fn other() -> Organisation {
    "other".parse().unwrap()
}

fn positions(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.position).collect()
}

fn purge(events_before: Option<i64>, idempotency_until: i64, limit: u32) -> Purge {
    Purge {
        events_before: events_before.map(at),
        idempotency_until: moment(idempotency_until),
        limit,
    }
}

/// Everything that a store shows after many changes to models of two organisations.
#[derive(Debug, PartialEq)]
struct Shown {
    models: Vec<CustomModel>,
    events: Vec<EventPage>,
    data: Vec<custom_models_core::model::DataPair>,
    claimable: Vec<(Organisation, CustomModel)>,
    answers: Vec<Option<IdempotencyRecord>>,
}

fn shown(store: &dyn ModelStore) -> Shown {
    let organisations = [acme(), other()];
    let all = Selection { limit: 100, ..Selection::default() };
    let lists = organisations.iter().map(|it| store.list(it, &all).unwrap());
    let models: Vec<CustomModel> = lists.flat_map(|list| list.models).collect();
    let data = models
        .iter()
        .flat_map(|model| store.data(&acme(), model.id, 0, u32::MAX).unwrap())
        .collect();
    let claimable = [None, Some(&organisations[1])];
    Shown {
        data,
        models,
        events: organisations.iter().map(|it| store.events(it, 2, 100).unwrap()).collect(),
        claimable: claimable
            .into_iter()
            .flat_map(|of| store.claimable(of, moment(NOW + 9000), 10).unwrap())
            .collect(),
        answers: ["a", "b", "none"]
            .map(|key| store.idempotency_record(&acme(), &answer_key(key)).unwrap())
            .into(),
    }
}

/// Every kind of change through an engine: the store holds what a store in memory holds.
fn live(store: &Arc<impl ModelStore + 'static>) {
    let engine = Engine::new(store.clone(), || {
        UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()) + Duration::from_millis(7)
    });
    let any = &Expected::Anything;
    let worker = Actor::new("worker").unwrap();
    let others = Caller::new(other(), Plan::enterprise()).acting_as(worker.clone());
    let ids: Vec<ModelId> = [caller(), caller(), others.clone(), caller(), caller(), others]
        .iter()
        .map(|caller| common::running(&engine, caller).id)
        .collect();
    let claimed = engine.claim(&worker, None, LeaseTime::default()).unwrap().unwrap();
    assert_eq!(claimed.model.id, ids[0]);
    let (fence, time) = (claimed.fence, LeaseTime::default());
    for percent in [30, 30, 60] {
        let progress = Progress::new(percent).unwrap();
        engine.edit(&caller(), ids[0], Edit::Heartbeat { fence, progress, time }, any).unwrap();
    }
    let figure = Figure::new(0.071).unwrap();
    let metrics = TrainingMetrics::new([(MetricName::WORD_ERROR_RATE, figure)]).unwrap();
    engine.edit(&caller(), ids[0], Edit::Succeed { fence, metrics }, any).unwrap();
    let claimed = engine.claim(&worker, Some(&acme()), time).unwrap().unwrap();
    assert_eq!(claimed.model.id, ids[1]);
    let error = "out of \u{1F4BE}\n".to_owned();
    let fail = Edit::Fail { fence: claimed.fence, error };
    engine.edit(&caller(), ids[1], fail, any).unwrap();
    engine.cancel(&caller(), ids[3], any).unwrap();
    engine.add_data(&caller(), ids[3], pair(DataType::Test), any).unwrap();
    let first = engine.data(&caller(), ids[3], &ListData::default()).unwrap().result[0].id;
    engine.remove_data(&caller(), ids[3], first, any).unwrap();
    let rename = UpdateModel::builder().name("v3 \0").description("ü").build().unwrap();
    engine.update(&caller(), ids[3], rename, any).unwrap();
    engine.cancel(&caller(), ids[4], any).unwrap();
    engine.delete(&caller(), ids[4]).unwrap();
    assert!(engine.claim(&worker, Some(&other()), time).unwrap().is_some());
    for (key, seconds) in [("a", NOW), ("b", NOW), ("a", NOW + 90_000)] {
        let answer = answer(key);
        store.apply(Write { idempotency: answer, ..create_at(&acme(), seconds) }).unwrap();
    }
}

#[test]
fn a_file_keeps_a_life_as_memory_does() {
    let (_folder, path) = place();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    live(&store);
    let memory = Arc::new(MemoryStore::new());
    live(&memory);
    let expected = shown(&*memory);
    assert_eq!(shown(&*store), expected);
    assert!(expected.events.iter().any(|page| page.events.len() > 20), "a long history");
    assert!(expected.claimable.len() >= 3, "trainings that wait, and one that is held");
    store.close().unwrap();
    assert_eq!(shown(&SqliteStore::open(&path).unwrap()), expected);
}

#[test]
fn a_refused_write_leaves_no_event_and_no_answer() {
    let (_folder, _path, store) = open();
    let kept = Write { idempotency: answer("first"), ..create_at(&acme(), NOW) };
    let Outcome::Created(model) = store.apply(kept.clone()).unwrap() else {
        panic!("the first is made")
    };
    let update = || Edit::from(UpdateModel::builder().name("v3").build().unwrap());
    let right = model.revision();
    let wrong = Outcome::Refused(EditRefusal::PreconditionFailed);
    let missing_seconds = DataTotals::ENOUGH.as_secs();
    let not_ready = Outcome::Refused(EditRefusal::ModelNotReady { missing_seconds });
    let refused = [
        (acme(), create(Some(1)), Outcome::LimitReached { current: 1 }),
        (acme(), edit_at(model.id, right.next(), update()), wrong.clone()),
        (other(), edit_at(model.id, right, update()), Outcome::NotFound),
        (acme(), edit_at(model.id, right.next(), Edit::Delete), wrong),
        (acme(), edit_at(id(9), right, Edit::Delete), Outcome::NotFound),
        (other(), edit_at(model.id, right, Edit::Delete), Outcome::NotFound),
        (acme(), edit_at(model.id, right, Edit::Run), not_ready),
    ];
    for (organisation, change, outcome) in refused {
        let write = Write { idempotency: answer("k"), ..write(&organisation, change) };
        assert_eq!(store.apply(write.clone()).unwrap(), outcome, "{write:?}");
    }
    // A request that was answered is judged before its limit is.
    let repeated = Write { change: create(Some(0)), ..kept };
    let first = store.idempotency_record(&acme(), &answer_key("first")).unwrap().unwrap();
    assert_eq!(store.apply(repeated).unwrap(), Outcome::Repeated(first));
    for organisation in [acme(), other()] {
        assert_eq!(store.idempotency_record(&organisation, &answer_key("k")).unwrap(), None);
    }
    assert_eq!(store.events(&acme(), 0, 10).unwrap().last, 1);
    assert_eq!(store.events(&other(), 0, 10).unwrap().last, 0);
    assert_eq!(store.get(&acme(), model.id).unwrap(), Some(model));
}

#[test]
fn an_answer_that_has_expired_is_replaced() {
    let (_folder, path, store) = open();
    let day = NewIdempotencyRecord::KEPT_FOR.as_secs().cast_signed();
    let ask = |seconds| {
        let answer = answer("k");
        store.apply(Write { idempotency: answer, ..create_at(&acme(), seconds) }).unwrap()
    };
    assert!(matches!(ask(NOW), Outcome::Created(_)));
    assert!(matches!(ask(NOW + day - 1), Outcome::Repeated(kept) if kept.at == moment(NOW)));
    assert!(matches!(ask(NOW + day), Outcome::Created(_)));
    assert!(matches!(ask(NOW + day), Outcome::Repeated(kept) if kept.at == moment(NOW + day)));
    let file = Connection::open(&path).unwrap();
    let rows: u64 = file.query_row("SELECT count(*) FROM answers", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

/// Two keys with the same hash stay distinct.
#[test]
fn keys_of_one_hash_are_told_apart() {
    let (_folder, path, store) = open();
    let ask = |key| {
        let answer = answer(key);
        store.apply(Write { idempotency: answer, ..create_at(&acme(), NOW) }).unwrap()
    };
    ask("first");
    ask("second");
    sql(
        &path,
        "UPDATE answers SET hash = (SELECT hash FROM answers WHERE key = 'second');
        DELETE FROM answers WHERE key = 'second';",
    );
    assert_eq!(store.idempotency_record(&acme(), &answer_key("second")).unwrap(), None);
    assert!(matches!(ask("second"), Outcome::Created(_)));
    let file = Connection::open(&path).unwrap();
    let rows: (u64, u64) = file
        .query_row("SELECT count(*), count(DISTINCT hash) FROM answers", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(rows, (2, 1));
}

#[test]
fn what_is_forgotten_is_the_beginning_of_each_history() {
    let (_folder, path, store) = open();
    for seconds in [10, 20, 40, 15, 50] {
        store.apply(create_at(&acme(), seconds)).unwrap();
    }
    for seconds in [30, 10, 20] {
        store.apply(create_at(&other(), seconds)).unwrap();
    }
    let forgotten = |purge| store.purge(purge).unwrap().events;
    assert_eq!(forgotten(purge(None, 0, 100)), 0);
    // An event of that very second is kept, and so is the old one behind a newer one.
    assert_eq!(forgotten(purge(Some(20), 0, 100)), 1);
    assert_eq!(forgotten(purge(Some(30), 0, 100)), 1);
    let page = store.events(&acme(), 0, 10).unwrap();
    assert_eq!((positions(&page), page.first, page.last), (vec![3, 4, 5], 3, 5));
    let page = store.events(&other(), 1, 10).unwrap();
    assert_eq!((positions(&page), page.first, page.last), (vec![2, 3], 1, 3));
    // At most so many rows, of all organisations together.
    assert_eq!(forgotten(purge(Some(100), 0, 2)), 2);
    assert_eq!(forgotten(purge(Some(100), 0, 2)), 2);
    assert_eq!(forgotten(purge(Some(100), 0, 0)), 0);
    assert_eq!(forgotten(purge(Some(100), 0, 3)), 2);
    assert_eq!(forgotten(purge(Some(100), 0, 3)), 0);
    store.close().unwrap();

    let store = SqliteStore::open(&path).unwrap();
    for (organisation, last) in [(acme(), 5), (other(), 3)] {
        let page = store.events(&organisation, 0, 10).unwrap();
        assert_eq!((page.events.len(), page.first, page.last), (0, last + 1, last));
        store.apply(create_at(&organisation, 60)).unwrap();
        let page = store.events(&organisation, 0, 10).unwrap();
        assert_eq!((positions(&page), page.first, page.last), (vec![last + 1], last + 1, last + 1));
    }
}

#[test]
fn answers_are_forgotten_by_their_time_and_the_oldest_first() {
    let (_folder, _path, store) = open();
    for (key, seconds) in [("c", 30), ("a", 10), ("d", 40), ("b", 20)] {
        let answer = answer(key);
        store.apply(Write { idempotency: answer, ..create_at(&acme(), seconds) }).unwrap();
    }
    let left = || -> String {
        let is_kept = |key: &&str| {
            let key = answer_key(["a", "b", "c", "d"].into_iter().find(|it| it == key).unwrap());
            store.idempotency_record(&acme(), &key).unwrap().is_some()
        };
        ["a", "b", "c", "d"].into_iter().filter(is_kept).collect()
    };
    assert_eq!(store.purge(purge(None, 9, 10)).unwrap(), Purged::default());
    assert_eq!(store.purge(purge(None, 30, 1)).unwrap(), Purged { events: 0, answers: 1 });
    assert_eq!(left(), "bcd");
    assert_eq!(store.purge(purge(None, 30, 10)).unwrap(), Purged { events: 0, answers: 2 });
    assert_eq!(left(), "d");
}

#[test]
fn trainings_that_have_waited_longest_come_first_and_their_ids_decide() {
    let (_folder, path, store) = open();
    let engine = common::engine_at_now(&path);
    let others = Caller::new(other(), Plan::enterprise());
    let mut ids = [caller(), others, caller(), caller()].map(|it| common::running(&engine, &it).id);
    engine.create(&caller(), request()).unwrap();
    sql(
        &path,
        "UPDATE models SET claimable_at = claimable_at - 60000,
            course = replace(course, '\"started_at\":\"2027-01-15T08:00:00Z\"',
                '\"started_at\":\"2027-01-15T07:59:00Z\"')
        WHERE id = 4",
    );
    ids.rotate_right(1);
    let found = |of: Option<&Organisation>, at: UnixMillis, limit| -> Vec<ModelId> {
        let found = store.claimable(of, at, limit).unwrap();
        found.into_iter().map(|(_, model)| model.id).collect()
    };
    assert_eq!(found(None, moment(NOW), 10), ids);
    assert_eq!(found(None, moment(NOW), 2), ids[..2]);
    assert_eq!(found(None, moment(NOW - 1), 10), ids[..1]);
    assert_eq!(found(Some(&acme()), moment(NOW), 10), [ids[0], ids[1], ids[3]]);
    assert_eq!(found(Some(&other()), moment(NOW), 10), [ids[2]]);
    assert_eq!(found(Some(&other()), moment(NOW - 1), 10), []);
}
