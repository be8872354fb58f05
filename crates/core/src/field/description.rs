use std::borrow::Cow;

use serde::Serialize;

use crate::field::newtype::text_newtype;
use crate::field::text::is_longer_than;
use crate::field::violation::{Field, ViolationKind};

/// The description of a model: up to 1000 characters, kept exactly as it was sent (DESC-3).
///
/// The empty description is one (DESC-4); no description is an `Option` that is `None` (DESC-1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Description<'a>(Cow<'a, str>);

impl Description<'_> {
    /// The most characters that a description may have (DESC-3). A character is a Unicode scalar
    /// value.
    pub const MAX_CHARACTERS: usize = 1000;

    #[inline]
    pub(crate) fn validate(text: &str) -> Result<(), ViolationKind> {
        if is_longer_than(text, Self::MAX_CHARACTERS) {
            Err(ViolationKind::TooLong)
        } else {
            Ok(())
        }
    }
}

text_newtype!(Description, Field::Description);
