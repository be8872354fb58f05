//! Bytes that may be an audio: whether it is one, how long it lasts, and how much work that is.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| custom_models_fuzz::audio::check(bytes));
