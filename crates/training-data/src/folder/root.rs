//! The root of a folder: a path, or a location in object storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_models_core::store::StoreError;

use super::disk::Disk;
use super::place::Place;
#[cfg(feature = "object-store")]
use crate::objects::{ObjectOptions, Objects};

/// The schemes of URLs of object storage.
const SCHEMES: [&str; 3] = ["s3://", "gs://", "az://"];

/// The root of a folder of training data: a path or, with the feature `object-store`, a location in object
/// storage, given as `Objects` or as a URL in a path (`s3://…`, `gs://…`, `az://…`).
#[derive(Clone, Debug)]
pub struct Root(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Path(PathBuf),
    #[cfg(feature = "object-store")]
    Objects(Objects),
}

impl Root {
    fn is_url(path: &Path) -> bool {
        path.to_str().is_some_and(|text| SCHEMES.iter().any(|scheme| text.starts_with(scheme)))
    }

    /// Connects to the location that a URL names, once for all folders opened there.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](custom_models_core::store::StoreErrorKind::Unavailable) for an invalid
    /// URL, and without the feature `object-store` for every URL.
    pub fn connected(self) -> Result<Self, StoreError> {
        match self.0 {
            Kind::Path(path) if Root::is_url(&path) => of_url(&path),
            kind => Ok(Root(kind)),
        }
    }

    pub(super) fn place(self) -> Result<Arc<dyn Place>, StoreError> {
        match self.connected()?.0 {
            Kind::Path(path) => Ok(Arc::new(Disk::at(&path)?)),
            #[cfg(feature = "object-store")]
            Kind::Objects(objects) => Ok(Arc::new(objects)),
        }
    }
}

#[cfg(feature = "object-store")]
fn of_url(url: &Path) -> Result<Root, StoreError> {
    Ok(Objects::at(url.to_str().unwrap_or_default(), ObjectOptions::default())?.into())
}

#[cfg(not(feature = "object-store"))]
fn of_url(_: &Path) -> Result<Root, StoreError> {
    let cause = "this program was built without object storage (feature object-store)";
    Err(StoreError::new(custom_models_core::store::StoreErrorKind::Unavailable, cause))
}

impl From<PathBuf> for Root {
    fn from(path: PathBuf) -> Self {
        Root(Kind::Path(path))
    }
}

impl<T: AsRef<Path> + ?Sized> From<&T> for Root {
    fn from(path: &T) -> Self {
        Root(Kind::Path(path.as_ref().to_owned()))
    }
}

#[cfg(feature = "object-store")]
impl From<Objects> for Root {
    fn from(objects: Objects) -> Self {
        Root(Kind::Objects(objects))
    }
}
