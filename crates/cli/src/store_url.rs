//! Naming a store by a URL: a scheme, a colon, and where it lives.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use custom_models_core::{MemoryStore, Store, StoreError};

/// Opens a kind of store at a place, and makes it where there is none.
type Opener = fn(&Path) -> Result<Arc<dyn Store>, StoreError>;

/// A kind of store.
#[derive(Debug)]
struct Scheme {
    name: &'static str,
    /// Whether it lives at a path.
    has_path: bool,
    /// `None` in a build without this kind of store.
    opener: Option<Opener>,
}

static SCHEMES: [Scheme; 3] = [
    Scheme { name: "sqlite", has_path: true, opener: SQLITE },
    Scheme { name: "sled", has_path: true, opener: SLED },
    Scheme { name: "memory", has_path: false, opener: Some(|_| Ok(Arc::new(MemoryStore::new()))) },
];

#[cfg(feature = "sqlite")]
const SQLITE: Option<Opener> = Some(|path| {
    let store = custom_models_store_sqlite::SqliteStore::open(path)?;
    Ok(Arc::new(store))
});
#[cfg(not(feature = "sqlite"))]
const SQLITE: Option<Opener> = None;

#[cfg(feature = "sled")]
const SLED: Option<Opener> = Some(|path| {
    let store = custom_models_store_sled::SledStore::open(path)?;
    Ok(Arc::new(store))
});
#[cfg(not(feature = "sled"))]
const SLED: Option<Opener> = None;

/// Where models are kept. `Display` shows it as it was given.
#[derive(Clone, Debug)]
pub(crate) struct StoreUrl {
    text: String,
    scheme: &'static Scheme,
    path: PathBuf,
}

/// Why a text is not the URL of a store, or not of one that this build has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidStoreUrl {
    #[error("a store is named by sqlite:PATH, sled:DIR or memory:")]
    UnknownScheme,
    #[error("the path is missing behind {0}:")]
    NoPath(&'static str),
    #[error("a path cannot begin with //: write {0}:PATH")]
    Slashes(&'static str),
    #[error("{0}: has no path")]
    UnwantedPath(&'static str),
    #[error("this build has no {0}; install with --features {0}")]
    NotBuilt(&'static str),
}

impl StoreUrl {
    fn parse(text: &str, schemes: &'static [Scheme]) -> Result<Self, InvalidStoreUrl> {
        let (name, path) = text.split_once(':').ok_or(InvalidStoreUrl::UnknownScheme)?;
        let scheme = schemes
            .iter()
            .find(|scheme| scheme.name == name)
            .ok_or(InvalidStoreUrl::UnknownScheme)?;
        match (scheme.has_path, path) {
            (true, "") => Err(InvalidStoreUrl::NoPath(scheme.name)),
            // `sqlite://models.db` would be a file in the root folder, which nobody means.
            (true, path) if path.starts_with("//") => Err(InvalidStoreUrl::Slashes(scheme.name)),
            (true, _) | (false, "") => {
                Ok(StoreUrl { text: text.to_owned(), scheme, path: PathBuf::from(path) })
            }
            (false, _) => Err(InvalidStoreUrl::UnwantedPath(scheme.name)),
        }
    }

    /// The kind of store.
    #[cfg(feature = "serve")]
    pub(crate) const fn scheme(&self) -> &'static str {
        self.scheme.name
    }

    /// Where what is kept beside the store has its place; `None` for one that lives nowhere.
    pub(crate) fn beside(&self, ending: &str) -> Option<PathBuf> {
        let mut path = self.scheme.has_path.then(|| self.path.clone().into_os_string())?;
        path.push(ending);
        Some(path.into())
    }

    /// What opens this store, if this build has its kind.
    ///
    /// Asked when a command is about to use it, not when the URL is read: commands that need no
    /// store work in every build.
    pub(crate) fn opener(
        &self,
    ) -> Result<impl FnOnce() -> Result<Arc<dyn Store>, StoreError>, InvalidStoreUrl> {
        let opener = self.scheme.opener.ok_or(InvalidStoreUrl::NotBuilt(self.scheme.name))?;
        Ok(move || opener(&self.path))
    }
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
        let scheme = Scheme { name: "test", has_path: false, opener: Some(opener) };
        StoreUrl {
            text: "test:".to_owned(),
            scheme: Box::leak(Box::new(scheme)),
            path: PathBuf::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> InvalidStoreUrl {
        text.parse::<StoreUrl>().unwrap_err()
    }

    #[test]
    fn every_scheme_is_read_with_its_path_as_it_stands() {
        for (text, name, path) in [
            ("sqlite:custom-models.db", "sqlite", "custom-models.db"),
            ("sqlite:/srv/a b:c%20d.db", "sqlite", "/srv/a b:c%20d.db"),
            ("sqlite:C:\\models.db", "sqlite", "C:\\models.db"),
            ("sled:models", "sled", "models"),
            ("memory:", "memory", ""),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!(url.scheme.name, name);
            assert_eq!(url.path, Path::new(path));
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_store_is_refused() {
        for text in ["", "models.db", "mysql:x", "SQLite:x", " sqlite:x", ":x"] {
            assert_eq!(refusal(text), InvalidStoreUrl::UnknownScheme, "{text}");
        }
        assert_eq!(refusal("sqlite:"), InvalidStoreUrl::NoPath("sqlite"));
        assert_eq!(refusal("sled:"), InvalidStoreUrl::NoPath("sled"));
        assert_eq!(refusal("sqlite://x.db"), InvalidStoreUrl::Slashes("sqlite"));
        assert_eq!(refusal("memory:x"), InvalidStoreUrl::UnwantedPath("memory"));
    }

    #[test]
    fn a_build_without_a_store_says_how_to_get_one() {
        static WITHOUT_SLED: [Scheme; 1] = [Scheme { name: "sled", has_path: true, opener: None }];
        let url = StoreUrl::parse("sled:models", &WITHOUT_SLED).unwrap();
        assert_eq!(
            url.opener().err().unwrap().to_string(),
            "this build has no sled; install with --features sled"
        );
    }
}
