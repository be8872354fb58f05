//! Blocking requests to object storage.

use std::sync::Arc;

use custom_models_core::store::{StoreError, StoreErrorKind};
use futures_util::TryStreamExt;
use futures_util::stream::{self, StreamExt};
use object_store::path::Path as Key;
use object_store::{
    Error, ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion,
};
use tokio::sync::Semaphore;

use super::bridge::Bridge;
use super::client::{Client, client};
use super::clock::Clock;
use super::fault::fault;
use super::location::Location;
use super::options::ObjectOptions;

/// The most bytes of a small object, such as a mark.
const LONGEST: u64 = 16 << 10;

/// A small object, with its version for conditions.
#[derive(Clone, Debug)]
pub(super) struct Small {
    pub(super) bytes: Vec<u8>,
    pub(super) version: UpdateVersion,
    pub(super) meta: ObjectMeta,
}

/// A service, and the runtime for its requests.
pub(super) struct Remote {
    pub(super) client: Arc<dyn Client>,
    pub(super) bridge: Bridge,
    pub(super) clock: Clock,
    /// The permits for parts in progress.
    pub(super) parts: Arc<Semaphore>,
}

impl Remote {
    pub(super) fn connect(
        location: &Location,
        options: &ObjectOptions,
    ) -> Result<Self, StoreError> {
        let (bridge, clock) = (Bridge::new()?, Clock::default());
        let client = client(location, options, &clock)?;
        let parts = Arc::new(Semaphore::new(options.parts.max(1)));
        Ok(Remote { client, bridge, clock, parts })
    }

    /// Sends a request, and blocks until the response.
    pub(super) fn ask<T, F>(&self, ask: impl FnOnce(Arc<dyn Client>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.bridge.wait(ask(Arc::clone(&self.client)))?.map_err(|error| fault(&error))
    }

    /// Returns a small object; `None` if it does not exist.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Small>, StoreError> {
        self.get_within(key, LONGEST)
    }

    /// Returns an object, without its bytes if they are more than `longest`; `None` if it does not exist.
    pub(super) fn get_within(&self, key: &Key, longest: u64) -> Result<Option<Small>, StoreError> {
        let key = key.clone();
        self.ask(|client| async move { get_within(&*client, &key, longest).await })
    }

    /// Returns the size of an object; `None` if it does not exist.
    pub(super) fn size(&self, key: &Key) -> Result<Option<u64>, StoreError> {
        let key = key.clone();
        self.ask(|client| async move {
            match client.head(&key).await {
                Err(Error::NotFound { .. }) => Ok(None),
                found => Ok(Some(found?.size)),
            }
        })
    }

    /// Replaces the small object that was read, or creates it if there was none.
    pub(super) fn put_if(
        &self,
        key: &Key,
        bytes: Vec<u8>,
        there: Option<UpdateVersion>,
    ) -> Result<UpdateVersion, StoreError> {
        let (client, key) = (Arc::clone(&self.client), key.clone());
        self.bridge.wait(async move { put_if(&*client, &key, bytes, there).await })?
    }

    /// Removes an object. Does nothing if it does not exist.
    pub(super) fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.ask(|client| async move { unless_gone(client.delete(&key).await) })
    }

    /// Removes objects in order, many per request if the service supports that.
    pub(super) fn delete_all(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        self.ask(|client| async move {
            let deleted = client.delete_stream(stream::iter(keys.into_iter().map(Ok)).boxed());
            deleted.then(async |done| unless_gone(done.map(drop))).try_collect().await
        })
    }

    /// Lists the objects below a prefix.
    pub(super) fn list(&self, prefix: &Key) -> Result<Vec<ObjectMeta>, StoreError> {
        let prefix = prefix.clone();
        self.ask(|client| async move { client.list(Some(&prefix)).try_collect().await })
    }

    /// Lists the names directly below a prefix.
    pub(super) fn list_names(&self, prefix: &Key) -> Result<ListResult, StoreError> {
        let prefix = prefix.clone();
        self.ask(|client| async move { client.list_with_delimiter(Some(&prefix)).await })
    }
}

fn unless_gone(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::NotFound { .. }) => Ok(()),
        done => done,
    }
}

async fn get(client: &dyn Client, key: &Key) -> Result<Option<Small>, Error> {
    get_within(client, key, LONGEST).await
}

async fn get_within(client: &dyn Client, key: &Key, longest: u64) -> Result<Option<Small>, Error> {
    let found = match client.get(key).await {
        Err(Error::NotFound { .. }) => return Ok(None),
        found => found?,
    };
    let meta = found.meta.clone();
    let version = UpdateVersion { e_tag: meta.e_tag.clone(), version: meta.version.clone() };
    // A longer object is not ours, and is not read.
    let bytes = if meta.size > longest { Vec::new() } else { found.bytes().await?.to_vec() };
    Ok(Some(Small { bytes, version, meta }))
}

/// Replaces an object on the condition that it has not changed since it was read; otherwise
/// [`StoreErrorKind::Busy`].
pub(super) async fn put_if(
    client: &dyn Client,
    key: &Key,
    bytes: Vec<u8>,
    there: Option<UpdateVersion>,
) -> Result<UpdateVersion, StoreError> {
    let mode = there.clone().map_or(PutMode::Create, PutMode::Update);
    let put = client.put_opts(key, PutPayload::from(bytes.clone()), mode.into()).await;
    let error = match put {
        Ok(put) => return Ok(put.into()),
        Err(Error::NotImplemented { .. }) => {
            return put_unconditionally(client, key, bytes, there).await;
        }
        Err(error) => error,
    };
    // The response to a successful put may be lost; its repetition then fails because of the first.
    match get(client, key).await {
        Ok(Some(found)) if found.bytes == bytes => Ok(found.version),
        _ => Err(fault(&error)),
    }
}

/// Replaces an object on a service without conditions, after it has checked that it has not changed.
async fn put_unconditionally(
    client: &dyn Client,
    key: &Key,
    bytes: Vec<u8>,
    there: Option<UpdateVersion>,
) -> Result<UpdateVersion, StoreError> {
    let found = get(client, key).await.map_err(|error| fault(&error))?;
    let is_same = match (&found, &there) {
        (Some(found), Some(there)) => found.version.e_tag == there.e_tag,
        (found, there) => found.is_none() && there.is_none(),
    };
    if !is_same {
        return Err(StoreErrorKind::Busy.into());
    }
    let put = client.put(key, PutPayload::from(bytes)).await.map_err(|error| fault(&error))?;
    Ok(put.into())
}
