//! The operations on a store, derived from a fuzzer's bytes.
//!
//! One byte is one choice where possible, and frequent choices take few bytes. So a small change of an input
//! is a small change of a run, and a short input yields a run of many steps.

use arbitrary::{Arbitrary, Result, Unstructured};

/// The most steps of a run. A fault in a long run also occurs in a short one, and sooner.
const STEPS_A_RUN: usize = 16;

/// The operations of one run, in order.
#[derive(Debug)]
pub struct Steps<'a>(pub Vec<Operation<'a>>);

impl<'a> Arbitrary<'a> for Steps<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut steps = Vec::new();
        while !u.is_empty() && steps.len() < STEPS_A_RUN {
            steps.push(u.arbitrary()?);
        }
        Ok(Steps(steps))
    }
}

/// One step of a run.
#[derive(Debug)]
pub enum Operation<'a> {
    /// Writes that are submitted together before any outcome is awaited.
    Write(Vec<Write<'a>>),
    /// Reads one model.
    Get {
        /// The organisation, by its index in the run.
        organisation: u8,
        /// The model.
        target: Target,
    },
    /// Reads a part of an organisation's models.
    List(List),
    /// Reads a part of an organisation's history.
    Events {
        /// The organisation, by its index in the run.
        organisation: u8,
        /// The position after which the part begins.
        after: u8,
        /// The largest number of events.
        limit: u8,
    },
    /// Reads the data of a model.
    Data {
        /// The organisation, by its index in the run.
        organisation: u8,
        /// The model.
        target: Target,
    },
    /// Reads the training queue.
    Claimable {
        /// The organisation, by its index in the run; all of them if `None`.
        organisation: Option<u8>,
        /// The latest time at which a training becomes claimable, in seconds.
        second: u8,
        /// The largest number of models, for a single organisation.
        limit: u8,
    },
    /// Purges old records.
    Purge {
        /// The number of an event; earlier events are purged. `None` purges none.
        before: Option<u8>,
        /// The time until which idempotency records are purged, in half days.
        half_days: u8,
        /// The largest number of rows per call.
        limit: u8,
    },
    /// Closes or drops the store, and reopens it.
    Reopen {
        /// True to close it first, false to drop it only.
        is_closed: bool,
    },
}

impl<'a> Arbitrary<'a> for Operation<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=31u8)? {
            0..=5 => Operation::Write(vec![Write::bare(u)?]),
            6..=8 => {
                let count = u.int_in_range(2..=6u8)?;
                Operation::Write((0..count).map(|_| Write::bare(u)).collect::<Result<_>>()?)
            }
            16..=21 => Operation::Write(vec![u.arbitrary()?]),
            22..=24 => {
                let count = u.int_in_range(2..=6u8)?;
                Operation::Write((0..count).map(|_| u.arbitrary()).collect::<Result<_>>()?)
            }
            25 => Operation::Events {
                organisation: u.arbitrary()?,
                after: u.arbitrary()?,
                limit: u.arbitrary()?,
            },
            26 => Operation::Data { organisation: u.arbitrary()?, target: u.arbitrary()? },
            27 => Operation::Claimable {
                organisation: u.arbitrary()?,
                second: u.arbitrary()?,
                limit: u.arbitrary()?,
            },
            28 => Operation::Purge {
                before: u.arbitrary()?,
                half_days: u.arbitrary()?,
                limit: u.arbitrary()?,
            },
            9 | 10 => Operation::Get { organisation: u.arbitrary()?, target: u.arbitrary()? },
            11..=14 => Operation::List(u.arbitrary()?),
            _ => Operation::Reopen { is_closed: u.arbitrary()? },
        })
    }
}

/// A part of an organisation's models.
#[derive(Debug)]
pub struct List {
    /// The organisation, by its index in the run.
    pub organisation: u8,
    /// A training status, by its index among all.
    pub status: Option<u8>,
    /// A language, by its index among all.
    pub language: Option<u8>,
    /// A base model, by its index among all.
    pub base_model: Option<u8>,
    /// The model after which the list begins.
    pub after: Option<Target>,
    /// The number of models to skip.
    pub skip: u64,
    /// The largest number of models.
    pub limit: u32,
}

impl<'a> Arbitrary<'a> for List {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let organisation = u.arbitrary()?;
        let said = u.arbitrary::<u8>()?;
        let place = |bit: u8, u: &mut Unstructured<'a>| -> Result<Option<u8>> {
            if said & bit == 0 { Ok(None) } else { u.arbitrary().map(Some) }
        };
        Ok(List {
            organisation,
            status: place(1, u)?,
            language: place(2, u)?,
            base_model: place(4, u)?,
            after: if said & 8 == 0 { None } else { Some(u.arbitrary()?) },
            skip: match u.arbitrary::<u8>()? {
                u8::MAX => u64::MAX,
                skip => u64::from(skip % 8).saturating_sub(2),
            },
            limit: match u.arbitrary::<u8>()? {
                u8::MAX => u32::MAX,
                limit => u32::from(limit % 16),
            },
        })
    }
}

/// One change of one organisation's models.
#[derive(Debug)]
pub struct Write<'a> {
    /// The organisation, by its index in the run.
    pub organisation: u8,
    /// The change.
    pub change: Change<'a>,
    /// The time of the change, in seconds.
    pub second: u8,
    /// The idempotency record to request.
    pub told: Option<Told>,
}

impl<'a> Write<'a> {
    /// Generates a create or a delete without further parts.
    fn bare(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Write { organisation: u.arbitrary()?, change: u.arbitrary()?, second: 0, told: None })
    }
}

impl<'a> Arbitrary<'a> for Write<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let organisation = u.arbitrary()?;
        let said = u.arbitrary::<u8>()?;
        let change = if said & 3 < 2 { Change::edit(u)? } else { u.arbitrary()? };
        let second = if said & 12 == 0 { 0 } else { u.arbitrary()? };
        let told = if said & 16 == 0 { None } else { Some(u.arbitrary()?) };
        Ok(Write { organisation, change, second, told })
    }
}

/// A requested idempotency record.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Told {
    /// The caller's key, by its index among a few.
    pub key: u8,
    /// The time of the change, in half days instead of seconds; 24 hours are two.
    pub half_days: u8,
}

/// A change with its condition.
#[derive(Debug)]
pub enum Change<'a> {
    /// Creates a model.
    Create {
        /// The new model.
        model: Model<'a>,
        /// The most models that the organisation may have.
        limit: Option<u64>,
    },
    /// Edits a model.
    Edit {
        /// The model.
        target: Target,
        /// The edit.
        edit: Edit<'a>,
        /// The expected revision: usually any, often the model's own.
        expects: u8,
    },
}

impl<'a> Change<'a> {
    fn edit(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Change::Edit { target: u.arbitrary()?, edit: u.arbitrary()?, expects: u.arbitrary()? })
    }
}

/// Generates a create or a delete.
impl<'a> Arbitrary<'a> for Change<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(5, 8)? {
            let limit = match u.arbitrary::<u8>()? {
                u8::MAX => Some(u64::MAX),
                few if few % 2 == 0 => Some(u64::from(few / 2 % 8)),
                _ => None,
            };
            Ok(Change::Create { limit, model: u.arbitrary()? })
        } else {
            Ok(Change::Edit { target: u.arbitrary()?, edit: Edit::Delete, expects: u.arbitrary()? })
        }
    }
}

/// An edit of a model.
#[derive(Debug)]
pub enum Edit<'a> {
    /// Changes the texts.
    Update {
        /// The model whose texts are used.
        model: Model<'a>,
        /// The texts to change: the name, the description or both.
        what: u8,
    },
    /// Adds a data pair with this many hours of audio.
    Add {
        /// The number of hours; five are enough for a training.
        hours: u8,
    },
    /// Removes a data pair, by its index among the existing ones.
    Remove(u8),
    /// Starts the training.
    Run,
    /// Cancels the training.
    Cancel,
    /// Claims the training.
    Claim,
    /// Sends a heartbeat with this progress.
    Heartbeat(u8),
    /// Reports success.
    Succeed,
    /// Reports failure.
    Fail,
    /// Fails a training whose last lease has run out.
    Expire,
    /// Deletes the model.
    Delete,
    /// Makes the first steps of a training, one after the other.
    Training {
        /// The number of steps.
        steps: u8,
    },
}

impl<'a> Arbitrary<'a> for Edit<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=15u8)? {
            0..=2 => Edit::Update { model: u.arbitrary()?, what: u.arbitrary()? },
            3..=5 => Edit::Add { hours: u.arbitrary()? },
            6 => Edit::Remove(u.arbitrary()?),
            7 => Edit::Run,
            8 => Edit::Cancel,
            9 => Edit::Claim,
            10 => Edit::Heartbeat(u.arbitrary()?),
            11 => Edit::Succeed,
            12 => Edit::Fail,
            13 => Edit::Expire,
            _ => Edit::Training { steps: u.arbitrary()? },
        })
    }
}

/// A new model. A text that violates a rule is replaced by a valid one.
#[derive(Debug)]
pub struct Model<'a> {
    /// The name.
    pub name: &'a str,
    /// The description.
    pub description: Option<&'a str>,
    /// The language, by its index among all.
    pub language: u8,
    /// The base model, by its index among all.
    pub base_model: u8,
    /// The time of creation, in Unix seconds.
    pub created_at: i64,
}

impl<'a> Arbitrary<'a> for Model<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const NAMES: [&str; 4] =
            ["Medical Cardiology EN", "a\0b", " e\u{301} \u{1F600} ", "'; --\u{202E}"];
        const DESCRIPTIONS: [Option<&str>; 3] = [None, Some(""), Some("\0 語 \u{FEFF}")];
        let choice = u.arbitrary::<u8>()?;
        if choice < 240 {
            return Ok(Model {
                name: NAMES[usize::from(choice) % NAMES.len()],
                description: DESCRIPTIONS[usize::from(choice / 4) % DESCRIPTIONS.len()],
                language: choice % 2,
                base_model: choice % 3,
                created_at: i64::from(choice) * 86_400,
            });
        }
        Ok(Model {
            name: u.arbitrary()?,
            description: u.arbitrary()?,
            language: u.arbitrary()?,
            base_model: u.arbitrary()?,
            created_at: u.arbitrary()?,
        })
    }
}

/// The id of a model.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// An id assigned in this run, for any organisation, of an existing or a deleted model.
    Given(u8),
    /// An id this far after the last one assigned.
    Ahead(u8),
    /// Any id.
    Number(u64),
}

impl<'a> Arbitrary<'a> for Target {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? {
            given @ 0..=191 => Target::Given(given),
            ahead @ 192..=247 => Target::Ahead((ahead - 192) % 8),
            _ => Target::Number(u.arbitrary()?),
        })
    }
}
