//! What a request says of each named field, before any rule is applied.
//!
//! Bytes, the builder and serde all end here, so that one judge gives one verdict.

use std::borrow::Cow;

/// What a request says of one named field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// The field is not there.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The field is a string, its escapes resolved.
    Text(Cow<'a, str>),
    /// The field is a number, a boolean, an array or an object.
    Other,
    /// The field is there more than once (BODY-3).
    Repeated,
}

impl<'a> Found<'a> {
    /// Takes note of a value, or of the repetition when there was one already.
    pub(crate) fn note(&mut self, value: Found<'a>) {
        *self = if *self == Found::Absent { value } else { Found::Repeated };
    }
}

/// The named fields of a create request, as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    pub(crate) name: Found<'a>,
    pub(crate) language: Found<'a>,
    pub(crate) base_model: Found<'a>,
    pub(crate) description: Found<'a>,
}

impl<'a> Fields<'a> {
    /// The place of a field by its key; `None` for a key that the rules do not name (BODY-2).
    pub(crate) fn named(&mut self, key: &str) -> Option<&mut Found<'a>> {
        match key {
            "name" => Some(&mut self.name),
            "language" => Some(&mut self.language),
            "base_model" => Some(&mut self.base_model),
            "description" => Some(&mut self.description),
            _ => None,
        }
    }
}

/// Why a body has no fields to judge (BODY-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// Not one JSON text in UTF-8, nested too deep, or with a lone surrogate escape.
    NotJson,
    /// Well-formed, but not an object.
    NotAnObject,
}
