//! The configuration: the store, its folder of training data, the plans and the limits.

pub(crate) mod data_folder;
pub(crate) mod global;
pub(crate) mod settings;
pub(crate) mod span;
pub(crate) mod store_path;
pub(crate) mod store_url;
pub(crate) mod temp_folder;
