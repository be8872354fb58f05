use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::tenant::plan::Plan;
use crate::tenant::plan_name::PlanName;

/// The plans that a host has configured, by the names that registrations use (QUOTA-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Plans {
    /// In the order in which they were added; names are unique.
    plans: Vec<Plan>,
}

impl Plans {
    /// Adds a plan, or replaces the one with the same name.
    #[must_use]
    pub fn with(mut self, plan: Plan) -> Self {
        match self.plans.iter_mut().find(|known| known.name() == plan.name()) {
            Some(known) => *known = plan,
            None => self.plans.push(plan),
        }
        self
    }

    /// Returns the plan with this name.
    pub fn get(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name() == name)
    }

    /// Returns every plan.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter()
    }

    /// Returns the plan that a registration names.
    ///
    /// # Errors
    ///
    /// [`UnknownPlan`] if there is no such plan: a guessed limit could break QUOTA-4.
    pub fn resolve(&self, name: &PlanName) -> Result<Plan, UnknownPlan> {
        self.get(name.as_str()).cloned().ok_or_else(|| UnknownPlan(name.clone()))
    }
}

/// The error for a registered plan that the host has not configured.
///
/// Not `#[non_exhaustive]`: it has the name of the plan alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register names a plan that is not set up: '{0}'")]
pub struct UnknownPlan(pub PlanName);

/// Gold and Enterprise.
impl Default for Plans {
    fn default() -> Self {
        Plans { plans: vec![Plan::gold(), Plan::enterprise()] }
    }
}

/// Reads a list of plans, no two of one name.
impl<'de> Deserialize<'de> for Plans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut plans = Plans { plans: Vec::new() };
        for plan in Vec::<Plan>::deserialize(deserializer)? {
            if plans.get(plan.name()).is_some() {
                return Err(D::Error::custom("two plans have one name"));
            }
            plans.plans.push(plan);
        }
        Ok(plans)
    }
}
