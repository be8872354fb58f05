//! The paths of the routes.

/// The route on which models are created and listed.
pub(crate) const MODELS: &str = "/api/v3/custom_models";

/// The route of one model.
pub(crate) const MODEL: &str = "/api/v3/custom_models/{id}";

/// The route of the data of a model.
pub(crate) const DATA: &str = "/api/v3/custom_models/{id}/data";

/// The route of one pair of the data of a model.
pub(crate) const PAIR: &str = "/api/v3/custom_models/{id}/data/{data_id}";

/// The beginning of the routes of workers.
pub(crate) const TRAINING: &str = "/api/v3/training";
