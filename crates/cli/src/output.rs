//! The output: reports with their exit codes, messages for people, and new files.

pub(crate) mod escape;
pub(crate) mod failure;
pub(crate) mod new_file;
pub(crate) mod path_errors;
pub(crate) mod report;
pub(crate) mod secrets;
pub(crate) mod stderr;
