//! Audits of the records of a store: they find nothing in records that engines wrote, and a moved or lost
//! event.

use std::time::Duration;

use custom_models_core::engine::Retention;
use custom_models_core::model::{
    DataType, Edit, EventType, Expected, LeaseTime, Progress, TrainingMetrics,
};
use custom_models_core::store::{ArchiveChange, ArchiveStore, Audit, EventLine, Finding, Record};
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, MemoryStore, ModelId, Plan, UpdateModel};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Clock, caller, config, id, pair, request};

const ANYTHING: Expected = Expected::Anything;

/// A step: the operation, the model, and a number for the other choices.
type Step = (u8, u64, u16);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec((0..24_u8, 1..4_u64, any::<u16>()), 0..70)
}

/// Runs all steps on an engine whose clock goes forward and back. Refusals change nothing.
fn lived(steps: &[Step], may_forget: bool) -> MemoryStore {
    let (store, clock) = (MemoryStore::new(), Clock::new());
    let engine = clock.engine(store.clone());
    let callers = ["acme", "zebra"].map(|name| caller(name, Plan::enterprise()));
    let worker: Actor = "worker".parse().unwrap();
    for &(what, of, number) in steps {
        let caller = &callers[usize::from(number % 7 == 0)];
        let seconds = [1, 6_000, 12_000, 18_000][usize::from(number % 4)];
        let model = id(of);
        let fence = || {
            let model = engine.get(caller, model).ok()?;
            Some(model.training.run()?.lease.as_ref()?.fence)
        };
        let edit = |edit: Edit| {
            let worker = Caller::new(caller.organisation().clone(), Plan::gold());
            drop(engine.edit(&worker, model, edit, &ANYTHING));
        };
        let time = LeaseTime::default();
        let progress = Progress::new((number % 101) as u8).unwrap();
        match what {
            0..=3 => drop(engine.create(caller, request("n"))),
            4 => {
                let update = UpdateModel::builder().name("m").build().unwrap();
                drop(engine.update(caller, model, update, &ANYTHING));
            }
            5 => drop(engine.delete(caller, model)),
            6..=8 => {
                let data_type = if number % 3 == 0 { DataType::Test } else { DataType::Train };
                drop(engine.add_data(caller, model, pair(data_type, seconds), &ANYTHING));
            }
            9 => {
                let first = engine.pairs(caller, model).find_map(Result::ok).map(|pair| pair.id);
                if let Some(first) = first {
                    drop(engine.remove_data(caller, model, first, &ANYTHING));
                }
            }
            10 | 11 => drop(engine.run(caller, model, &ANYTHING)),
            12 => drop(engine.cancel(caller, model, &ANYTHING)),
            13 => drop(engine.claim(&worker, None, time)),
            14 | 15 => {
                if let Some(fence) = fence() {
                    edit(Edit::Heartbeat { fence, progress, time });
                }
            }
            16 => {
                if let Some(fence) = fence() {
                    edit(Edit::Succeed { fence, metrics: TrainingMetrics::default() });
                }
            }
            17 => {
                if let Some(fence) = fence() {
                    edit(Edit::Fail { fence, error: "broke".to_owned() });
                }
            }
            // Ends are rare if every step towards one is random.
            18..=21 => {
                drop(engine.run(caller, model, &ANYTHING));
                edit(Edit::Claim { time });
                let Some(fence) = fence() else { continue };
                edit(Edit::Heartbeat { fence, progress, time });
                match what {
                    18 => edit(Edit::Fail { fence, error: "broke".to_owned() }),
                    19 => {}
                    _ => edit(Edit::Succeed { fence, metrics: TrainingMetrics::default() }),
                }
            }
            22 => clock.go((i64::from(number) - 30_000) * 100),
            _ if may_forget => {
                let events = Some(Duration::from_secs(seconds));
                drop(engine.sweep(&Retention { events }));
            }
            _ => drop(engine.sweep(&Retention { events: None })),
        }
    }
    store
}

fn records(store: &MemoryStore) -> Vec<Record> {
    let mut records = Vec::new();
    let pushed = store.export(&mut |record| {
        records.push(record);
        Ok(())
    });
    pushed.unwrap();
    records
}

fn found(records: &[Record]) -> Vec<Finding> {
    let mut audit = Audit::default();
    records.iter().for_each(|record| audit.look(record));
    audit.findings()
}

/// Returns the event with another model, if one of the two exists and so contradicts it.
fn moved(record: &Record, to: ModelId, all: &[Record]) -> Option<Record> {
    let Record::Event(line) = record else { return None };
    let (organisation, position, model, event) = line.clone().into_parts();
    let is_progress = matches!(event.event_type, EventType::TrainingProgressed { .. });
    let is_there = all.iter().any(
        |record| matches!(record, Record::Model(line) if [model, to].contains(&line.model.id)),
    );
    if model == to || is_progress || !is_there {
        return None;
    }
    Some(Record::Event(EventLine::new(organisation, event.at(position, to))))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn log_1_an_audit_finds_nothing_in_what_engines_leave(steps in steps()) {
        let store = lived(&steps, true);
        let all = records(&store);
        prop_assert_eq!(found(&all), []);
        let copy = MemoryStore::new();
        copy.archive(ArchiveChange::Import(all)).unwrap();
        prop_assert_eq!(found(&records(&copy)), []);
        let organisation = "acme".parse().unwrap();
        copy.archive(ArchiveChange::Erase { organisation, limit: 9 }).unwrap();
        prop_assert_eq!(found(&records(&copy)), []);
    }

    /// In a complete history a moved event is detected, unless both models are deleted, or it is the progress
    /// of a running training and the other model is training too.
    #[test]
    fn log_1_an_audit_finds_an_event_that_was_moved_or_lost(
        mut steps in steps(),
        which in any::<prop::sample::Index>(),
        to in 1..4_u64,
    ) {
        // At least one event.
        steps.insert(0, (0, 1, 1));
        let mut all = records(&lived(&steps, false));
        let events: Vec<usize> = all
            .iter()
            .enumerate()
            .filter(|(_, record)| matches!(record, Record::Event(_)))
            .map(|(index, _)| index)
            .collect();
        let index = events[which.index(events.len())];
        if let Some(moved) = moved(&all[index], id(to), &all) {
            let mut all = all.clone();
            all[index] = moved;
            prop_assert_ne!(found(&all), []);
        }
        all.remove(index);
        prop_assert_ne!(found(&all), []);
    }
}
