//! The store, and the traits of the core that it implements.

mod access;
mod archive;

use std::fmt;
use std::sync::Arc;

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    Completion, IdempotencyRecord, IdempotencyScope, Job, Listing, ModelStore, OpenMode, Outcome,
    Purge, Purged, Selection, StoreError, StoreErrorKind, StoreIdentity, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::connection::inline_runtime::InlineRuntime;
use crate::connection::pool::ConnectionPool;
use crate::connection::reader::ReadPool;
use crate::connection::runtime_thread::RuntimeThread;
use crate::error::Fault;
use crate::rows::{data, events, idempotency, models};
use crate::schema::ids::IdSupply;
use crate::schema::{NEWEST, migrate};
use crate::settings::{Address, Settings};
use crate::write::queues::Queues;
use crate::write::writer::Writer;

/// A store of custom models in one PostgreSQL database.
///
/// Several processes on several machines may have the same database open. The quota and the rate
/// limits hold across all of them (QUOTA-4, RATE-4).
pub struct PostgresStore {
    /// `None` if the store was opened for reading alone.
    queues: Option<Queues>,
    readers: ReadPool,
    runtime_thread: Arc<RuntimeThread>,
    address: Address,
    settings: Settings,
    /// The layout of the database when it was opened.
    layout: i64,
    /// A random identity, for a layout that has none. It lasts as long as the store is open.
    drawn: StoreIdentity,
}

impl PostgresStore {
    /// Opens a store by its URL. Creates the tables in the schema `custom_models` if there are
    /// none. The database must exist.
    ///
    /// The URL is PostgreSQL's. If it names several hosts, the one that accepts writes is used.
    /// `sslmode` is `verify-full`, with the system's root certificates or those in the file
    /// `sslrootcert`, or `disable`. The default is `disable` if every host is this machine, else
    /// `verify-full`.
    ///
    /// # Errors
    ///
    /// - [`NotOurs`](custom_models_core::store::StoreErrorKind::NotOurs): the schema belongs to
    ///   something else.
    /// - [`Newer`](custom_models_core::store::StoreErrorKind::Newer): a newer version of this crate
    ///   made the tables; they are not touched.
    /// - [`Unavailable`](custom_models_core::store::StoreErrorKind::Unavailable): the URL is
    ///   invalid, no server accepts writes, or permission is missing.
    /// - Others as they say.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Settings::default())
    }

    /// [`PostgresStore::open`] with other settings.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`].
    pub fn open_with(url: &str, settings: Settings) -> Result<Self, StoreError> {
        Self::open_as_with(url, OpenMode::Create, settings)
    }

    /// Opens a store with the rights of `mode` (PLACE-1).
    ///
    /// For reading alone, a role with `SELECT` on the tables and the sequence is enough. If no host
    /// accepts writes, a standby is read, which may lag behind.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`], and:
    ///
    /// - [`Missing`](custom_models_core::store::StoreErrorKind::Missing): there are no tables, and
    ///   `mode` creates none.
    /// - [`Older`](custom_models_core::store::StoreErrorKind::Older): the layout is older, and
    ///   `mode` neither migrates nor reads it.
    pub fn open_as(url: &str, mode: OpenMode) -> Result<Self, StoreError> {
        Self::open_as_with(url, mode, Settings::default())
    }

    /// [`PostgresStore::open_as`] with other settings.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open_as`].
    pub fn open_as_with(url: &str, mode: OpenMode, settings: Settings) -> Result<Self, StoreError> {
        let settings = settings.bounded();
        let address = Address::parse(url, settings.patience)?;
        if mode == OpenMode::ReadOnly {
            let (address, layout) = read_only(address, &settings)?;
            return Self::with(address, settings, layout, || Ok(None));
        }
        let writing = || ConnectionPool::writing(&address, &settings);
        let ids = Arc::new(IdSupply::default());
        let mut first = Writer::new(writing()?, settings, Arc::clone(&ids));
        let second = Writer::new(writing()?, settings, ids);
        first.open(mode, address.database())?;
        Self::with(address, settings, NEWEST, || Queues::start([first, second]).map(Some))
    }

    fn with(
        address: Address,
        settings: Settings,
        layout: i64,
        queues: impl FnOnce() -> Result<Option<Queues>, StoreError>,
    ) -> Result<Self, StoreError> {
        let runtime_thread = RuntimeThread::start("postgres-driver")?;
        let pool = ConnectionPool::reading(&address, &settings)?;
        let readers = ReadPool::new(Arc::clone(&runtime_thread), pool, settings.patience);
        let (queues, drawn) = (queues()?, migrate::random_identity()?);
        Ok(PostgresStore { queues, readers, runtime_thread, address, settings, layout, drawn })
    }

    /// The queues of writes; an error if the store is closed or read-only.
    fn queues(&self) -> Result<&Queues, StoreError> {
        let refused = if self.runtime_thread.is_stopped() {
            StoreErrorKind::Closed
        } else {
            StoreErrorKind::ReadOnly
        };
        self.queues.as_ref().ok_or_else(|| refused.into())
    }

    fn end(&self) {
        if let Some(queues) = &self.queues {
            queues.close();
        }
        self.runtime_thread.stop();
    }
}

/// The address of the server to read from, and its layout: the server that accepts writes or,
/// without one, any.
fn read_only(mut address: Address, settings: &Settings) -> Result<(Address, i64), StoreError> {
    let layout = |address: &Address| {
        let pool = ConnectionPool::reading(address, settings)?;
        let longest = settings.patience.saturating_mul(8);
        InlineRuntime::new().run(longest, StoreErrorKind::Unavailable, async {
            let connection = pool.get().await.map_err(Fault::into_store_error)?;
            let opened = migrate::open(&connection, OpenMode::ReadOnly, address.database()).await;
            opened.map_err(Fault::into_store_error)
        })
    };
    match layout(&address) {
        Err(error) if error.kind() == StoreErrorKind::Unavailable => {
            address.accept_any();
            layout(&address).map(|layout| (address, layout))
        }
        opened => opened.map(|layout| (address, layout)),
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl ModelStore for PostgresStore {
    fn submit(&self, write: Write, done: Completion) {
        match self.queues() {
            Ok(queues) => {
                let (job, done) = Job::of_model(write, done);
                queues.submit(job, done);
            }
            Err(refused) => done(Err(refused)),
        }
    }

    fn submit_all(&self, writes: Vec<(Write, Completion)>) {
        match self.queues() {
            Ok(queues) => queues
                .submit_all(writes.into_iter().map(|(write, done)| Job::of_model(write, done))),
            Err(refused) => writes.into_iter().for_each(|(_, done)| done(Err(refused.clone()))),
        }
    }

    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        self.queues()?.apply(Job::Model(write))?.model()
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        let organisation = organisation.clone();
        self.readers.read(async move |reader| models::get(reader, &organisation, id).await)
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        let (organisation, selection) = (organisation.clone(), selection.clone());
        self.readers.read(async move |reader| models::list(reader, &organisation, &selection).await)
    }

    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let of = organisation.clone();
        self.readers.read(async move |reader| events::page(reader, &of, after, limit).await)
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        let of = organisation.cloned();
        self.readers
            .read(async move |reader| models::claimable(reader, of.as_ref(), at, limit).await)
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        let of = organisation.clone();
        self.readers.read(async move |reader| data::page(reader, &of, model, after, limit).await)
    }

    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let (of, key) = (organisation.clone(), key.clone());
        self.readers.read(async move |reader| idempotency::get(reader, &of, &key).await)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.queues()?.apply(Job::Purge(purge))?.purged()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.end();
        Ok(())
    }
}

/// Commits queued writes before the connections are closed.
impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.end();
    }
}
