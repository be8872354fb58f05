//! Custom speech-recognition models: create, list, get and delete them by the rules of a published
//! API, within plans' quotas, over any store.
//!
//! This crate is pure: it reads no file, no clock and no socket, and starts no thread. A host brings
//! a store (SQLite and sled are packages of their own; [`MemoryStore`] is here) and a clock, and
//! calls one type:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
//!
//! let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
//! let caller = Caller::new("acme".parse()?, Plan::gold());
//! let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
//! let model = engine.create(&caller, request)?;
//! assert_eq!(model.model_key().to_string(), "custom_model_1");
//! println!("{}", serde_json::to_string(&model)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is wrong with a request comes back all at once, and every refusal knows its status and its
//! body on the wire:
//!
//! ```
//! use custom_models_core::{CreateModel, Refusal};
//!
//! let violations = CreateModel::from_json(br#"{"name":"","language":"xx"}"#).unwrap_err();
//! let refusal = Refusal::from(violations);
//! println!("{}", refusal.to_json());
//! # assert_eq!(refusal.status(), 400);
//! # assert_eq!(
//! #     refusal.to_json(),
//! #     r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}}"#
//! # );
//! ```
//!
//! Names such as MODEL-6 are rules; the repository's `docs/rules.md` states every one.
#![forbid(unsafe_code)]

mod access;
mod access_refusal;
mod access_store;
mod actor;
mod answer;
mod api_key;
mod archive;
mod audit;
mod base_model;
mod conversions;
mod course;
mod create;
mod create_parameters;
mod data_list;
mod description;
mod echo;
mod edits;
mod engine;
mod event;
mod fields;
mod figure;
mod gate;
mod language;
mod lease;
mod limited;
mod limits;
mod list;
mod list_events;
mod memory;
mod memory_access;
mod memory_archive;
mod memory_life;
mod memory_rows;
mod metric_fault;
mod metric_name;
mod model;
mod moment;
mod name;
mod operation;
mod pending;
mod place;
mod plan;
mod plans;
mod progress;
mod refusal;
mod run_model;
mod scan;
mod scope;
mod store;
mod text;
mod timestamp;
mod training;
mod training_data;
mod training_metrics;
mod update;
mod violation;
mod violations;
mod window;
pub mod wire;
mod work;
mod work_requests;

pub use access::{Caller, InvalidOrganisation, Organisation};
pub use access_refusal::AccessRefusal;
pub use access_store::{
    AccessChange, AccessOutcome, AccessStore, Grant, InvalidPlanName, PlanName, Registration, Store,
};
pub use actor::{Actor, InvalidActor};
pub use answer::{
    AnswerKey, IdempotencyKey, InvalidIdempotencyKey, KeptAnswer, NewAnswer, Repeatable,
};
pub use api_key::{ApiKey, InvalidKeyId, KeyDigest, KeyId, KeyRecord};
pub use archive::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, KeyLine, MOST_FINDINGS, ModelLine, Record,
};
pub use audit::{Audit, Finding};
pub use base_model::BaseModel;
pub use course::{Course, Failure, InvalidCourse, Run, Success};
pub use create::{CreateModel, CreateModelBuilder};
pub use create_parameters::CreateParameters;
pub use data_list::{DataList, ListedFile, ListedPair};
pub use description::Description;
pub use echo::is_format_character;
pub use edits::{Edited, Uploaded};
pub use engine::{Answered, Engine, EventList, Validated};
pub use event::{Event, EventPage, EventType, NewEvent};
pub use figure::{Figure, InvalidFigure};
pub use gate::{Admitted, Entered, Gate};
pub use language::Language;
pub use lease::{Fence, InvalidLeaseTime, Lease, LeaseTime};
pub use limited::Limited;
pub use limits::{Limits, OperationLimit};
pub use list::{ListModels, ModelPage, PerPage, Start};
pub use list_events::ListEvents;
pub use memory::MemoryStore;
pub use metric_fault::MetricFault;
pub use metric_name::{InvalidMetricName, MetricName};
pub use model::{
    CustomModel, Edit, EditRefusal, Expected, InvalidModelId, InvalidModelRow, ModelId, ModelKey,
    ModelRow, NewModel, Revision, Stamp, Transition, transition,
};
pub use moment::Moment;
pub use name::Name;
pub use operation::{InvalidOperation, Operation};
pub use place::{InvalidStoreIdentity, Lineage, OpenMode, StoreIdentity, StoreSummary};
pub use plan::Plan;
pub use plans::{Plans, UnknownPlan};
pub use progress::{InvalidProgress, Progress};
pub use refusal::Refusal;
pub use run_model::RunModel;
pub use scope::{InvalidScope, Scope, Scopes};
pub use store::{
    Admission, AdmissionRequest, AdmissionRows, AdmissionRowsMut, Change, Completion, Counters,
    DataChange, Filter, Job, Judged, Listing, ModelStore, Outcome, Purge, Purged, Rows, Selection,
    StoreError, StoreErrorKind, WindowState, Write, admit, apply, window_state,
};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use training::{InvalidTrainingStatus, NoTransition, TrainingEvent, TrainingStatus};
pub use training_data::{
    ContentDigest, DataFile, DataId, DataPair, DataTotals, DataType, InvalidDataId, NewPair,
};
pub use training_metrics::{TooManyMetrics, TrainingMetrics};
pub use update::{UpdateModel, UpdateModelBuilder};
pub use violation::{Field, Violation, ViolationKind};
pub use violations::Violations;
pub use window::{
    InvalidRequestLimit, InvalidWindowKey, RequestLimit, Standing, Window, WindowKey,
};
pub use work::{Claimed, LeaseHeld, Retention, Swept};
pub use work_requests::{ClaimTraining, Heartbeat, TrainingFailed, TrainingSucceeded};
