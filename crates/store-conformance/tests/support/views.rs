use custom_models_core::model::TrainingStatus;
use custom_models_core::store::{Filter, Listing, Selection, StoreError, StoreErrorKind};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use super::life::whole_seconds;
use super::mutant::Mutant;
use super::state::State;

/// The reads of the rows.
impl State {
    pub(crate) fn get(
        &self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        id: ModelId,
    ) -> Option<CustomModel> {
        if mutant == Some(Mutant::ReadsIgnoreTheOrganisation) {
            return self.rows.values().find(|model| model.id == id).cloned();
        }
        self.rows.get(&(organisation.clone(), id)).cloned()
    }

    pub(crate) fn claimable(
        &self,
        mutant: Option<Mutant>,
        organisation: Option<&Organisation>,
        until: UnixMillis,
        limit: u32,
    ) -> Vec<(Organisation, CustomModel)> {
        let is_asked_for = |of: &Organisation| {
            organisation.is_none_or(|organisation| organisation == of)
                || mutant == Some(Mutant::ClaimableIgnoresTheOrganisation)
        };
        let since = |model: &CustomModel| {
            let run = model.training.run()?;
            match mutant {
                Some(Mutant::BeatsDoNotMoveTheClaim) if run.lease.is_some() => {
                    Some(UnixMillis::from_unix_millis(run.started_at.unix_seconds() * 1000))
                }
                Some(Mutant::ClaimableGoesBySeconds) => {
                    model.training.claimable_at().map(whole_seconds)
                }
                _ => model.training.claimable_at(),
            }
        };
        let waits = |since: UnixMillis| match mutant {
            Some(Mutant::ClaimableBoundIsExclusive) => since < until,
            _ => since <= until,
        };
        let mut found: Vec<_> = self
            .rows
            .iter()
            .filter(|((of, _), model)| is_asked_for(of) && since(model).is_some_and(waits))
            .map(|((of, _), model)| (of.clone(), model.clone()))
            .collect();
        if mutant != Some(Mutant::ClaimableInOrderOfIds) {
            found.sort_by_key(|(_, model)| (since(model), model.id));
        }
        if mutant != Some(Mutant::ClaimableIgnoresItsLimit) {
            found.truncate(limit as usize);
        }
        found
    }

    pub(crate) fn list(
        &self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        let is_own = |of: &Organisation| match mutant {
            Some(Mutant::OrganisationsArePrefixes) => {
                of.as_str().starts_with(organisation.as_str())
            }
            _ => of == organisation,
        };
        let own = || self.rows.iter().filter(|((of, _), _)| is_own(of));
        let own = || own().map(|(_, model)| model);
        if mutant == Some(Mutant::NoModelsIsAnError) && own().next().is_none() {
            return Err(StoreErrorKind::Failed.into());
        }
        let is_after = |id: ModelId| match (selection.after, mutant) {
            (None, _) => true,
            (Some(after), Some(Mutant::CursorShowsItsModel)) => id >= after,
            (Some(after), _) => id > after,
        };
        let skip = usize::try_from(selection.skip).unwrap();
        let limit = match mutant {
            Some(Mutant::ListsIgnoreTheirLimit) => usize::MAX,
            _ => selection.limit as usize,
        };
        let is_wanted = |model: &&CustomModel| matches(mutant, &selection.filter, model);
        let after = own().filter(|model| is_after(model.id));
        let models = match mutant {
            Some(Mutant::SkipsBeforeFiltering) => {
                let models = after.skip(skip).filter(is_wanted);
                models.take(limit).cloned().collect()
            }
            _ => {
                let models = after.filter(is_wanted).skip(skip);
                models.take(limit).cloned().collect()
            }
        };
        let total = if selection.filter.is_empty() || mutant == Some(Mutant::TotalsIgnoreTheFilter)
        {
            let counters = self.counters.iter();
            let own = counters.filter(|((of, _), _)| of == organisation.as_str());
            own.map(|(_, counter)| *counter).sum()
        } else {
            own().filter(is_wanted).count() as u64
        };
        Ok(Listing { models, total })
    }
}

fn matches(mutant: Option<Mutant>, filter: &Filter, model: &CustomModel) -> bool {
    match (mutant, filter.status) {
        (Some(Mutant::StatusIsThatOfTheCreate), Some(status)) => {
            let filter = Filter { status: None, ..*filter };
            status == TrainingStatus::NotRunning && filter.matches(model)
        }
        _ => filter.matches(model),
    }
}
