use std::borrow::Cow;

use serde::Serialize;

use crate::field::names::Field;
use crate::field::newtype::text_newtype;
use crate::field::text::is_longer_than;
use crate::field::violation::ViolationKind;

/// The description of a model: up to 1000 characters, stored exactly as sent (DESC-3).
///
/// It may be empty (DESC-4), which differs from no description, `None` (DESC-1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Description<'a>(Cow<'a, str>);

impl Description<'_> {
    /// The most characters in a description (DESC-3). A character is a Unicode scalar value.
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
