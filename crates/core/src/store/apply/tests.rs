use super::*;
use crate::request::CreateModel;
use crate::time::Timestamp;

fn model() -> CustomModel {
    let at = Timestamp::from_unix_seconds(0).unwrap();
    let request = CreateModel::builder().name("n").language("en").build().unwrap();
    request.into_new_model(at).with_id(ModelId::new(1).unwrap())
}

/// Returns the counters after a change. `has_event` tells whether it appends an event.
fn counted(counters: (u64, u64), model: ModelChange, has_event: bool) -> Option<(u64, u64)> {
    let created_at = Timestamp::from_unix_seconds(0).unwrap();
    let event = NewEvent { created_at, actor: Actor::SWEEP, event_type: EventType::Created };
    let made = Made {
        counters: Counters { models: counters.0, events: counters.1 },
        model,
        data: DataChange::Keep,
        removed: None,
        event: has_event.then_some(event),
    };
    made.counted().ok().map(|counters| (counters.models, counters.events))
}

fn insert() -> ModelChange {
    ModelChange::Insert(model())
}

fn replace() -> ModelChange {
    ModelChange::Replace { before: model(), after: model() }
}

fn delete() -> ModelChange {
    ModelChange::Delete(model())
}

#[test]
fn quota_2_and_log_1_a_change_moves_the_counters_of_what_it_makes() {
    assert_eq!(counted((5, 7), insert(), true), Some((6, 8)));
    assert_eq!(counted((5, 7), replace(), true), Some((5, 8)));
    assert_eq!(counted((5, 7), replace(), false), Some((5, 7)));
    assert_eq!(counted((5, 7), delete(), true), Some((4, 8)));
}

#[test]
fn a_counter_that_contradicts_the_rows_is_damage() {
    assert_eq!(counted((0, 7), delete(), true), None);
    assert_eq!(counted((u64::MAX, 7), insert(), true), None);
    assert_eq!(counted((5, u64::MAX), replace(), true), None);
}
