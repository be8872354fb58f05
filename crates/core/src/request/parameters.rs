//! Parameters of queries.

use std::str::FromStr;

use crate::field::Violation;

/// Parses a parameter if it is given, and notes its violation if it is invalid.
pub(super) fn parse<'a, T>(
    value: Option<&'a str>,
    validate: impl FnOnce(&'a str) -> Result<T, Violation<'a>>,
    keep: &mut impl FnMut(Violation<'a>),
) -> Option<T> {
    value.and_then(|value| validate(value).map_err(keep).ok())
}

/// Parses decimal digits without a sign, which `parse` would accept.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Parses decimal digits without a sign. A number that overflows becomes the largest one.
pub(super) fn saturating_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
