use std::error::Error;
use std::fmt;
use std::sync::Arc;

use custom_models_core::ModelId;
use custom_models_core::store::Store;

/// An error while a case is set up.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Makes places for stores of one kind. Every case asks for places of its own.
pub trait Builder {
    /// A new place, with nothing in it.
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError>;
}

/// A place where a store lives: a folder, a schema of a database. Dropping it clears it away.
pub trait Place {
    /// Opens the store that lives here; the first time it is empty.
    ///
    /// The suite opens a place again after it closed the store, or after it dropped the last
    /// handle on it. Either must have let go of the place.
    fn open(&self) -> Result<Arc<dyn Store>, BoxError>;

    /// Leaves the place as if every id up to `to` had been given away.
    ///
    /// Called while no store is open here, and after one was.
    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError>;

    /// The place as it would be found if every process that has it open were killed now.
    ///
    /// Called while a store is open here. For a store that lives in files this is a copy of them as
    /// they were at one moment; [`FolderBuilder`](crate::FolderBuilder) makes it. For one that lives
    /// in a server it is the same place, reached anew.
    fn after_kill(&self) -> Result<AfterKill, BoxError>;
}

/// The rest of a store after the death of its process.
pub enum AfterKill {
    /// A place with all that was acknowledged in it (MODEL-6).
    Place(Box<dyn Place>),
    /// Nothing, and that is known and allowed.
    Exempt(Exemption),
}

/// A rule that a store need not keep, by name. Only this crate makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemption(&'static str);

impl Exemption {
    /// The exemption of a store in memory, whose records die with the process.
    pub(crate) const MODEL_6: Exemption = Exemption("MODEL-6");

    /// The number of the rule.
    pub const fn rule(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exempt from {}", self.0)
    }
}
