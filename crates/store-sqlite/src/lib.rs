//! Custom models in one SQLite file.
#![forbid(unsafe_code)]
