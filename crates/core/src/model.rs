//! Custom models: ids, versions, training states and data, and the transition that each edit makes.

mod custom_model;
mod data;
mod data_list;
mod event;
mod figure;
mod id;
mod lease;
mod metric_name;
mod metrics;
mod progress;
#[cfg(feature = "engine")]
mod row;
mod status;
mod training;
mod transition;
mod uploaded;
mod version;

pub use self::custom_model::{CustomModel, NewModel};
#[cfg(feature = "engine")]
pub(crate) use self::data::digest_bytes;
pub use self::data::{
    ContentDigest, DataFile, DataId, DataPair, DataTotals, DataType, InvalidDataId, NewPair,
};
pub use self::data_list::{DataList, DataPage, ListedFile, ListedPair};
pub use self::event::{Event, EventPage, EventType, NewEvent};
pub use self::figure::{Figure, InvalidFigure};
pub use self::id::{InvalidModelId, ModelId, ModelKey};
pub use self::lease::{Fence, InvalidLeaseTime, Lease, LeaseTime};
pub use self::metric_name::{InvalidMetricName, MetricName};
pub use self::metrics::{TooManyMetrics, TrainingMetrics};
pub use self::progress::{InvalidProgress, Progress};
#[cfg(feature = "engine")]
pub use self::row::{InvalidModelRow, ModelRow};
pub use self::status::{InvalidTrainingStatus, NoTransition, TrainingEvent, TrainingStatus};
#[cfg(feature = "engine")]
pub use self::training::InvalidTrainingState;
pub use self::training::{Failure, Run, Success, TrainingState};
pub use self::transition::{DataChange, Edit, EditRefusal, Expected, Transition, transition};
pub use self::uploaded::Uploaded;
pub use self::version::{Revision, Version};
