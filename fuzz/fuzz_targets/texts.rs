//! Every type that is made from a text against its rule, told naively.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| custom_models_fuzz::texts::check(text));
