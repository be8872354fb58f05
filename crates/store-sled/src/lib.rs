//! Custom models in a sled database.
#![forbid(unsafe_code)]
