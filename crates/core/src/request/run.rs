use crate::request::json::scan;
use crate::request::raw::{BodyFault, RawFields};
use crate::request::violations::Violations;

/// A valid request to have a model trained: an object, in which nothing needs to be said (TRAIN-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RunModel {}

impl RunModel {
    /// Reads a request body; fields are ignored, whatever they hold.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations<'static>> {
        scan(body, &mut RawFields::default()).map_err(BodyFault::violations)?;
        Ok(RunModel {})
    }
}
