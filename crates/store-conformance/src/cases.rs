//! The cases, one file per topic. `for_every_case` lists them all.

pub(crate) mod access;
pub(crate) mod admissions;
pub(crate) mod answers;
pub(crate) mod archives;
pub(crate) mod bursts;
pub(crate) mod claims;
pub(crate) mod closing;
pub(crate) mod data;
pub(crate) mod deletes;
pub(crate) mod durability;
pub(crate) mod edits;
pub(crate) mod events;
pub(crate) mod ids;
pub(crate) mod limited;
pub(crate) mod lineages;
pub(crate) mod lists;
pub(crate) mod order;
pub(crate) mod purges;
pub(crate) mod quota;
pub(crate) mod races;
pub(crate) mod random;
pub(crate) mod random_access;
pub(crate) mod summaries;
pub(crate) mod texts;
pub(crate) mod trainings;
pub(crate) mod updates;
