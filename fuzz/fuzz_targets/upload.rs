//! The parts of an upload, compared with a simple implementation of the rules.
#![no_main]

use custom_models_fuzz::upload::{Part, check};

libfuzzer_sys::fuzz_target!(|parts: Vec<Part<'_>>| check(&parts));
