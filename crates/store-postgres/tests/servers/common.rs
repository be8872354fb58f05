//! Helpers that the tests of this store share.

use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::model::{ContentDigest, DataFile, DataTotals, DataType, Expected, NewPair};
use custom_models_core::store::{Change, Outcome, Selection, StoreError, StoreErrorKind, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{Caller, CreateModel, CustomModel, Engine, Organisation, Plan};
use custom_models_postgres_cluster::Server;
use custom_models_store_postgres::PostgresStore;

pub(crate) fn acme() -> Organisation {
    "acme".parse().unwrap()
}

pub(crate) fn caller() -> Caller {
    Caller::new(acme(), Plan::enterprise())
}

pub(crate) fn store(server: &Server, database: &str) -> PostgresStore {
    PostgresStore::open(&server.url(database)).unwrap()
}

pub(crate) fn engine(server: &Server, database: &str) -> Engine {
    Engine::new(Arc::new(store(server, database)), SystemTime::now)
}

pub(crate) fn request() -> CreateModel<'static> {
    CreateModel::builder().name("Legal-NL-v2").language("nl").build().unwrap()
}

/// A create within a limit.
pub(crate) fn create(organisation: &Organisation, limit: Option<u64>) -> Write {
    let created_at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let model = request().into_new_model(created_at);
    write(organisation, Change::Create { model, limit })
}

/// A change by the host.
pub(crate) fn write(organisation: &Organisation, change: Change) -> Write {
    let at = UnixMillis::from_unix_millis(1_800_000_000_000);
    Write::new(organisation.clone(), Actor::HOST, at, change)
}

pub(crate) fn created(outcome: Result<Outcome, StoreError>) -> CustomModel {
    match outcome {
        Ok(Outcome::Created(model)) => model,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn kind<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> StoreErrorKind {
    answer.unwrap_err().kind()
}

pub(crate) fn all() -> Selection {
    Selection { limit: u32::MAX, ..Selection::default() }
}

/// A model whose training waits for a worker.
pub(crate) fn running(engine: &Engine) -> CustomModel {
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "content-7".to_owned(),
    };
    let pair = NewPair {
        data_type: DataType::Train,
        audio: file("a.wav"),
        audio_millis: u64::try_from(DataTotals::ENOUGH.as_millis()).unwrap(),
        transcript: file("a.txt"),
    };
    let id = engine.create(&caller(), request()).unwrap().id;
    engine.add_data(&caller(), id, pair, &Expected::Anything).unwrap();
    engine.run(&caller(), id, &Expected::Anything).unwrap()
}
