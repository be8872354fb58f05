use serde::{Deserialize, Serialize};

use crate::request::json::scan;
use crate::request::raw::{BodyFault, RawFields};
use crate::request::violations::Violations;

/// A valid request to start the training of a model: an object with no required fields (TRAIN-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunModel {}

impl RunModel {
    /// Parses a request body; all fields are ignored.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        scan(body, &mut RawFields::default()).map_err(BodyFault::violations)?;
        Ok(RunModel {})
    }
}
