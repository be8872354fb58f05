use std::error::Error;
use std::fmt;
use std::sync::Arc;

use custom_models_core::store::Store;

/// An error of the setup of a case.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A factory of places for stores of one kind. Every case asks for its own places.
pub trait Builder {
    /// Creates a new, empty place.
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError>;

    /// Returns the abilities that places of this builder lack.
    ///
    /// A case that needs one of them is untested. A missing ability that is not declared here makes its cases
    /// fail.
    fn untested(&self) -> &[Ability] {
        &[]
    }
}

/// The place of a store: a folder, or the schema of a database. Dropping it removes it.
///
/// A method returns an [`Ability`] as its error if it lacks that ability, as the provided methods do.
pub trait Place {
    /// Opens the store at this place; the first time it is empty.
    ///
    /// The suite opens a place again after it closed the store or dropped its last handle. Both must release
    /// the place. It also opens a place twice at a time: the second opening fails with
    /// [`StoreErrorKind::Locked`](custom_models_core::store::StoreErrorKind::Locked), or both share the
    /// records. An opening ends what [`Place::fail_disk`] began.
    fn open(&self) -> Result<Arc<dyn Store>, BoxError>;

    /// Returns the place as a kill of all processes that have it open would leave it.
    ///
    /// Called while a store is open here. For a store in files this is a copy of the files in one consistent
    /// state, which [`FolderBuilder`](crate::FolderBuilder) makes. For a store on a server it is the same
    /// place with new connections.
    fn after_kill(&self) -> Result<Box<dyn Place>, BoxError> {
        Err(Ability::Kill.into())
    }

    /// Damages the stored model whose name has this text of ASCII letters, so that it cannot be read.
    ///
    /// Called while no store is open here.
    #[expect(unused_variables, reason = "the name is for those who have the ability")]
    fn damage(&self, text: &str) -> Result<(), BoxError> {
        Err(Ability::Damage.into())
    }

    /// Makes the disk fail below the open store: from now on no write of the store reaches it, until the
    /// place is opened again.
    ///
    /// Called while a store is open here and idle.
    fn fail_disk(&self) -> Result<(), BoxError> {
        Err(Ability::FailingDisk.into())
    }
}

/// An ability of a [`Place`] that some cases need. As an error it says that the place lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ability {
    /// Opening a place again finds what was acknowledged.
    Reopening,
    /// A place can be opened while its store is open.
    SecondOpening,
    /// [`Place::after_kill`].
    Kill,
    /// [`Place::damage`].
    Damage,
    /// [`Place::fail_disk`].
    FailingDisk,
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ability::Reopening => "a place cannot be opened again",
            Ability::SecondOpening => "a place cannot be opened twice at a time",
            Ability::Kill => "a kill cannot be simulated",
            Ability::Damage => "records cannot be damaged",
            Ability::FailingDisk => "the disk cannot be made to fail",
        })
    }
}

impl Error for Ability {}
