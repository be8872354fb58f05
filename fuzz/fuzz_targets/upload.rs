//! The parts of an upload against the rules told naively.
#![no_main]

use custom_models_fuzz::upload::{Part, check};

libfuzzer_sys::fuzz_target!(|parts: Vec<Part<'_>>| check(&parts));
