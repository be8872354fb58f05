//! Audio files from any bytes: format, duration, and the work to measure them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| custom_models_fuzz::audio::check(bytes));
