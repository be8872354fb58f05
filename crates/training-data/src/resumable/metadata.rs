//! The metadata of an upload, in the form of the header `Upload-Metadata`.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Pairs of a name and a value in Base64, separated by commas. A value may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    text: String,
    filename: Option<String>,
}

/// The error for a text that is not metadata, or is longer than [`Metadata::MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMetadata;

impl fmt::Display for InvalidMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not pairs of a name and a value in Base64, separated by commas")
    }
}

impl std::error::Error for InvalidMetadata {}

impl Metadata {
    /// The most bytes of the text.
    pub const MAX_BYTES: usize = 4096;

    /// Parses metadata. Nothing at all is valid.
    ///
    /// # Errors
    ///
    /// [`InvalidMetadata`].
    pub fn parse(text: &str) -> Result<Self, InvalidMetadata> {
        if text.len() > Metadata::MAX_BYTES {
            return Err(InvalidMetadata);
        }
        let (mut names, mut filename) = (Vec::new(), None);
        for pair in text.split(',').filter(|_| !text.is_empty()) {
            let pair = pair.trim_matches(' ');
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            let value = BASE64_STANDARD.decode(value).map_err(|_| InvalidMetadata)?;
            if !is_name || names.contains(&name) {
                return Err(InvalidMetadata);
            }
            if name == "filename" {
                filename = Some(String::from_utf8(value).map_err(|_| InvalidMetadata)?);
            }
            names.push(name);
        }
        Ok(Metadata { text: text.to_owned(), filename })
    }

    /// Returns the text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the value of `filename`, the name of the file.
    pub fn filename(&self) -> Option<&str> {
        self.filename.as_deref()
    }
}

#[cfg(test)]
mod tests;
