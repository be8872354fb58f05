use std::error::Error;
use std::fmt;
use std::sync::Arc;

use custom_models_core::ModelId;
use custom_models_core::store::Store;

/// An error of the setup of a case.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A factory of places for stores of one kind. Every case asks for its own places.
pub trait Builder {
    /// Creates a new, empty place.
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError>;
}

/// The place of a store: a folder, or the schema of a database. Dropping it removes it.
pub trait Place {
    /// Opens the store at this place; the first time it is empty.
    ///
    /// The suite opens a place again after it closed the store or dropped its last handle. Both must release
    /// the place.
    fn open(&self) -> Result<Arc<dyn Store>, BoxError>;

    /// Changes the stored state as if every id up to `to` had been used.
    ///
    /// Called while no store is open here, after one was.
    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError>;

    /// Returns the place as a kill of all processes that have it open would leave it.
    ///
    /// Called while a store is open here. For a store in files this is a copy of the files in one consistent
    /// state, which [`FolderBuilder`](crate::FolderBuilder) makes. For a store on a server it is the same
    /// place with new connections.
    fn after_kill(&self) -> Result<AfterKill, BoxError>;
}

/// The state of a store after its process was killed.
pub enum AfterKill {
    /// A place with everything that was acknowledged (MODEL-6).
    Place(Box<dyn Place>),
    /// Nothing, and the store is exempt from the rule.
    Exempt(Exemption),
}

/// A rule that a store is exempt from, by number. Only this crate creates exemptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemption(&'static str);

impl Exemption {
    /// The exemption of the store in memory, whose records end with the process.
    pub(crate) const MODEL_6: Exemption = Exemption("MODEL-6");

    /// Returns the number of the rule.
    pub const fn rule(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exempt from {}", self.0)
    }
}
