//! The erasure of an organisation from a store in memory, and the number of erased records.

use custom_models_core::access::{Limits, Operation, Scope};
use custom_models_core::model::{DataType, Expected};
use custom_models_core::store::{
    AccessChange, ArchiveChange, ArchiveStore, IdempotentRequest, NewIdempotencyRecord,
    Registration,
};
use custom_models_core::{Caller, Plan};

use crate::support::{House, block_on, caller, pair, request};

/// Creates models with a pair of data and an idempotency record each.
fn create(house: &House, by: &Caller, models: u64) {
    let engine = house.clock.engine(house.store.clone());
    for number in 0..models {
        let idempotency = IdempotentRequest {
            key: format!("k{number}").parse().unwrap(),
            request: NewIdempotencyRecord::digest(b""),
        };
        block_on(engine.create_once_async(by, request("n"), idempotency)).unwrap();
        let last = house.store.summary().unwrap().last_id;
        let new = pair(DataType::Train, 1);
        engine.add_data(by, last.try_into().unwrap(), new, &Expected::Anything).unwrap();
    }
}

fn erase(house: &House, organisation: &str) -> u64 {
    let organisation = organisation.parse().unwrap();
    house.store.archive(ArchiveChange::Erase { organisation, limit: 1 }).unwrap()
}

#[test]
fn all_records_of_an_organisation_are_erased_and_counted_and_no_others() {
    let house = House::new();
    let gate = house.gate(Limits::default());
    let keys = [(1, "acme"), (2, "acme"), (3, "other")]
        .map(|(number, of)| house.key(number, of, &[Scope::Write]));
    for key in &keys {
        drop(gate.enter(Some(&**key), Operation::Create).unwrap().admit().unwrap());
    }
    create(&house, &caller("acme", Plan::gold()), 3);
    create(&house, &caller("other", Plan::gold()), 2);
    let before = house.store.summary().unwrap();
    assert_eq!((before.last_id, before.events, before.has_data), (5, 10, true));
    // A registration, two keys, three models with their data, their idempotency records and two events each, and the
    // counters.
    assert_eq!(erase(&house, "acme"), 1 + 2 + 3 + 3 + 3 + 6 + 1);
    assert_eq!(erase(&house, "acme"), 0);
    assert_eq!(house.store.summary().unwrap(), before, "nothing that was assigned is used again");
    // The admissions of an erased key are gone, should its id be used again.
    let registration =
        Registration { organisation: "acme".parse().unwrap(), plan: "Gold".parse().unwrap() };
    house.change(AccessChange::Register(registration));
    house.key(1, "acme", &[Scope::Write]);
    assert_eq!([house.admissions(1), house.admissions(3)], [0, 1]);
    assert_eq!(erase(&house, "other"), 1 + 1 + 2 + 2 + 2 + 4 + 1);
    assert!(!house.store.summary().unwrap().has_data);
}
