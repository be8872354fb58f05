//! Typed requests, read from JSON bodies, query parameters or builders. An invalid request yields all its
//! violations at once.

mod create;
mod create_query;
mod deserialize;
mod filter;
mod json;
mod list;
mod list_data;
mod list_events;
mod named_uploads;
mod optional_text;
mod parameters;
mod raw;
mod run;
mod update;
mod violations;
mod worker;

pub use self::create::{CreateModel, CreateModelBuilder};
pub use self::create_query::CreateParameters;
pub use self::filter::Filter;
pub use self::list::{ListModels, ModelPage, PerPage, Start};
pub use self::list_data::{ListData, ListTrainingData};
pub use self::list_events::ListEvents;
pub use self::named_uploads::NamedUploads;
pub use self::optional_text::OptionalText;
pub use self::run::RunModel;
pub use self::update::{UpdateModel, UpdateModelBuilder};
pub use self::violations::{Violations, ViolationsIter};
pub use self::worker::{ClaimTraining, Heartbeat, TrainingFailed, TrainingSucceeded};
