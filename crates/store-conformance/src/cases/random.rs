//! Random sequences of operations, whose outcomes are compared with those of the reference store.

use custom_models_core::store::Record;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::cases::trainings::every_course;
use crate::client::fresh;
use crate::differential::{Choices, Operation, Run, Shared, Submission};
use crate::fixture::Fixture;
use crate::sample::organisation;
use crate::verdict::{Checked, Stop};
use crate::{Builder, Failure, MemoryBuilder};

/// The number of sequences if `PROPTEST_CASES` is not set: few enough for stores that wait for a disk.
const SEQUENCES: u32 = 32;

/// The bytes that an operation is read from: enough for all but the longest texts of a burst.
const BYTES: usize = 96;

pub(crate) fn random_operations_are_answered_as_by_the_reference(builder: &dyn Builder) -> Checked {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let records = models_of_every_course()?;
    let sequence = (any::<bool>(), vec(operation(), 1..60));
    let outcome = TestRunner::new(config).run(&sequence, |(is_empty, operations)| {
        let records = if is_empty { &[] } else { records.as_slice() };
        agree(builder, records, &operations)
            .map_err(|stop| TestCaseError::fail(Failure::from(stop).to_string()))
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
    let (_place, store) = fresh(&MemoryBuilder)?;
    every_course(&Fixture::new(&store, &organisation("acme")?))?;
    let mut records = Vec::new();
    store.handle().export(&mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// Generates an operation. It shrinks only by being left out, so that a failing sequence shrinks soon.
fn operation() -> impl Strategy<Value = Operation> {
    any::<[u8; BYTES]>().prop_map(|bytes| Operation::read(&mut Choices::new(&bytes))).no_shrink()
}

/// Checks that both stores give the same outcomes for the same operations.
fn agree(builder: &dyn Builder, records: &[Record], operations: &[Operation]) -> Checked {
    let mut shared = Shared::new(builder)?;
    let mut run = Run::new(&mut shared, Submission::Apart)?;
    run.import(records)?;
    run.check(operations)
}
