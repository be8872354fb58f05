//! The caller of an operation.

use crate::tenant::actor::Actor;
use crate::tenant::organisation::Organisation;
use crate::tenant::plan::Plan;

/// The caller of an engine: an organisation, its plan, and the actor for the history (section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    organisation: Organisation,
    plan: Plan,
    actor: Actor,
}

impl Caller {
    /// A caller that acts for `organisation`, which is on `plan`, as [`Actor::HOST`].
    pub const fn new(organisation: Organisation, plan: Plan) -> Self {
        Caller { organisation, plan, actor: Actor::HOST }
    }

    /// The same caller under another name in the history (LOG-1).
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Caller { actor, ..self }
    }

    /// The organisation that the caller acts for, and the only one that it sees.
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The organisation's plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The actor that the history names (LOG-1).
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}
