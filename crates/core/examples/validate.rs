//! Validation alone: a request body on standard input, and what is wrong with it on standard output.
//!
//! `echo '{"name":"","language":"xx"}' | cargo run -p custom-models-core --no-default-features --example validate`

use std::io::{self, Read, Write};

use custom_models_core::CreateModel;
use custom_models_core::wire::ErrorBody;

fn main() -> io::Result<()> {
    let mut body = Vec::new();
    io::stdin().take(CreateModel::MAX_BODY_BYTES as u64).read_to_end(&mut body)?;
    match CreateModel::from_json(&body) {
        Ok(request) => writeln!(io::stdout(), "valid: a model for {}", request.language),
        Err(violations) => writeln!(io::stdout(), "{}", ErrorBody::from(&violations).to_json()),
    }
}
