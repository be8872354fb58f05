//! Random sequences of operations, answer by answer as the reference answers them.

use custom_models_core::{
    BaseModel, Course, Description, Filter, Language, Name, NewModel, TrainingStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::beside::{
    Beside, Change, DataStep, KEYS, ORGANISATIONS, Operation, StampStep, Target, Told, Write,
};
use crate::cases::courses::every_course;
use crate::client::fresh;
use crate::driven::Driven;
use crate::life::kept_for;
use crate::sample::{moment, organisation};
use crate::verdict::{Checked, Stop};
use crate::{Builder, MemoryBuilder};

/// How many sequences are tried where `PROPTEST_CASES` says nothing: few enough for stores that
/// wait for a disk.
const SEQUENCES: u32 = 32;

pub(crate) fn random_operations_are_answered_as_by_the_reference(builder: &dyn Builder) -> Checked {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let (_place, drafts) = fresh(&MemoryBuilder)?;
    let courses = every_course(&Driven::new(&drafts, &organisation("drafts")?))?;
    let courses: Vec<_> = courses.into_iter().map(|model| model.course).collect();
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..80), |operations| {
        match agree(builder, &courses, &operations) {
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
    // Most are of one organisation, so that it comes to have more models than a page shows.
    let [main, others @ ..] = ORGANISATIONS;
    prop_oneof![3 => Just(main), 1 => select(others.to_vec())]
}

fn target() -> impl Strategy<Value = Target> {
    (0..10_usize).prop_map(Target)
}

fn write() -> impl Strategy<Value = Write> {
    let told = (0..KEYS.len(), 0..5_i64, any::<bool>()).prop_map(|(key, half_days, has_body)| {
        // At the end of 24 hours, and a millisecond before it.
        let millis = half_days * kept_for() / 2 - half_days % 2;
        Told { key, millis, has_body }
    });
    (by(), change(), option::weighted(0.7, 0..60_u64), option::weighted(0.3, told))
        .prop_map(|(by, change, event, told)| Write { by, change, event, told })
}

fn change() -> impl Strategy<Value = Change> {
    let stamp = || {
        prop_oneof![
            5 => Just(StampStep::Current),
            1 => Just(StampStep::OtherRevision),
            1 => Just(StampStep::OtherBeats),
        ]
    };
    let data = prop_oneof![
        3 => Just(DataStep::Keep),
        2 => Just(DataStep::Add),
        1 => (0..3_usize).prop_map(DataStep::Remove),
    ];
    prop_oneof![
        6 => (new_model(), option::weighted(0.5, 0..5_u64))
            .prop_map(|(model, limit)| Change::Create { model, limit }),
        8 => (target(), new_model(), 0..20_usize, stamp(), any::<bool>(), data).prop_map(
            |(of, like, course, stamp, is_beat, data)| Change::Update {
                of,
                like,
                course,
                stamp,
                is_beat,
                data,
            }
        ),
        3 => (target(), stamp()).prop_map(|(of, stamp)| Change::Delete { of, stamp }),
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

/// Gives both stores the same operations, and finds the same answers.
fn agree(builder: &dyn Builder, courses: &[Course], operations: &[Operation]) -> Checked {
    let mut beside = Beside::new(builder, courses)?;
    for operation in operations {
        beside.perform(operation)?;
    }
    beside.compare_everything()
}
