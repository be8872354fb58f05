use std::time::Duration;

use super::*;
use crate::access::{Operation, RateLimit, Window, WindowKey};
use crate::model::{EventType, ModelId, NewEvent};
use crate::store::{AccessChange, EventLine, Lineage, Registration, StoreIdentity, StoreSummary};
use crate::tenant::{Organisation, PlanName};
use crate::time::{Timestamp, UnixMillis};

fn organisation(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn event(of: &str, position: u64) -> Record {
    let created_at = Timestamp::from_unix_seconds(i64::try_from(position).unwrap()).unwrap();
    let actor = crate::tenant::Actor::new("host").unwrap();
    let new = NewEvent { created_at, actor, event_type: EventType::Created };
    let event = new.at(position, ModelId::new(1).unwrap());
    Record::Event(EventLine::new(organisation(of), event))
}

fn admit(number: u8, second: i64) -> Job {
    let window = Window { key: WindowKey::new(&[number; 3]).unwrap(), operation: Operation::List };
    let now = UnixMillis::from_unix_millis(second * 1000);
    Job::Access(AccessChange::Admit { window, limit: RateLimit::CREATE, now })
}

/// Compares everything, the rows that no export shows included.
fn assert_same(left: &Tables, right: &Tables) {
    assert_eq!(left.summary(), right.summary());
    assert!(left.export().eq(right.export()));
    assert_eq!(left.admissions, right.admissions);
    assert_eq!(left.queue, right.queue);
    assert_eq!(left.ids, right.ids);
}

/// Changes of every kind but those of models and pairs, which the suite makes with the example.
#[test]
fn the_changes_of_a_log_have_the_same_effect_again() {
    let plan: PlanName = "Gold".parse().unwrap();
    let register = |name| Registration { organisation: organisation(name), plan: plan.clone() };
    let counts = |name, last_event| Record::Organisation {
        organisation: organisation(name),
        models: 0,
        last_event,
        first_event: 1,
    };
    let archive = Job::Archive;
    let start = Record::Start { last_id: 7 };
    let import = vec![start, counts("acme", 3), counts("zebra", 2)];
    let events = [("acme", 1), ("acme", 2), ("acme", 3), ("zebra", 1), ("zebra", 2)];
    let events = events.map(|(of, position)| event(of, position)).to_vec();
    let expected = (StoreIdentity::from_bytes([9; 16]), None);
    let new = (StoreIdentity::from_bytes([8; 16]), Lineage::new(5));
    let now = UnixMillis::from_unix_millis(20_000);
    let longest = Duration::from_secs(10);
    let purge = Purge {
        events_before: Some(Timestamp::from_unix_seconds(3).unwrap()),
        idempotency_until: now,
        limit: 3,
    };
    let jobs = [
        Job::Access(AccessChange::Register(register("acme"))),
        Job::Access(AccessChange::Register(register("zebra"))),
        archive(ArchiveChange::Import(import)),
        archive(ArchiveChange::Import(events)),
        admit(1, 5),
        admit(1, 15),
        admit(1, 99),
        admit(2, 6),
        Job::Access(AccessChange::SweepWindows { longest, now, limit: 1 }),
        Job::Purge(purge),
        archive(ArchiveChange::ReplaceIdentity { expected, new }),
        archive(ArchiveChange::Erase { organisation: organisation("zebra"), limit: 1 }),
    ];
    let mut tables = Tables::with_identity(StoreIdentity::from_bytes([9; 16]));
    let mut replayed = Tables::default();
    for job in jobs {
        tables.judge(&job).unwrap();
        let log = serde_json::to_string(&tables.take_changes()).unwrap();
        assert_ne!(log, "[]", "{job:?}");
        for change in serde_json::from_str::<Vec<RowChange>>(&log).unwrap() {
            replayed.replay(change);
        }
        assert_same(&replayed, &tables);
    }
    assert_eq!(replayed.take_changes(), []);
    let StoreSummary { last_id, events, .. } = tables.summary();
    assert_eq!((last_id, events), (7, 5));
    assert_eq!(tables.registrations(), [register("acme")]);
    let page = tables.events(&organisation("acme"), 0, 9);
    assert_eq!((page.events.len(), page.first, page.last), (1, 3, 3));
    let admissions = tables.admissions.values().flatten();
    let admissions: Vec<_> = admissions.map(|it| (it.number, it.at.unix_millis())).collect();
    assert_eq!(admissions, [(2, 15_000), (3, 20_000), (1, 6_000)]);
}

/// A log may be older than a damage that it shows: no change of it panics.
#[test]
fn a_change_without_its_rows_changes_nothing() {
    let (acme, model) = (organisation("acme"), ModelId::new(1).unwrap());
    let window = Window { key: WindowKey::new(b"k").unwrap(), operation: Operation::List };
    let pair = crate::model::DataId::new(1).unwrap();
    let changes = [
        RowChange::RemoveModel { organisation: acme.clone(), model },
        RowChange::RemovePair { organisation: acme.clone(), model, pair },
        RowChange::RemoveAnswers { until: UnixMillis::from_unix_millis(0), limit: 1 },
        RowChange::RemoveAdmissions { window, count: 1 },
        RowChange::Erase(acme),
    ];
    let mut tables = Tables::default();
    changes.into_iter().for_each(|change| tables.replay(change));
    assert_same(&tables, &Tables::default());
}
