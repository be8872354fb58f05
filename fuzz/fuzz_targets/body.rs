//! Request bodies, compared with a simple validation over `serde_json::Value`.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| custom_models_fuzz::body::check(body));
