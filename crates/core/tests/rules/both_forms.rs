//! Every operation has the same outcomes in both forms, blocking and asynchronous.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::time::Duration;

use custom_models_core::access::{Gate, Limits, Operation, OperationLimit, Scope};
use custom_models_core::engine::{EntryStream, Retention};
use custom_models_core::model::{DataId, DataType, Edit, Expected, Fence, Progress, Revision};
use custom_models_core::request::ListData;
use custom_models_core::store::{
    AccessChange, Filter, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord, Registration,
};
use custom_models_core::{
    Caller, Engine, ListModels, MemoryStore, ModelId, Plan, Refusal, UpdateModel,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Clock, House, api_key, block_on, caller, config, id, pair, request, second};
use crate::training::{HOURS_5, lease, worker};

/// A host with a store, an engine and a gate, all in one form.
struct Host {
    is_async: bool,
    clock: Clock,
    engine: Engine,
    gate: Gate,
}

/// Calls an operation in the form of the host, and returns what it gives as text.
macro_rules! call {
    ($host:ident.$part:ident.$blocking:ident | $async:ident($($argument:expr),*)) => {
        if $host.is_async {
            shown(block_on($host.$part.$async($($argument),*)))
        } else {
            shown($host.$part.$blocking($($argument),*))
        }
    };
}

/// As [`call`], for a whole list.
macro_rules! all {
    ($host:ident.$blocking:ident | $async:ident($($argument:expr),*)) => {
        if $host.is_async {
            shown(block_on(collected($host.engine.$async($($argument),*))))
        } else {
            shown($host.engine.$blocking($($argument),*).collect::<Vec<_>>())
        }
    };
}

fn shown(value: impl Debug) -> String {
    format!("{value:?}")
}

async fn collected<T: Send + 'static>(mut list: EntryStream<T>) -> Vec<Result<T, Refusal>> {
    let mut all = Vec::new();
    while let Some(entry) = list.next().await {
        all.push(entry);
    }
    all
}

/// A step: an operation and two arguments, of which each operation makes what it needs.
type Step = (u8, u8, u8);

const STEPS: u8 = 43;

impl Host {
    fn new(is_async: bool) -> Self {
        let house = House::new();
        house.key(1, "acme", &Scope::ALL);
        house.key(2, "acme", &[Scope::Read]);
        let limit = OperationLimit {
            requests: Some("2/10s".parse().unwrap()),
            at_once: NonZeroU32::new(3),
        };
        let gate = house.gate(Limits::NONE.with(Operation::Create, limit));
        let engine = house.clock.engine(house.store.clone());
        Host { is_async, clock: house.clock.clone(), engine, gate }
    }

    /// Makes a step, and returns what it gives.
    fn make(&self, (operation, a, b): Step) -> String {
        let acme = caller(["acme", "other"][usize::from(a % 2)], Plan::gold());
        let (model, expected) = (id(u64::from(b % 4) + 1), expected(a));
        match operation {
            0..=13 => self.write(operation, &acme, model, &expected, (a, b)),
            14..=18 => self.work(operation, &acme, model, (a, b)),
            19..=33 => self.read(operation, &acme, model, (a, b)),
            _ => self.administer(operation, &acme, (a, b)),
        }
    }

    fn write(
        &self,
        operation: u8,
        acme: &Caller,
        model: ModelId,
        expected: &Expected,
        (a, b): (u8, u8),
    ) -> String {
        let once = idempotent(a, b);
        let data = pair(DataType::Train, HOURS_5);
        let edit = match b % 5 {
            0 => Edit::Run,
            1 => Edit::AddData(data.clone()),
            2 => Edit::Cancel,
            3 => Edit::RemoveData(first_pair()),
            _ => Edit::from(UpdateModel::default()),
        };
        let admission = || {
            let key = format!("Bearer {}", api_key(1).expose());
            self.gate.enter(Some(&*key), Operation::Create).unwrap().admission()
        };
        match operation {
            0..=2 => call!(self.engine.create | create_async(acme, request("n"))),
            3 => call!(self.engine.create_once | create_once_async(acme, request("n"), once)),
            4 => call!(
                self.engine.create_limited
                    | create_limited_async(acme, request("n"), Some(once), admission())
            ),
            5 => call!(self.engine.edit | edit_async(acme, model, edit, expected)),
            6 => call!(self.engine.edit_once | edit_once_async(acme, model, edit, expected, once)),
            7 => call!(
                self.engine.edit_limited
                    | edit_limited_async(acme, model, edit, expected, None, admission())
            ),
            8 => {
                let update = UpdateModel::builder().name("m").build().unwrap();
                call!(self.engine.update | update_async(acme, model, update, expected))
            }
            9 => call!(self.engine.delete | delete_async(acme, model)),
            10 => call!(self.engine.add_data | add_data_async(acme, model, data, expected)),
            11 => {
                let of = first_pair();
                call!(self.engine.remove_data | remove_data_async(acme, model, of, expected))
            }
            12 => call!(self.engine.run | run_async(acme, model, expected)),
            _ => call!(self.engine.cancel | cancel_async(acme, model, expected)),
        }
    }

    fn work(&self, operation: u8, acme: &Caller, model: ModelId, (a, b): (u8, u8)) -> String {
        let fence = Fence::new(u64::from(b % 3));
        let (time, anything) = (lease(60), &Expected::Anything);
        match operation {
            14 | 15 => {
                let of = (a % 3 > 0).then(|| acme.organisation());
                call!(self.engine.claim | claim_async(&worker("w"), of, time))
            }
            16 => {
                let edit =
                    Edit::Heartbeat { fence, progress: Progress::new(b % 100).unwrap(), time };
                call!(self.engine.edit | edit_async(acme, model, edit, anything))
            }
            17 => {
                let edit = Edit::Fail { fence, error: "e".to_owned() };
                call!(self.engine.edit | edit_async(acme, model, edit, anything))
            }
            _ => {
                let events = (b % 2 == 0).then(|| Duration::from_secs(u64::from(a)));
                call!(self.engine.sweep | sweep_async(&Retention { events }))
            }
        }
    }

    fn read(&self, operation: u8, acme: &Caller, model: ModelId, (a, b): (u8, u8)) -> String {
        let list = ListData::default();
        match operation {
            19 | 20 => call!(self.engine.get | get_async(acme, model)),
            21 => call!(self.engine.list | list_async(acme, &ListModels::default())),
            22 => call!(self.engine.resolve | resolve_async(acme, model.key())),
            23 => {
                call!(self.engine.events | events_async(acme, u64::from(b % 8), u32::from(a % 8)))
            }
            24 => call!(self.engine.validate | validate_async(acme, &request("n"))),
            25 => {
                let IdempotentRequest { key, .. } = idempotent(a, b);
                let scope = IdempotencyScope { operation: Operation::Create, target: None, key };
                call!(self.engine.kept_answer | kept_answer_async(acme, &scope))
            }
            26 => call!(self.engine.pair | pair_async(acme, model, first_pair())),
            27 => call!(self.engine.data | data_async(acme, model, &list)),
            28 => {
                let fence = Fence::new(u64::from(a % 3));
                call!(self.engine.training_data | training_data_async(acme, model, fence, &list))
            }
            29 | 30 => all!(self.models | models_async(acme, Filter::default())),
            31 | 32 => all!(self.history | history_async(acme, u64::from(b % 8))),
            _ => all!(self.pairs | pairs_async(acme, model)),
        }
    }

    fn administer(&self, operation: u8, acme: &Caller, (a, b): (u8, u8)) -> String {
        let key = format!("Bearer {}", api_key(a % 3 + 1).expose());
        let (key, of) = (Some(&*key), if b % 2 == 0 { Operation::Create } else { Operation::Get });
        let organisation = acme.organisation();
        match operation {
            34 => {
                if self.is_async {
                    let entered = block_on(self.gate.enter_async(key, of));
                    shown(entered.map(|entered| block_on(entered.admit_async())))
                } else {
                    shown(self.gate.enter(key, of).map(|entered| entered.admit()))
                }
            }
            35 => call!(self.gate.recheck | recheck_async(key, of, organisation)),
            36 => {
                let change = AccessChange::RevokeKey { id: api_key(2).id(), at: second(5) };
                call!(self.gate.change | change_async(change))
            }
            37 => {
                let plan = "Enterprise".parse().unwrap();
                let registration = Registration { organisation: organisation.clone(), plan };
                call!(self.gate.change | change_async(AccessChange::SetPlan(registration)))
            }
            38 => call!(self.gate.registrations | registrations_async()),
            39 => call!(self.gate.registration | registration_async(organisation)),
            40 => call!(self.gate.keys | keys_async(organisation)),
            41 => call!(self.gate.sweep | sweep_async()),
            _ => {
                self.clock.go(i64::from(a) * 1000);
                String::new()
            }
        }
    }
}

fn first_pair() -> DataId {
    DataId::new(1).unwrap()
}

fn expected(a: u8) -> Expected {
    match a % 4 {
        0 => Expected::OneOf(vec![Revision::new(1).unwrap()]),
        _ => Expected::Anything,
    }
}

fn idempotent(a: u8, b: u8) -> IdempotentRequest {
    let key = format!("key-{}", a % 3).parse().unwrap();
    IdempotentRequest { key, request: NewIdempotencyRecord::digest(&[b % 2]) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_history_has_the_same_outcomes_in_both_forms(
        steps in vec((0..STEPS, any::<u8>(), any::<u8>()), 1..40),
    ) {
        let (blocking, asynchronous) = (Host::new(false), Host::new(true));
        for step in steps {
            prop_assert_eq!(blocking.make(step), asynchronous.make(step), "{:?}", step);
        }
    }
}

#[test]
fn close_has_both_forms() {
    for is_async in [false, true] {
        let engine = crate::support::engine(MemoryStore::new());
        if is_async {
            block_on(engine.close_async()).unwrap()
        } else {
            engine.close().unwrap()
        }
        let acme = caller("acme", Plan::gold());
        let refusal = block_on(engine.get_async(&acme, id(1))).unwrap_err();
        assert_eq!(engine.get(&acme, id(1)).unwrap_err(), refusal);
    }
}
