//! Lists: order, filters, cursor, skip and limit, each alone and all together.

use custom_models_core::model::TrainingStatus;
use custom_models_core::store::{Filter, Listing, Selection};
use custom_models_core::{BaseModel, CustomModel, Language, ModelId};

use crate::Builder;
use crate::client::{Client, fresh};
use crate::sample::{id, model, models, organisation};
use crate::verdict::{Checked, ensure, ensure_eq};

/// Returns the expected list for a selection of these models, which are in ascending order.
fn listing(models: &[CustomModel], selection: &Selection) -> Listing {
    let matching = || models.iter().filter(|model| selection.filter.matches(model));
    Listing {
        models: matching()
            .filter(|model| selection.after.is_none_or(|after| model.id > after))
            .skip(usize::try_from(selection.skip).unwrap_or(usize::MAX))
            .take(usize::try_from(selection.limit).unwrap_or(usize::MAX))
            .cloned()
            .collect(),
        total: matching().count() as u64,
    }
}

fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for status in [None, Some(TrainingStatus::NotRunning), Some(TrainingStatus::Failed)] {
        for language in [None, Some(Language::En), Some(Language::Nl)] {
            for base_model in [None, Some(BaseModel::General), Some(BaseModel::Medical)] {
                filters.push(Filter { status, language, base_model });
            }
        }
    }
    filters
}

pub(crate) fn read_1_every_selection_shows_what_it_says(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut new = models(14)?;
    let turns = [
        (Language::En, BaseModel::General),
        (Language::Nl, BaseModel::Medical),
        (Language::En, BaseModel::Medical),
    ];
    for (new, (language, base_model)) in new.iter_mut().zip(turns.into_iter().cycle()) {
        new.language = language;
        new.base_model = base_model;
    }
    let mut of_acme = Vec::new();
    for new in &new {
        of_acme.push(store.create(&acme, new)?);
        store.create(&zebra, new)?;
    }
    let mut cursors = vec![None, Some(id(1)?), Some(id(ModelId::MAX)?)];
    cursors.extend(of_acme.iter().step_by(2).map(|model| Some(model.id)));
    // Two of these cursors are ids of deleted models.
    for gone in [8, 0] {
        store.delete(&acme, &of_acme.remove(gone))?;
    }
    let check = |store: &Client| -> Checked {
        for filter in filters() {
            for after in &cursors {
                for skip in [0, 1, 5, 100, u64::MAX] {
                    for limit in [0, 1, 4, u32::MAX] {
                        let selection = Selection { filter, after: *after, skip, limit };
                        let found = store.list(&acme, &selection)?;
                        ensure_eq!(found, listing(&of_acme, &selection), "{selection:?}");
                    }
                }
            }
        }
        Ok(())
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn read_1_pages_by_cursor_show_every_model_once(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut of_acme = Vec::new();
    for chunk in models(30)?.chunks(10) {
        of_acme.extend(store.create_all(&acme, chunk)?);
        store.create_all(&zebra, chunk)?;
    }
    for limit in [1, 7, 10, 30, 31] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let selection = Selection { after, limit, ..Selection::default() };
            let page = store.list(&acme, &selection)?;
            ensure_eq!(page.total, 30, "the counter beside a page");
            let Some(last) = page.models.last() else {
                break;
            };
            after = Some(last.id);
            seen.extend(page.models);
            ensure!(seen.len() <= 30, "more than there are: {seen:?}");
        }
        ensure_eq!(seen, of_acme, "the pages of {limit}");
    }
    Ok(())
}

pub(crate) fn read_1_an_organisation_without_models_has_an_empty_list(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, never) = (organisation("acme")?, organisation("never")?);
    store.expect(&never, &[])?;
    let created = store.create(&acme, &model(0)?)?;
    store.delete(&acme, &created)?;
    let store = store.reopen(&*place)?;
    for organisation in [&acme, &never] {
        store.expect(organisation, &[])?;
        for filter in filters() {
            let selection = Selection { filter, limit: 10, ..Selection::default() };
            let found = store.list(organisation, &selection)?;
            ensure_eq!(found, Listing::default(), "{selection:?}");
        }
    }
    Ok(())
}
