//! The rows of the database: their keys, their bytes, and the changes of a group to them. Rows are
//! checked against the rules when they are read, since sled's checksums cannot see every damage.

pub(crate) mod access;
pub(crate) mod admissions;
pub(crate) mod consistency;
pub(crate) mod counters;
pub(crate) mod identity;
pub(crate) mod keys;
pub(crate) mod models;
pub(crate) mod overflow;
pub(crate) mod range;
pub(crate) mod records;
pub(crate) mod totals;
pub(crate) mod write_set;
