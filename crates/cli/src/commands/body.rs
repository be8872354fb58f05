//! Reading a request body from a file or from standard input, up to the limit of the API.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use custom_models_core::{CreateModel, Refusal};

use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, reason};

/// Reads the body from a file; `-` is standard input.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let body = if file == Path::new("-") {
        read_at_most_one_too_many(io::stdin().lock())
    } else {
        File::open(file).and_then(read_at_most_one_too_many)
    };
    let body = body.map_err(|error| unreadable(file, &error))?;
    if body.len() > CreateModel::MAX_BODY_BYTES {
        Err(Failure::Refused(Refusal::BodyTooLarge.to_json()))
    } else {
        Ok(body)
    }
}

fn read_at_most_one_too_many(source: impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    source.take(CreateModel::MAX_BODY_BYTES as u64 + 1).read_to_end(&mut body)?;
    Ok(body)
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    let reason = reason(file, error);
    Failure::WrongUsage(format!("cannot read the request body from {}: {reason}", Quoted(file)))
}

#[cfg(test)]
mod tests;
