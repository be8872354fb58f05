use std::borrow::Cow;

use serde::Serialize;

use crate::field::names::Field;
use crate::field::newtype::text_newtype;
use crate::field::text::{is_blank, is_longer_than};
use crate::field::violation::ViolationKind;

/// The display name of a model: 1 to 200 characters, not all white space, stored exactly as sent (NAME-3 to
/// NAME-5).
///
/// ```
/// use custom_models_core::field::Name;
///
/// let name = Name::new("Medical Cardiology EN")?;
/// assert_eq!(name.as_str(), "Medical Cardiology EN");
/// assert_eq!(Name::new(" \u{2003}").unwrap_err().to_string(), "Name cannot be empty");
/// # Ok::<(), custom_models_core::field::Violation>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name<'a>(Cow<'a, str>);

impl Name<'_> {
    /// The most characters in a name (NAME-4). A character is a Unicode scalar value.
    pub const MAX_CHARACTERS: usize = 200;

    #[inline]
    pub(crate) fn validate(text: &str) -> Result<(), ViolationKind> {
        if is_blank(text) {
            Err(ViolationKind::Blank)
        } else if is_longer_than(text, Self::MAX_CHARACTERS) {
            Err(ViolationKind::TooLong)
        } else {
            Ok(())
        }
    }
}

text_newtype!(Name, Field::Name);
