//! A store of the first release: everything in it is there, and it can be used on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::access::{KeyId, KeyRecord, Operation, RateLimit, Window};
use custom_models_core::model::{EventType, Expected};
use custom_models_core::store::{AccessStore, ModelStore, Selection};
use custom_models_core::tenant::Actor;
use custom_models_core::time::UnixMillis;
use custom_models_core::{
    Caller, CreateModel, CustomModel, Engine, ModelId, Organisation, Plan, UpdateModel,
};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// Some days after the file was made.
const NOW: Duration = Duration::from_secs(1_796_000_000);

fn copy() -> (TempDir, PathBuf) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/first-release.db");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("custom-models.db");
    fs::copy(file, &path).unwrap();
    (folder, path)
}

fn organisation(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn caller(name: &str) -> Caller {
    Caller::new(organisation(name), Plan::enterprise())
}

fn engine(store: SqliteStore) -> Engine {
    Engine::new(Arc::new(store), || UNIX_EPOCH + NOW)
}

/// The models of an organisation, each as `id name description language base_model created_at`.
fn models(store: &SqliteStore, name: &str) -> Vec<String> {
    let all = Selection { limit: 100, ..Selection::default() };
    let listing = store.list(&organisation(name), &all).unwrap();
    assert_eq!(listing.total, listing.models.len() as u64);
    listing.models.iter().map(|model| shown(store, name, model)).collect()
}

fn shown(store: &SqliteStore, of: &str, model: &CustomModel) -> String {
    assert_eq!(store.get(&organisation(of), model.id).unwrap().as_ref(), Some(model));
    assert_eq!((model.revision().get(), model.version.heartbeats), (1, 0));
    assert_eq!(model.training, custom_models_core::model::TrainingState::default());
    assert_eq!(model.updated_at, model.created_at);
    let CustomModel { id, name, description, language, base_model, created_at, .. } = model;
    let description = description.as_ref().map(|it| it.as_str());
    let (name, created_at) = (name.as_str(), created_at.unix_seconds());
    format!("{id} {name:?} {description:?} {language} {base_model} {created_at}")
}

#[test]
fn every_model_is_there() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(
        models(&store, "acme"),
        [
            r#"1 "Legal-NL-v2" Some("Contracts, deeds") nl legal 1795580836"#,
            r#"2 "  🏥 Kardiologie \"Zürich\" \\ v2\t" None de medical 1795580836"#,
            r#"8 "über HTTP" None pt legal 1795580896"#,
            r#"9 "über HTTP" None pt legal 1795580896"#,
        ]
    );
    assert_eq!(
        models(&store, "clinic-7"),
        [
            r#"3 "a'; DROP TABLE models; --" Some("deux\nlignes\r\n\u{2028} fin\u{202e}") fr technical 1795580836"#
        ]
    );
    let long =
        format!(r#"4 "{}" Some("{}") ja general 1795580838"#, "語".repeat(200), "é🎙".repeat(500));
    assert_eq!(
        models(&store, "visitors"),
        [
            long.as_str(),
            r#"5 "e\u{301} nul:\0." None en general 1795580838"#,
            r#"6 "Empty" Some("") es general 1795580838"#,
        ]
    );
    assert!(models(&store, "nobody").is_empty());
}

#[test]
fn every_registration_key_and_admission_is_there() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(path).unwrap();
    let registrations = store.registrations().unwrap();
    let registrations = registrations.iter().map(|it| (it.organisation.as_str(), it.plan.as_str()));
    assert!(registrations.eq([("acme", "Gold"), ("clinic-7", "Enterprise")]));

    let keys = |name| store.keys(&organisation(name)).unwrap();
    let shown = |key: &KeyRecord| {
        let grant = store.key(&key.digest).unwrap().unwrap();
        assert_eq!(&grant.key, key);
        let KeyRecord { id, scopes, created_at, expires_at, revoked_at, .. } = key;
        let ends = [expires_at, revoked_at].map(|it| it.map_or(0, |it| it.unix_seconds()));
        let (created_at, plan) = (created_at.unix_seconds(), grant.plan);
        format!("{id} {scopes} {created_at} {ends:?} {}", plan.as_str())
    };
    assert_eq!(
        keys("acme").iter().map(shown).collect::<Vec<_>>(),
        [
            "1af00ff22877 custom_models:write 1795580876 [1803356876, 0] Gold",
            "6589a421aded custom_models:write custom_models:read 1795580875 [0, 0] Gold",
            "a987f5b0e25d custom_models:write custom_models:read 1795580895 [0, 0] Gold",
            "bd0607175c65 custom_models:write 1795580895 [1803356895, 0] Gold",
        ]
    );
    assert_eq!(
        keys("clinic-7").iter().map(shown).collect::<Vec<_>>(),
        [
            "2176aa9193f2 custom_models:read 1795580855 [0, 1795580875] Enterprise",
            "8b6c9014bc26 training:work 1795580876 [0, 0] Enterprise",
        ]
    );

    // Ten an hour. Of three keys, with two admissions, with one, and with none.
    let hour = 60 * 60 * 1000;
    for (key, last, admissions) in [
        ("a987f5b0e25d", 1_795_580_896_342, &[1_795_580_896_244, 1_795_580_896_342][..]),
        ("bd0607175c65", 1_795_580_896_446, &[1_795_580_896_446]),
        ("6589a421aded", 1_795_580_896_446, &[]),
    ] {
        let key: KeyId = key.parse().unwrap();
        let window = Window { key: key.into(), operation: Operation::Create };
        let look = |at| {
            let now = UnixMillis::from_unix_millis(at);
            store.window(&window, RateLimit::CREATE, now).unwrap().rate_limit
        };
        let used = u32::try_from(admissions.len()).unwrap();
        assert_eq!(look(last).remaining, 10 - used);
        for (number, at) in (1..).zip(admissions) {
            assert_eq!(look(at + hour - 1).reset_at.unix_millis(), at + hour);
            assert_eq!(look(at + hour).remaining, 10 - used + number);
        }
    }
}

/// There was no history, so it begins now. Ids of deleted models are not reused.
#[test]
fn life_goes_on() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(&path).unwrap();
    let acme = organisation("acme");
    let none = store.events(&acme, 0, 10).unwrap();
    assert_eq!((none.events.len(), none.last, none.first), (0, 0, 1));
    assert_eq!(store.claimable(None, UnixMillis::from_unix_millis(i64::MAX), 10).unwrap(), []);

    let engine = engine(store);
    let second = ModelId::new(2).unwrap();
    let rename = UpdateModel::builder().name("Kardiologie v3").build().unwrap();
    let changed = engine.update(&caller("acme"), second, rename, &Expected::Anything).unwrap();
    assert_eq!((changed.revision().get(), changed.updated_at.unix_seconds()), (2, 1_796_000_000));
    let request = CreateModel::builder().name("next").language("nl").build().unwrap();
    let next = engine.create(&caller("acme"), request.clone()).unwrap();
    assert_eq!(next.id.get(), 12);
    engine.delete(&caller("acme"), ModelId::new(9).unwrap()).unwrap();
    assert_eq!(engine.create(&caller("visitors"), request).unwrap().id.get(), 13);
    engine.close().unwrap();

    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.get(&acme, second).unwrap(), Some(changed));
    let page = store.events(&acme, 0, 10).unwrap();
    assert_eq!((page.last, page.first), (3, 1));
    let events = page.events.iter().map(|it| (it.position, it.model_id.get(), &it.event_type));
    let expected =
        [(1, 2, &EventType::Updated), (2, 12, &EventType::Created), (3, 9, &EventType::Deleted)];
    assert!(events.eq(expected), "{:?}", page.events);
    assert!(page.events.iter().all(|it| it.actor == Actor::HOST));
    assert_eq!(store.events(&organisation("visitors"), 0, 10).unwrap().last, 1);
    assert_eq!(store.events(&organisation("clinic-7"), 0, 10).unwrap().last, 0);
}

/// The file is unchanged since that release. Opening it with this version migrates it.
#[test]
fn the_file_is_of_the_second_layout() {
    let version = |path: &PathBuf| -> u32 {
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    let (_folder, path) = copy();
    assert_eq!(version(&path), 2);
    SqliteStore::open(&path).unwrap().close().unwrap();
    assert_eq!(version(&path), 7);
}
