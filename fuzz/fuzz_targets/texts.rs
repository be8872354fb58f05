//! Every type parsed from a text, compared with a simple implementation of its rule.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| custom_models_fuzz::texts::check(text));
