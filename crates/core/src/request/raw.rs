//! The values of a request's named fields before validation.
//!
//! JSON bodies, builders and serde all produce them, so that one function validates all three.

use std::borrow::Cow;

use crate::field::{Field, Violation, ViolationKind};
use crate::request::violations::Violations;

/// The raw value of a named field; a text is a `T`, borrowed or owned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RawValue<T> {
    /// The field is absent.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The field is a string, with its escapes resolved.
    Text(T),
    /// The field is a number, a boolean, an array or an object.
    Other,
    /// The field occurs more than once (BODY-3).
    Repeated,
}

impl<T> RawValue<T> {
    /// Records a value, or a repetition if there was one already.
    #[inline]
    pub(crate) fn note(&mut self, value: RawValue<T>) {
        *self = if matches!(self, RawValue::Absent) { value } else { RawValue::Repeated };
    }
}

/// A field that a builder sets, or leaves out.
impl<T> From<Option<T>> for RawValue<T> {
    #[inline]
    fn from(text: Option<T>) -> Self {
        text.map_or(RawValue::Absent, RawValue::Text)
    }
}

impl<T> RawValue<T> {
    /// Returns the text, if the value is one.
    pub(crate) fn into_text<'a>(self) -> Option<Cow<'a, str>>
    where
        T: Into<Cow<'a, str>>,
    {
        match self {
            RawValue::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

/// The raw values of the named fields of a create request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawFields<T> {
    pub(crate) name: RawValue<T>,
    pub(crate) language: RawValue<T>,
    pub(crate) base_model: RawValue<T>,
    pub(crate) description: RawValue<T>,
}

impl<T> RawFields<T> {
    /// Returns the field with this key; `None` for a key that the rules do not name (BODY-2).
    pub(crate) fn named(&mut self, key: &str) -> Option<&mut RawValue<T>> {
        match key {
            "name" => Some(&mut self.name),
            "language" => Some(&mut self.language),
            "base_model" => Some(&mut self.base_model),
            "description" => Some(&mut self.description),
            _ => None,
        }
    }

    /// Returns the field whose key a member begins with, and the length of key and colon, if they are written
    /// in the usual way: without escapes and without white space.
    #[inline]
    pub(crate) fn keyed(&mut self, member: &[u8]) -> Option<(&mut RawValue<T>, usize)> {
        const NAME: &[u8] = br#""name":"#;
        const LANGUAGE: &[u8] = br#""language":"#;
        const BASE_MODEL: &[u8] = br#""base_model":"#;
        const DESCRIPTION: &[u8] = br#""description":"#;
        if member.starts_with(NAME) {
            Some((&mut self.name, NAME.len()))
        } else if member.starts_with(LANGUAGE) {
            Some((&mut self.language, LANGUAGE.len()))
        } else if member.starts_with(BASE_MODEL) {
            Some((&mut self.base_model, BASE_MODEL.len()))
        } else if member.starts_with(DESCRIPTION) {
            Some((&mut self.description, DESCRIPTION.len()))
        } else {
            None
        }
    }
}

/// The reason why a body has no fields to validate (BODY-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// Not one JSON text in UTF-8, nested too deeply, or with a lone surrogate escape.
    NotJson,
    /// Well-formed, but not an object.
    NotAnObject,
}

impl BodyFault {
    /// Returns the one violation of such a body.
    #[cold]
    pub(crate) fn violations(self) -> Violations {
        let kind = match self {
            BodyFault::NotJson => ViolationKind::NotJson,
            BodyFault::NotAnObject => ViolationKind::NotAnObject,
        };
        Violation::new(Field::Body, kind).into()
    }
}
