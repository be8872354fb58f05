//! Contents as objects: `{prefix}/{organisation}/{model}/{content}` in a bucket or a container (PLACE-2).
//!
//! An upload is written to a temporary file and judged there. Then it is sent, in parts if it is large, and it is an
//! object when it is whole. Who sends one that takes long, or holds one for long, keeps a marker beside it,
//! `{content}.writing`, which is changed from time to time: a sweep takes a marker that was not changed for an hour
//! away from its writer, whose upload is refused at its commit then. The marker says which upload of parts is to be
//! aborted. Marks and markers are changed on the condition that they are what was read.

mod bridge;
mod client;
mod clock;
mod content;
mod fault;
mod hold;
mod location;
mod mark;
mod options;
mod place;
mod remote;
mod send;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::store::StoreError;
use object_store::path::Path as Key;

use self::location::Location;
pub use self::options::ObjectOptions;
use self::remote::Remote;

/// A bucket or a container, or what lies under a prefix there, for a [`Folder`](crate::Folder).
///
/// Requests are made on a thread of its own, in a runtime that belongs to it; who calls waits for the answer.
#[derive(Clone)]
pub struct Objects(Arc<Inner>);

struct Inner {
    location: Location,
    options: ObjectOptions,
    remote: Remote,
}

impl Objects {
    /// What lies under `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`. Nothing is asked of the
    /// service yet. Credentials, regions and endpoints are those of the environment, as each service has them.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](custom_models_core::store::StoreErrorKind::Unavailable) for what is no such URL, or has
    /// a user, a query or a fragment, and for an environment that contradicts itself. No error shows what it has.
    pub fn at(url: &str, options: ObjectOptions) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        let remote = Remote::connect(&location, &options)?;
        Ok(Objects(Arc::new(Inner { location, options, remote })))
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.0.location.name
    }

    fn remote(&self) -> &Remote {
        &self.0.remote
    }

    fn name(&self) -> &Path {
        Path::new(self.url())
    }

    fn prefix(&self) -> &Key {
        &self.0.location.prefix
    }
}

/// Shows the URL alone: clients show names of keys.
impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.url()).finish()
    }
}
