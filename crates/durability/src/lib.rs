//! Crash, power-loss and full-disk tests of the stores.
#![forbid(unsafe_code)]
