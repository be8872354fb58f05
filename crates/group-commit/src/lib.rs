//! Group commit: what queued up while the last sync ran is the next transaction.
#![forbid(unsafe_code)]
