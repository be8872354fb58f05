//! One suite that every store of custom models passes.
#![forbid(unsafe_code)]
