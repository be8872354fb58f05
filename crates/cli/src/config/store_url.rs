//! The URL of a store: a scheme, a colon and a location.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use custom_models_core::MemoryStore;
use custom_models_core::store::{OpenMode, Store, StoreError, StoreErrorKind, StoreIdentity};

use crate::config::store_path::RejectedPath;
use crate::output::failure::Failure;
use crate::output::path_errors::explained_as;
use crate::output::secrets::without_password;

/// Opens a store by its path or its whole URL.
type Opener = fn(&Path, OpenMode) -> Result<Arc<dyn Store>, StoreError>;

/// A kind of store.
#[derive(Debug)]
struct Scheme {
    name: &'static str,
    location: Location,
    /// `None` in a build without this kind of store.
    opener: Option<Opener>,
}

/// The form of a URL after its scheme.
#[derive(Clone, Copy, Debug)]
enum Location {
    /// A path.
    Path,
    /// The rest of a URL, which the store parses.
    Server,
    /// Nothing.
    Memory,
}

static SCHEMES: [Scheme; 5] = [
    Scheme { name: "sqlite", location: Location::Path, opener: SQLITE },
    Scheme { name: "sled", location: Location::Path, opener: SLED },
    Scheme { name: "postgres", location: Location::Server, opener: POSTGRES },
    Scheme { name: "postgresql", location: Location::Server, opener: POSTGRES },
    Scheme {
        name: "memory",
        location: Location::Memory,
        opener: Some(|_, _| Ok(Arc::new(MemoryStore::with_identity(random_identity()?)))),
    },
];

#[cfg(feature = "sqlite")]
const SQLITE: Option<Opener> = Some(|path, mode| {
    let store = custom_models_store_sqlite::SqliteStore::open_as(path, mode)?;
    Ok(Arc::new(store))
});
#[cfg(not(feature = "sqlite"))]
const SQLITE: Option<Opener> = None;

#[cfg(feature = "sled")]
const SLED: Option<Opener> = Some(|path, mode| {
    let store = custom_models_store_sled::SledStore::open_as(path, mode)?;
    Ok(Arc::new(store))
});
#[cfg(not(feature = "sled"))]
const SLED: Option<Opener> = None;

#[cfg(feature = "postgres")]
const POSTGRES: Option<Opener> = Some(|url, mode| {
    let url = url.to_string_lossy();
    let store = custom_models_store_postgres::PostgresStore::open_as(&url, mode)?;
    Ok(Arc::new(store))
});
#[cfg(not(feature = "postgres"))]
const POSTGRES: Option<Opener> = None;

/// The path of a file or folder next to a store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SidecarPath {
    /// At a path.
    At(PathBuf),
    /// The store is lost with its process, and has no place.
    Nowhere,
    /// The store is on a server, for several machines, and has no path.
    Unknown,
}

/// The URL of a store of models. `Display` shows it as it was given, but hides a password.
#[derive(Clone, Debug)]
pub(crate) struct StoreUrl {
    text: String,
    scheme: &'static Scheme,
    path: PathBuf,
}

/// The reason why a text is not the URL of a store that this build can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidStoreUrl {
    #[error("a store is named by sqlite:PATH, sled:DIR, postgres://HOST/DATABASE or memory:")]
    UnknownScheme,
    #[error("the path is missing after {0}:")]
    NoPath(&'static str),
    #[error("a path cannot begin with //: write {0}:PATH")]
    Slashes(&'static str),
    #[error("a server is named by {0}://HOST/DATABASE")]
    NoServer(&'static str),
    #[error("{0}: has no path")]
    UnwantedPath(&'static str),
    #[error("the URL begins or ends with a space: leave it out")]
    Space,
    #[error(transparent)]
    RejectedPath(#[from] RejectedPath),
    #[error("this build has no {0}; install with --features {0}")]
    NotBuilt(&'static str),
}

impl From<InvalidStoreUrl> for Failure {
    fn from(reason: InvalidStoreUrl) -> Self {
        Failure::WrongUsage(reason.to_string())
    }
}

impl StoreUrl {
    fn parse(text: &str, schemes: &'static [Scheme]) -> Result<Self, InvalidStoreUrl> {
        let (name, path) = text.split_once(':').ok_or(InvalidStoreUrl::UnknownScheme)?;
        let scheme = schemes
            .iter()
            .find(|scheme| scheme.name == name)
            .ok_or(InvalidStoreUrl::UnknownScheme)?;
        let (shown, path) = match (scheme.location, path) {
            (Location::Path, "") => return Err(InvalidStoreUrl::NoPath(scheme.name)),
            // `sqlite://models.db` would be a file in the root folder, which is hardly meant.
            (Location::Path, path) if path.starts_with("//") => {
                return Err(InvalidStoreUrl::Slashes(scheme.name));
            }
            (Location::Path, path) => {
                RejectedPath::of(scheme.name, scheme.name == "sqlite", path)?;
                (text.to_owned(), path)
            }
            (Location::Memory, path @ "") => (text.to_owned(), path),
            (Location::Memory, _) => return Err(InvalidStoreUrl::UnwantedPath(scheme.name)),
            (Location::Server, path) if !path.starts_with("//") => {
                return Err(InvalidStoreUrl::NoServer(scheme.name));
            }
            (Location::Server, path) if path.trim() != path => return Err(InvalidStoreUrl::Space),
            (Location::Server, _) => (without_password(text), text),
        };
        Ok(StoreUrl { text: shown, scheme, path: PathBuf::from(path) })
    }

    /// The kind of store.
    #[cfg(feature = "serve")]
    pub(crate) const fn scheme(&self) -> &'static str {
        self.scheme.name
    }

    /// The file of a store in SQLite; `None` of any other.
    pub(crate) fn sqlite_file(&self) -> Option<&Path> {
        (self.scheme.name == "sqlite").then_some(&self.path)
    }

    /// Returns the store's path with `ending` appended.
    pub(crate) fn sidecar(&self, ending: &str) -> SidecarPath {
        match self.scheme.location {
            Location::Memory => SidecarPath::Nowhere,
            Location::Server => SidecarPath::Unknown,
            Location::Path => {
                let mut path = self.path.clone().into_os_string();
                path.push(ending);
                SidecarPath::At(path.into())
            }
        }
    }

    /// Returns a function that opens this store, if this build has its kind.
    ///
    /// Only commands that fill a store use the mode that makes one (PLACE-1). A URL of a store that this build
    /// lacks is refused here and not in the parser, so that commands without a store work in every build.
    pub(crate) fn opener(
        &self,
        mode: OpenMode,
    ) -> Result<impl FnOnce() -> Result<Arc<dyn Store>, StoreError>, InvalidStoreUrl> {
        let opener = self.scheme.opener.ok_or(InvalidStoreUrl::NotBuilt(self.scheme.name))?;
        Ok(move || {
            opener(&self.path, mode).map_err(|fault| match self.scheme.location {
                Location::Path => explained_as(&self.path, mode, fault),
                Location::Server | Location::Memory => fault,
            })
        })
    }
}

impl StoreUrl {
    /// Opens the store, or makes it if it is missing. Calls `refuse` before, so that a refused command leaves no
    /// empty store.
    pub(crate) fn open_or_make(
        &self,
        refuse: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<Arc<dyn Store>, Failure> {
        match self.opener(OpenMode::Existing)?() {
            Err(fault) if fault.kind() == StoreErrorKind::Missing => {
                refuse()?;
                Ok(self.opener(OpenMode::Create)?()?)
            }
            opened => Ok(opened?),
        }
    }
}

/// The identity of a store in memory, which no folder of training data knows.
fn random_identity() -> Result<StoreIdentity, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::new(StoreErrorKind::Failed, error.to_string()))?;
    Ok(StoreIdentity::from_bytes(bytes))
}

impl FromStr for StoreUrl {
    type Err = InvalidStoreUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        StoreUrl::parse(text, &SCHEMES)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
impl StoreUrl {
    /// `test:`, a store that opens as it is told.
    pub(crate) fn opened_by(opener: Opener) -> Self {
        let scheme = Scheme { name: "test", location: Location::Memory, opener: Some(opener) };
        StoreUrl {
            text: "test:".to_owned(),
            scheme: Box::leak(Box::new(scheme)),
            path: PathBuf::new(),
        }
    }
}

#[cfg(test)]
mod tests;
