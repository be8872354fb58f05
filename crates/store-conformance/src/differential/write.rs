//! The writes among the operations, read from choices.

use custom_models_core::{BaseModel, Language};

use crate::differential::choices::{Choices, pick};
use crate::fixture::LEASE;
use crate::life::kept_for;

/// A write with all its parts.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The organisation, by its index.
    pub(crate) by: usize,
    pub(crate) change: Change,
    /// The time of the write, in milliseconds.
    pub(crate) millis: i64,
    /// The idempotency record that is requested.
    pub(crate) told: Option<Told>,
    /// The window that the request has to be admitted to.
    pub(crate) limited: Option<Limited>,
}

/// A requested idempotency record: the caller's key, by its index among a few, and the request's number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) key: u8,
    pub(crate) request: u8,
}

/// A window of an organisation, with the most requests in half a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limited {
    pub(crate) requests: u32,
    /// True if the window is named by a digest instead of the organisation.
    pub(crate) is_digest: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Create { model: Model, limit: Option<u64> },
    Edit { of: Target, step: Step, expects: Expects },
}

/// An edit of a model in its state at that time.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sets the name, the description, both or neither from this model.
    Update {
        like: Model,
        is_named: bool,
        is_described: bool,
    },
    /// Adds a pair with this many hours of audio. Five are enough for a training.
    Add {
        hours: u8,
        is_test: bool,
    },
    /// Removes a pair by its index among the model's pairs.
    Remove(u8),
    Run,
    Cancel,
    Claim,
    /// A report of a worker: under the last claim or, if it is late, under the one before.
    Work {
        word: Word,
        is_late: bool,
    },
    Expire,
    Delete,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Beat(u8),
    Succeed,
    Fail,
}

/// The revisions that a caller expects a model to have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expects {
    Anything,
    Current,
    CurrentOrNext,
    Next,
}

/// The id of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// An id that was assigned in this run, to any organisation, of an existing or a deleted model.
    Given(u8),
    /// An id this far after the last one assigned.
    Ahead(u8),
    /// Any id.
    Number(u64),
}

/// A new model. A text that violates a rule is replaced by a valid one.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) language: Language,
    pub(crate) base_model: BaseModel,
    /// The time of creation, in Unix seconds.
    pub(crate) created_at: i64,
}

impl Write {
    /// Reads a create or a delete without further parts.
    pub(crate) fn read_bare(choices: &mut Choices<'_>) -> Write {
        let (by, change) = (by(choices), Change::read(choices));
        Write { by, change, millis: 0, told: None, limited: None }
    }

    /// Reads a write with all its parts; for a training, several.
    pub(crate) fn read(choices: &mut Choices<'_>) -> Vec<Write> {
        let (by, said) = (by(choices), choices.byte());
        let changes = if said & 3 < 2 { edits(choices) } else { vec![Change::read(choices)] };
        let millis = time(said >> 2, choices);
        let told = (said & 16 != 0).then(|| Told { key: choices.byte(), request: choices.byte() });
        let limited = (said & 32 != 0).then(|| {
            let choice = choices.byte();
            Limited { requests: 1 + u32::from(choice % 5), is_digest: choice >= 128 }
        });
        let whole = |change| Write { by, change, millis, told, limited };
        changes.into_iter().map(whole).collect()
    }
}

impl Change {
    /// Reads a create or a delete.
    fn read(choices: &mut Choices<'_>) -> Change {
        if choices.below(8) < 5 {
            let limit = match choices.byte() {
                u8::MAX => Some(u64::MAX),
                few if few % 2 == 0 => Some(u64::from(few / 2 % 8)),
                _ => None,
            };
            Change::Create { limit, model: Model::read(choices) }
        } else {
            let of = Target::read(choices);
            Change::Edit { of, step: Step::Delete, expects: Expects::read(choices) }
        }
    }
}

/// Reads an edit, or the first edits of a training.
fn edits(choices: &mut Choices<'_>) -> Vec<Change> {
    let (of, steps) = (Target::read(choices), Step::read(choices));
    let expects = Expects::read(choices);
    steps.into_iter().map(|step| Change::Edit { of, step, expects }).collect()
}

impl Step {
    /// Reads a step, or the first steps of a training.
    fn read(choices: &mut Choices<'_>) -> Vec<Step> {
        vec![match choices.below(16) {
            0..=2 => {
                let (like, what) = (Model::read(choices), choices.below(4));
                Step::Update { like, is_named: what % 2 == 0, is_described: what < 2 }
            }
            3..=5 => {
                let hours = choices.byte();
                Step::Add { hours: hours % 8, is_test: hours >= 192 }
            }
            6 => Step::Remove(choices.byte()),
            7 => Step::Run,
            8 => Step::Cancel,
            9 => Step::Claim,
            10 => Step::Work { word: Word::Beat(choices.below(101)), is_late: false },
            11 => Step::Work { word: Word::Succeed, is_late: false },
            12 => Step::Work { word: Word::Fail, is_late: false },
            13 => Step::Expire,
            14 => {
                let count = choices.byte();
                let end = if count >= 128 { Word::Fail } else { Word::Succeed };
                return training(end).into_iter().take(usize::from(count % 6)).collect();
            }
            _ => {
                let percent = choices.byte();
                let word = match percent {
                    0..=100 => Word::Beat(percent),
                    101..=178 => Word::Succeed,
                    _ => Word::Fail,
                };
                Step::Work { word, is_late: true }
            }
        }]
    }
}

fn training(end: Word) -> [Step; 5] {
    let work = |word| Step::Work { word, is_late: false };
    let data = Step::Add { hours: 5, is_test: false };
    [data, Step::Run, Step::Claim, work(Word::Beat(50)), work(end)]
}

impl Expects {
    fn read(choices: &mut Choices<'_>) -> Expects {
        match choices.byte() {
            0..=127 => Expects::Anything,
            128..=159 => Expects::Current,
            160..=191 => Expects::CurrentOrNext,
            _ => Expects::Next,
        }
    }
}

impl Target {
    pub(crate) fn read(choices: &mut Choices<'_>) -> Target {
        match choices.byte() {
            given @ 0..=191 => Target::Given(given),
            ahead @ 192..=247 => Target::Ahead((ahead - 192) % 8),
            _ => Target::Number(u64::from_be_bytes(choices.bytes())),
        }
    }
}

impl Model {
    fn read(choices: &mut Choices<'_>) -> Model {
        const NAMES: [&str; 4] =
            ["Medical Cardiology EN", "a\0b", " e\u{301} \u{1F600} ", "'; --\u{202E}"];
        const DESCRIPTIONS: [Option<&str>; 3] = [None, Some(""), Some("\0 語 \u{FEFF}")];
        let choice = choices.byte();
        if choice < 192 {
            return Model {
                name: pick(&NAMES, choice).unwrap_or_default().to_owned(),
                description: pick(&DESCRIPTIONS, choice / 4).flatten().map(str::to_owned),
                // Few languages and base models, so that filters match something.
                language: pick(Language::ALL, choice % 2).unwrap_or(Language::En),
                base_model: pick(&BaseModel::ALL, choice % 3).unwrap_or(BaseModel::General),
                created_at: i64::from(choice) * 86_400,
            };
        }
        Model {
            name: choices.text(),
            description: choices.option(Choices::text),
            language: choices.one_of(Language::ALL, Language::En),
            base_model: choices.one_of(&BaseModel::ALL, BaseModel::General),
            created_at: match choices.byte() {
                0 => i64::MIN,
                u8::MAX => i64::MAX,
                _ => u32::from_be_bytes(choices.bytes()).into(),
            },
        }
    }
}

/// Reads the index of an organisation. Most operations belong to one of them, so that it gets more models than a
/// page shows.
pub(crate) fn by(choices: &mut Choices<'_>) -> usize {
    match choices.byte() {
        3..=191 => 0,
        other => usize::from(other % 3),
    }
}

/// Returns this many half days in milliseconds; 24 hours are two of them.
///
/// Odd ones end a millisecond early, so that two of them end a millisecond before 24 hours.
pub(crate) fn half_days(count: u8) -> i64 {
    i64::from(count % 8) * kept_for() / 2 - i64::from(count % 2)
}

/// Reads the time of a write in milliseconds, of one of four kinds.
fn time(kind: u8, choices: &mut Choices<'_>) -> i64 {
    match kind % 4 {
        0 => 0,
        1 => i64::from(choices.byte()) * 1000,
        2 => u16::from_be_bytes(choices.bytes()).into(),
        _ => match choices.byte() {
            // The end of some leases, or a millisecond before it.
            leases @ 128.. => i64::from(leases % 5) * LEASE - i64::from(leases / 5 % 2),
            count => half_days(count),
        },
    }
}
