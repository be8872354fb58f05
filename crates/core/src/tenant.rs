//! Organisations, their plans, and the callers that act for them.

mod actor;
mod caller;
mod organisation;
mod plan;
mod plan_name;
mod plans;

pub use self::actor::{Actor, InvalidActor};
pub use self::caller::Caller;
pub use self::organisation::{InvalidOrganisation, Organisation};
pub use self::plan::Plan;
pub use self::plan_name::{InvalidPlanName, PlanName};
pub use self::plans::{Plans, UnknownPlan};
