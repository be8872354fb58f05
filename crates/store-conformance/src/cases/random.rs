//! Random sequences of operations, whose outcomes are compared with those of the reference store.

use custom_models_core::field::{Description, Name};
use custom_models_core::model::{NewModel, TrainingStatus};
use custom_models_core::store::{Filter, Record};
use custom_models_core::{BaseModel, Language};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::cases::trainings::every_course;
use crate::client::fresh;
use crate::differential::{
    Beside, Change, Expects, KEYS, ORGANISATIONS, Operation, Step, Target, Word, Write,
};
use crate::fixture::{Fixture, LEASE};
use crate::life::kept_for;
use crate::sample::{moment, organisation};
use crate::verdict::{Checked, Stop};
use crate::{Builder, MemoryBuilder};

/// The number of sequences if `PROPTEST_CASES` is not set: few enough for stores that wait for a disk.
const SEQUENCES: u32 = 32;

pub(crate) fn random_operations_are_answered_as_by_the_reference(builder: &dyn Builder) -> Checked {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let records = models_of_every_course()?;
    let steps = vec(steps(), 1..60).prop_map(|steps| steps.concat());
    let outcome = TestRunner::new(config).run(&(any::<bool>(), steps), |(is_empty, operations)| {
        let records = if is_empty { &[] } else { records.as_slice() };
        match agree(builder, records, &operations) {
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

/// Returns the records of an organisation with a model in every state of training.
fn models_of_every_course() -> Checked<Vec<Record>> {
    let [main, ..] = ORGANISATIONS;
    let (_place, store) = fresh(&MemoryBuilder)?;
    every_course(&Fixture::new(&store, &organisation(main)?))?;
    let mut records = Vec::new();
    store.handle().export(&mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// Generates an operation, or a training from its data to its end, or a part of it.
fn steps() -> impl Strategy<Value = Vec<Operation>> {
    prop_oneof![9 => operation().prop_map(|operation| vec![operation]), 1 => training()]
}

fn training() -> impl Strategy<Value = Vec<Operation>> {
    (target(), word(), 1..6_usize, 0..3 * LEASE).prop_map(|(of, word, length, millis)| {
        let [by, ..] = ORGANISATIONS;
        let word = Step::Work { word, is_late: false };
        let steps = [Step::Add { is_enough: true }, Step::Run, Step::Claim, word.clone(), word];
        let write = |step| {
            let change = Change::Edit { of, step, expects: Expects::Anything };
            Operation::Write(Write { by, change, millis, key: None, limited: None })
        };
        steps.into_iter().take(length).map(write).collect()
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        17 => write().prop_map(Operation::Write),
        2 => (by(), target()).prop_map(|(by, of)| Operation::Get { by, of }),
        6 => (by(), filter(), option::of(target()), 0..4_u64, 0..6_u32).prop_map(
            |(by, filter, after, skip, limit)| Operation::List { by, filter, after, skip, limit }
        ),
        2 => (by(), 0..12_u64, 0..6_u32)
            .prop_map(|(by, after, limit)| Operation::Events { by, after, limit }),
        1 => (by(), target()).prop_map(|(by, of)| Operation::Data { by, of }),
        1 => (option::of(by()), -1..100_i64, 0..4_u32)
            .prop_map(|(by, second, limit)| Operation::Claimable { by, second, limit }),
        1 => (option::of(0..60_u64), 0..4_i64, prop_oneof![Just(u32::MAX), 1..4_u32]).prop_map(
            |(before, half_days, limit)| Operation::Purge {
                before,
                until: half_days * kept_for() / 2,
                limit,
            }
        ),
        1 => Just(Operation::Reopen),
    ]
}

fn by() -> impl Strategy<Value = &'static str> {
    // Most operations belong to one organisation, so that it gets more models than a page shows.
    let [main, others @ ..] = ORGANISATIONS;
    prop_oneof![3 => Just(main), 1 => select(others.to_vec())]
}

fn target() -> impl Strategy<Value = Target> {
    (0..10_usize).prop_map(Target)
}

fn write() -> impl Strategy<Value = Write> {
    // The end of 24 hours, the end of a lease, and a millisecond before each.
    let millis = prop_oneof![
        2 => (0..5_i64).prop_map(|half_days| half_days * kept_for() / 2 - half_days % 2),
        3 => (0..5_i64, 0..2_i64).prop_map(|(leases, before)| leases * LEASE - before),
        3 => 0..60_000_i64,
    ];
    let (key, limited) = (option::weighted(0.3, 0..KEYS.len()), option::weighted(0.3, 1..6_u32));
    (by(), change(), millis, key, limited).prop_map(|(by, change, millis, key, limited)| Write {
        by,
        change,
        millis,
        key,
        limited,
    })
}

fn change() -> impl Strategy<Value = Change> {
    let expects = prop_oneof![
        5 => Just(Expects::Anything),
        2 => Just(Expects::Current),
        1 => Just(Expects::Another),
    ];
    prop_oneof![
        5 => (new_model(), option::weighted(0.5, 0..5_u64))
            .prop_map(|(model, limit)| Change::Create { model, limit }),
        12 => (target(), step(), expects)
            .prop_map(|(of, step, expects)| Change::Edit { of, step, expects }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (new_model(), any::<bool>(), any::<bool>()).prop_map(
            |(like, is_named, is_described)| Step::Update { like, is_named, is_described }
        ),
        3 => any::<bool>().prop_map(|is_enough| Step::Add { is_enough }),
        2 => (0..3_usize).prop_map(Step::Remove),
        2 => Just(Step::Run),
        1 => Just(Step::Cancel),
        2 => Just(Step::Claim),
        4 => (word(), prop::bool::weighted(0.2))
            .prop_map(|(word, is_late)| Step::Work { word, is_late }),
        1 => Just(Step::Expire),
        3 => Just(Step::Delete),
    ]
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        2 => (0..=100_u8).prop_map(Word::Beat),
        1 => Just(Word::Succeed),
        1 => Just(Word::Fail),
    ]
}

/// Few languages and base models, so that filters match something.
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

/// Checks that both stores give the same outcomes for the same operations.
fn agree(builder: &dyn Builder, records: &[Record], operations: &[Operation]) -> Checked {
    let mut beside = Beside::new(builder, records)?;
    for operation in operations {
        beside.perform(operation)?;
    }
    beside.compare_everything()
}
