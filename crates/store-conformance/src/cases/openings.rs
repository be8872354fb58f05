//! Two openings of one place at a time: they share the records, or one of them is refused.

use std::error::Error;

use custom_models_core::store::{Outcome, StoreError, StoreErrorKind};
use custom_models_core::{CustomModel, Organisation};

use crate::client::{Client, create};
use crate::sample::{model, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{BoxError, Builder, Place};

/// Returns the kind of the store error that is this error or one of its causes.
pub(crate) fn kind_of(error: &BoxError) -> Option<StoreErrorKind> {
    let mut error: Option<&(dyn Error + 'static)> = Some(&**error);
    while let Some(found) = error {
        if let Some(found) = found.downcast_ref::<StoreError>() {
            return Some(found.kind());
        }
        error = found.source();
    }
    None
}

pub(crate) fn two_openings_of_a_place_share_it_or_one_is_locked(builder: &dyn Builder) -> Checked {
    let place = builder.new_place()?;
    let store = Client::open(&*place)?;
    let acme = organisation("acme")?;
    let before = store.create(&acme, &model(0)?)?;
    opened_twice(&*place, store, &acme, vec![before])
}

pub(crate) fn two_openings_of_a_new_place_share_it_or_one_is_locked(
    builder: &dyn Builder,
) -> Checked {
    let place = builder.new_place()?;
    let store = Client::open(&*place)?;
    opened_twice(&*place, store, &organisation("acme")?, Vec::new())
}

/// The number of models that both openings may create together.
const LIMIT: u64 = 5;

fn opened_twice(
    place: &dyn Place,
    first: Client,
    acme: &Organisation,
    mut all: Vec<CustomModel>,
) -> Checked {
    let second = match place.open() {
        Ok(second) => Client::from(second),
        Err(error) if kind_of(&error) == Some(StoreErrorKind::Locked) => {
            // The first one goes on as before, and its end releases the place.
            all.push(first.create(acme, &model(1)?)?);
            first.expect(acme, &all)?;
            return first.reopen(place)?.expect(acme, &all);
        }
        Err(error) => return Err(error.into()),
    };
    // A store that is taken over by a later opening is closed.
    let mut stores = vec![first, second];
    stores.retain(|store| !is_closed(store, acme));
    ensure!(!stores.is_empty(), "both openings are closed");
    let mut refused = 0;
    for number in 1..2 * LIMIT {
        for store in &stores {
            match store.submit(acme, create(&model(number)?, Some(LIMIT))).wait()?? {
                Outcome::Created(model) => all.push(model),
                Outcome::LimitReached { current } => {
                    ensure_eq!(current, LIMIT, "the models at a refusal");
                    refused += 1;
                }
                other => return Err(Stop::failed(format!("a create was answered by {other:?}"))),
            }
            for store in &stores {
                store.expect(acme, &all)?;
            }
        }
    }
    ensure!(refused > 0, "two openings never reach their limit");
    ensure_eq!(all.len() as u64, LIMIT, "models in a place with a limit");
    for store in stores {
        store.close()?;
    }
    Client::open(place)?.expect(acme, &all)
}

fn is_closed(store: &Client, acme: &Organisation) -> bool {
    let events = store.events(acme, 0, 1);
    events.is_err_and(|error| error.kind() == StoreErrorKind::Closed)
}
