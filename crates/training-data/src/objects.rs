//! Contents as objects: `{prefix}/{organisation}/{model}/{content}` in a bucket or a container (PLACE-2).
//!
//! An upload is written to a temporary file and validated there. Then it is sent, in parts if it is large,
//! and becomes an object once it is complete. A writer that sends or holds one for long keeps a marker beside
//! it, `{content}.writing`, and updates it from time to time. A sweep takes a marker that was not updated for
//! an hour away from its writer, whose upload is then refused at its commit. The marker names the multipart
//! upload to abort. Changes of marks and markers are conditional on the version that was read.

mod bridge;
mod client;
mod clock;
mod content;
mod fault;
mod hold;
mod location;
mod mark;
mod options;
mod pieces;
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

/// A bucket or a container, or a prefix in one, for a [`Folder`](crate::Folder).
///
/// Requests are made on a thread with a runtime that belongs to this value; callers block until the response.
#[derive(Clone)]
pub struct Objects(Arc<Inner>);

struct Inner {
    location: Location,
    options: ObjectOptions,
    remote: Remote,
}

impl Objects {
    /// Opens `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`, without a request.
    /// Credentials, regions and endpoints come from the environment, in the form that each service defines.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](custom_models_core::store::StoreErrorKind::Unavailable) for an invalid
    /// URL, for a URL with a user, a query or a fragment, and for a contradictory environment. Error messages
    /// do not show the URL or the environment.
    pub fn at(url: &str, options: ObjectOptions) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        let remote = Remote::connect(&location, &options)?;
        Ok(Objects(Arc::new(Inner { location, options, remote })))
    }

    /// Returns the URL.
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

/// Shows the URL alone, since clients show the names of keys.
impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.url()).finish()
    }
}
