//! The fields of requests: one validated type per field, and the violations of their rules.

mod base_model;
mod description;
mod excerpt;
mod language;
mod metric_fault;
mod name;
mod names;
mod newtype;
mod text;
mod violation;

pub use self::base_model::BaseModel;
pub use self::description::Description;
pub use self::excerpt::is_format_character;
pub(crate) use self::excerpt::{excerpt, push_echo};
pub use self::language::Language;
pub use self::metric_fault::MetricFault;
pub use self::name::Name;
pub use self::names::Field;
pub(crate) use self::text::is_blank;
pub use self::violation::{Violation, ViolationKind};
