//! The operations on a store, read from choices.

use custom_models_core::model::TrainingStatus;
use custom_models_core::store::Filter;
use custom_models_core::{BaseModel, Language};

use crate::differential::choices::Choices;
use crate::differential::write::{Target, Write, by, half_days};

/// The most operations of a run. A fault in a long run also occurs in a short one, and sooner.
const OPERATIONS_A_RUN: usize = 16;

/// A sequence of operations on a store, to be compared with the reference ([`Comparison`](crate::Comparison)).
#[derive(Clone, Debug)]
pub struct Operations(pub(crate) Vec<Operation>);

impl Operations {
    /// Reads operations from bytes, of a fuzzer for example. Any bytes are operations.
    pub fn read(bytes: &[u8]) -> Operations {
        let mut choices = Choices::new(bytes);
        let mut operations = Vec::new();
        while !choices.is_at_end() && operations.len() < OPERATIONS_A_RUN {
            operations.push(Operation::read(&mut choices));
        }
        Operations(operations)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Writes that are made one after the other.
    Writes(Vec<Write>),
    /// Writes that are submitted before any of them is answered.
    Burst(Vec<Write>),
    Get {
        by: usize,
        of: Target,
    },
    List {
        by: usize,
        filter: Filter,
        after: Option<Target>,
        skip: u64,
        limit: u32,
    },
    Events {
        by: usize,
        after: u64,
        limit: u32,
    },
    Data {
        by: usize,
        of: Target,
    },
    Claimable {
        by: Option<usize>,
        second: i64,
        limit: u32,
    },
    Purge {
        before: Option<u64>,
        until: i64,
        limit: u32,
    },
    /// Closes or drops the store, and opens it again.
    Reopen {
        is_closed: bool,
    },
}

impl Operation {
    pub(crate) fn read(choices: &mut Choices<'_>) -> Operation {
        match choices.below(32) {
            0..=5 => Operation::Writes(vec![Write::read_bare(choices)]),
            6..=8 => {
                let count = burst(choices);
                Operation::Burst((0..count).map(|_| Write::read_bare(choices)).collect())
            }
            9 | 10 => Operation::Get { by: by(choices), of: Target::read(choices) },
            11..=14 => list(choices),
            15 => Operation::Reopen { is_closed: choices.below(2) == 1 },
            22..=24 => {
                let count = burst(choices);
                Operation::Burst((0..count).flat_map(|_| Write::read(choices)).collect())
            }
            25 => Operation::Events {
                by: by(choices),
                after: number(choices).map_or(u64::MAX, u64::from),
                limit: number(choices).unwrap_or(u32::MAX),
            },
            26 => Operation::Data { by: by(choices), of: Target::read(choices) },
            27 => Operation::Claimable {
                by: choices.option(by),
                second: match choices.byte() {
                    254 => -1,
                    second => second.into(),
                },
                limit: number(choices).unwrap_or(u32::MAX),
            },
            28 => Operation::Purge {
                before: choices.option(|choices| choices.byte().into()),
                until: half_days(choices.byte()),
                limit: match choices.byte() {
                    128.. => u32::MAX,
                    few => u32::from(few % 8).max(1),
                },
            },
            _ => Operation::Writes(Write::read(choices)),
        }
    }
}

/// Reads the number of writes of a burst.
fn burst(choices: &mut Choices<'_>) -> u8 {
    match choices.below(6) {
        5 => 1,
        few => few + 2,
    }
}

/// Reads a small number, or none for the largest.
fn number(choices: &mut Choices<'_>) -> Option<u32> {
    match choices.byte() {
        u8::MAX => None,
        few => Some(u32::from(few % 16)),
    }
}

fn list(choices: &mut Choices<'_>) -> Operation {
    let (by, said) = (by(choices), choices.byte());
    let status =
        (said & 1 != 0).then(|| choices.one_of(&TrainingStatus::ALL, TrainingStatus::NotRunning));
    let language = (said & 2 != 0).then(|| choices.one_of(Language::ALL, Language::En));
    let base_model = (said & 4 != 0).then(|| choices.one_of(&BaseModel::ALL, BaseModel::General));
    let after = (said & 8 != 0).then(|| Target::read(choices));
    let skip = match choices.byte() {
        u8::MAX => u64::MAX,
        skip => u64::from(skip % 8).saturating_sub(2),
    };
    let limit = number(choices).unwrap_or(u32::MAX);
    Operation::List { by, filter: Filter { status, language, base_model }, after, skip, limit }
}
