//! Random sequences of operations, answer by answer as the reference answers them.

use std::collections::BTreeMap;

use custom_models_core::{
    BaseModel, CustomModel, Description, Filter, Language, Listing, ModelId, Name, NewModel,
    Organisation, Outcome, Revision, Selection, TrainingStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::client::{ALL, Client, create, delete, fresh};
use crate::sample::{id, moment, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, MemoryBuilder, Place};

/// How many sequences are tried where `PROPTEST_CASES` says nothing: few enough for stores that
/// wait for a disk.
const SEQUENCES: u32 = 32;

const ORGANISATIONS: [&str; 3] = ["acme", "acme-2", "ACME"];

#[derive(Clone, Debug)]
enum Operation {
    Create { by: &'static str, model: NewModel, limit: Option<u64> },
    Delete { by: &'static str, of: Target, revision: Revision },
    Get { by: &'static str, of: Target },
    List { by: &'static str, filter: Filter, after: Option<Target>, skip: u64, limit: u32 },
    Reopen,
}

/// A model by the order in which all were created, deleted ones too; beyond the last, none.
#[derive(Clone, Copy, Debug)]
struct Target(usize);

pub(crate) fn random_operations_are_answered_as_by_the_reference(builder: &dyn Builder) -> Checked {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..60), |operations| {
        match agree(builder, &operations) {
            Ok(()) => Ok(()),
            Err(Stop::Failed(failure)) => Err(TestCaseError::fail(failure.to_string())),
            Err(Stop::Exempt(exemption)) => Err(TestCaseError::fail(exemption.to_string())),
        }
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, operations)) => {
            Err(Stop::failed(format!("{reason}\nafter {operations:#?}")))
        }
        Err(TestError::Abort(reason)) => Err(Stop::failed(reason.to_string())),
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    // Most are of one organisation, so that it comes to have more models than a page shows.
    let by = || {
        let [main, others @ ..] = ORGANISATIONS;
        prop_oneof![3 => Just(main), 1 => select(others.to_vec())]
    };
    let target = || (0..12_usize).prop_map(Target);
    let revision = prop_oneof![
        4 => Just(Revision::FIRST),
        1 => Just(Revision::FIRST).prop_filter_map("2 is a revision", |_| Revision::new(2)),
    ];
    prop_oneof![
        8 => (by(), new_model(), option::weighted(0.5, 0..5_u64))
            .prop_map(|(by, model, limit)| Operation::Create { by, model, limit }),
        5 => (by(), target(), revision)
            .prop_map(|(by, of, revision)| Operation::Delete { by, of, revision }),
        3 => (by(), target()).prop_map(|(by, of)| Operation::Get { by, of }),
        5 => (by(), filter(), option::of(target()), 0..4_u64, 0..6_u32).prop_map(
            |(by, filter, after, skip, limit)| Operation::List { by, filter, after, skip, limit }
        ),
        1 => Just(Operation::Reopen),
    ]
}

/// Few languages and base models, so that filters find something.
fn language() -> impl Strategy<Value = Language> {
    select(vec![Language::En, Language::Nl])
}

fn base_model() -> impl Strategy<Value = BaseModel> {
    select(vec![BaseModel::General, BaseModel::Medical])
}

fn filter() -> impl Strategy<Value = Filter> {
    (
        option::weighted(0.3, select(&TrainingStatus::ALL[..])),
        option::weighted(0.3, language()),
        option::weighted(0.3, base_model()),
    )
        .prop_map(|(status, language, base_model)| Filter { status, language, base_model })
}

fn new_model() -> impl Strategy<Value = NewModel> {
    let text = |length| vec(any::<char>(), length).prop_map(String::from_iter);
    let name = text(1..12).prop_filter_map("blank", |text| Name::new(text).ok());
    let description =
        text(0..12).prop_filter_map("too long", |text: String| Description::new(text).ok());
    let created_at =
        (0..4_000_000_000_i64).prop_filter_map("out of range", |seconds| moment(seconds).ok());
    (name, option::of(description), language(), base_model(), created_at).prop_map(
        |(name, description, language, base_model, created_at)| NewModel {
            name,
            description,
            language,
            base_model,
            created_at,
        },
    )
}

/// Gives both stores the same operations, and finds the same answers but for the ids, which may
/// have gaps.
fn agree(builder: &dyn Builder, operations: &[Operation]) -> Checked {
    let mut pair = Pair::new(builder)?;
    for operation in operations {
        pair.perform(operation)?;
    }
    for name in ORGANISATIONS {
        pair.list(&organisation(name)?, &ALL, &ALL)?;
    }
    Ok(())
}

struct Pair {
    place: Box<dyn Place>,
    store: Option<Client>,
    reference_place: Box<dyn Place>,
    reference: Option<Client>,
    /// The ids that the store and the reference gave, in the order of their creation.
    ids: Vec<(ModelId, ModelId)>,
    to_reference: BTreeMap<ModelId, ModelId>,
}

impl Pair {
    fn new(builder: &dyn Builder) -> Checked<Pair> {
        let (place, store) = fresh(builder)?;
        let (reference_place, reference) = fresh(&MemoryBuilder)?;
        Ok(Pair {
            place,
            store: Some(store),
            reference_place,
            reference: Some(reference),
            ids: Vec::new(),
            to_reference: BTreeMap::new(),
        })
    }

    fn stores(&self) -> Checked<(&Client, &Client)> {
        match (&self.store, &self.reference) {
            (Some(store), Some(reference)) => Ok((store, reference)),
            _ => Err(Stop::failed("a store that could not be opened again")),
        }
    }

    fn ids_of(&self, target: Target) -> Checked<(ModelId, ModelId)> {
        match self.ids.get(target.0) {
            Some(ids) => Ok(*ids),
            None => Ok((id(ModelId::MAX)?, id(ModelId::MAX)?)),
        }
    }

    /// A model of the store as the reference has it.
    fn translated(&self, model: CustomModel) -> Checked<CustomModel> {
        match self.to_reference.get(&model.id) {
            Some(id) => Ok(CustomModel { id: *id, ..model }),
            None => Err(Stop::failed(format!("nobody created {model:?}"))),
        }
    }

    fn perform(&mut self, operation: &Operation) -> Checked {
        match operation {
            Operation::Create { by, model, limit } => self.create(by, model, *limit),
            Operation::Delete { by, of, revision } => {
                let by = organisation(by)?;
                let (id, reference_id) = self.ids_of(*of)?;
                let (store, reference) = self.stores()?;
                let outcome = store.write(&by, delete(id, *revision))?;
                let right = reference.write(&by, delete(reference_id, *revision))?;
                ensure_eq!(outcome, right, "{operation:?}");
                Ok(())
            }
            Operation::Get { by, of } => {
                let by = organisation(by)?;
                let (id, reference_id) = self.ids_of(*of)?;
                let (store, reference) = self.stores()?;
                let found = store.get(&by, id)?;
                let found = found.map(|model| self.translated(model)).transpose()?;
                ensure_eq!(found, reference.get(&by, reference_id)?, "{operation:?}");
                Ok(())
            }
            Operation::List { by, filter, after, skip, limit } => {
                let after = after.map(|of| self.ids_of(of)).transpose()?;
                let selection =
                    |after| Selection { filter: *filter, after, skip: *skip, limit: *limit };
                self.list(
                    &organisation(by)?,
                    &selection(after.map(|(id, _)| id)),
                    &selection(after.map(|(_, id)| id)),
                )
            }
            Operation::Reopen => {
                self.stores()?;
                let (store, reference) = (self.store.take(), self.reference.take());
                self.store = store.map(|store| store.reopen(&*self.place)).transpose()?;
                self.reference =
                    reference.map(|store| store.reopen(&*self.reference_place)).transpose()?;
                Ok(())
            }
        }
    }

    fn create(&mut self, by: &str, model: &NewModel, limit: Option<u64>) -> Checked {
        let by = organisation(by)?;
        let (store, reference) = self.stores()?;
        let outcome = store.write(&by, create(model, limit))?;
        let right = reference.write(&by, create(model, limit))?;
        match (outcome, right) {
            (Outcome::Created(created), Outcome::Created(right)) => {
                let ids = (created.id, right.id);
                let last = self.ids.last().map(|(id, _)| *id);
                ensure!(Some(ids.0) > last, "id {} after {last:?}", ids.0);
                self.ids.push(ids);
                self.to_reference.insert(ids.0, ids.1);
                ensure_eq!(self.translated(created)?, right, "a create by {by}");
            }
            (outcome, right) => ensure_eq!(outcome, right, "a create by {by} within {limit:?}"),
        }
        Ok(())
    }

    /// Lists from both stores; the selections differ in the id that they begin after.
    fn list(&self, by: &Organisation, selection: &Selection, of_reference: &Selection) -> Checked {
        let (store, reference) = self.stores()?;
        let Listing { models, total } = store.list(by, selection)?;
        let models: Checked<Vec<_>> =
            models.into_iter().map(|model| self.translated(model)).collect();
        let found = Listing { models: models?, total };
        ensure_eq!(found, reference.list(by, of_reference)?, "{by}, {selection:?}");
        Ok(())
    }
}
