//! The caller of an operation.

use crate::tenant::actor::Actor;
use crate::tenant::organisation::Organisation;
use crate::tenant::plan::Plan;

/// The caller of an engine: an organisation, its plan, and the actor for the history (AUTH-3, LOG-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    organisation: Organisation,
    plan: Plan,
    actor: Actor,
}

impl Caller {
    /// Creates a caller for `organisation`, which is on `plan`, with the actor [`Actor::HOST`].
    pub const fn new(organisation: Organisation, plan: Plan) -> Self {
        Caller { organisation, plan, actor: Actor::HOST }
    }

    /// Returns the same caller with another actor (LOG-1).
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Caller { actor, ..self }
    }

    /// Returns the organisation that the caller acts for. The caller sees no other one.
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Returns the organisation's plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the actor for the history (LOG-1).
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}
