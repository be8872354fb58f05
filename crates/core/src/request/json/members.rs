//! Members of a body with their values as written, for infrequent requests.

use std::borrow::Cow;

use super::{Scanner, scan};
use crate::request::raw::{BodyFault, RawFields};

/// Scans a body, and calls `note` with each member of its object: the key with its escapes resolved, the
/// value as written.
pub(crate) fn members<'a>(
    body: &'a [u8],
    mut note: impl FnMut(&str, &'a str),
) -> Result<(), BodyFault> {
    scan(body, &mut RawFields::default())?;
    let text = str::from_utf8(body).map_err(|_| BodyFault::NotJson)?;
    let scanner = Scanner { text };
    let mut at = scanner.space(scanner.space(0) + 1);
    while scanner.byte(at) == Some(b'"') {
        let (key, end) = scanner.string(at)?;
        let value = scanner.colon(end)?;
        let end = scanner.value(value, 1)?;
        note(&key, scanner.slice(value, end)?);
        // After the member there is a comma, or the end of the object and nothing more.
        at = scanner.space(scanner.space(end) + 1);
    }
    Ok(())
}

/// Returns the text of a value that is a string.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    Scanner { text: value }.string(0).ok().map(|(text, _)| text)
}

#[cfg(test)]
mod tests;
