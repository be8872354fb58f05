use crate::tenant::plan::Plan;
use crate::tenant::plan_name::PlanName;

/// The plans that a host knows: what the names in the register stand for (QUOTA-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plans {
    /// In the order in which they were added; no two have the same name.
    plans: Vec<Plan>,
}

impl Plans {
    /// Adds a plan, or replaces the one of the same name.
    #[must_use]
    pub fn with(mut self, plan: Plan) -> Self {
        match self.plans.iter_mut().find(|known| known.name() == plan.name()) {
            Some(known) => *known = plan,
            None => self.plans.push(plan),
        }
        self
    }

    /// The plan of this name.
    pub fn get(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name() == name)
    }

    /// Every plan.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter()
    }

    /// Returns the plan that a name in the register stands for.
    ///
    /// # Errors
    ///
    /// [`UnknownPlan`] if no plan has it: to guess a limit would be to break one (QUOTA-4).
    pub fn resolve(&self, name: &PlanName) -> Result<Plan, UnknownPlan> {
        self.get(name.as_str()).cloned().ok_or_else(|| UnknownPlan(name.clone()))
    }
}

/// The register names a plan that a host does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register names a plan that is not set up: '{0}'")]
pub struct UnknownPlan(pub PlanName);

/// Gold and Enterprise.
impl Default for Plans {
    fn default() -> Self {
        Plans { plans: vec![Plan::gold(), Plan::enterprise()] }
    }
}
