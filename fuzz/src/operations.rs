//! The operations on a store, made from a fuzzer's bytes.
//!
//! One byte is one choice where that is possible, and what is usual takes few bytes, so that a small
//! change of an input is a small change of a run and a short input a run of many steps.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A run is short: what goes wrong in a long one goes wrong in a short one, and sooner.
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
    /// Writes that are submitted together, before any of them is waited for.
    Write(Vec<Write<'a>>),
    /// Reads one model.
    Get {
        /// The organisation, by its place among the run's.
        organisation: u8,
        /// The model.
        target: Target,
    },
    /// Reads a part of an organisation's models.
    List(List),
    /// Reads a part of an organisation's history.
    Events {
        /// The organisation, by its place among the run's.
        organisation: u8,
        /// The position behind which the part begins.
        after: u8,
        /// The largest number of events.
        limit: u8,
    },
    /// Reads the data of a model.
    Data {
        /// The organisation, by its place among the run's.
        organisation: u8,
        /// The model.
        target: Target,
    },
    /// Reads which trainings wait.
    Claimable {
        /// The organisation, by its place among the run's; all of them if `None`.
        organisation: Option<u8>,
        /// The latest time at which a training becomes claimable, in seconds.
        second: u8,
        /// The largest number of models, if it is of one organisation.
        limit: u8,
    },
    /// Forgets what is old.
    Purge {
        /// Events before the time of this event's number; none if not.
        before: Option<u8>,
        /// Answers until so many half days.
        half_days: u8,
        /// The largest number of rows a call.
        limit: u8,
    },
    /// Lets go of the store and opens it again.
    Reopen {
        /// True if it is closed first, and not only dropped.
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
    /// The organisation, by its place among the run's.
    pub organisation: u8,
    /// A training status, by its place among all.
    pub status: Option<u8>,
    /// A language, by its place among all.
    pub language: Option<u8>,
    /// A base model, by its place among all.
    pub base_model: Option<u8>,
    /// The model behind which the list begins.
    pub after: Option<Target>,
    /// The number of models that are passed over.
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
    /// The organisation, by its place among the run's.
    pub organisation: u8,
    /// The change.
    pub change: Change<'a>,
    /// The time of the change, in seconds.
    pub second: u8,
    /// The answer to keep.
    pub told: Option<Told>,
}

impl<'a> Write<'a> {
    /// A create or a delete, and nothing beside it.
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

/// An answer to keep.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub struct Told {
    /// The caller's key, by its place among a few.
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
        /// The number of models that the organisation may have.
        limit: Option<u64>,
    },
    /// Edits a model.
    Edit {
        /// The model.
        target: Target,
        /// The edit.
        edit: Edit<'a>,
        /// The expected revision: mostly any, often the model's own.
        expects: u8,
    },
}

impl<'a> Change<'a> {
    fn edit(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Change::Edit { target: u.arbitrary()?, edit: u.arbitrary()?, expects: u.arbitrary()? })
    }
}

/// A create or a delete.
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
    /// Other texts.
    Update {
        /// The model whose texts are taken.
        model: Model<'a>,
        /// The choice of texts: the name, the description or both.
        what: u8,
    },
    /// One more pair of data, with so many hours of audio.
    Add {
        /// The number of hours; five are enough to train.
        hours: u8,
    },
    /// One pair less, by its place among those that there are.
    Remove(u8),
    /// Training.
    Run,
    /// No training.
    Cancel,
    /// A claim.
    Claim,
    /// A word of the worker, who is so far.
    Heartbeat(u8),
    /// The end of a training.
    Succeed,
    /// A training that failed.
    Fail,
    /// A training whose workers are silent.
    Expire,
    /// No model any more.
    Delete,
    /// The first steps of a training, one after the other.
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

/// A new model. A text that is against the rules becomes one that is not.
#[derive(Debug)]
pub struct Model<'a> {
    /// The name.
    pub name: &'a str,
    /// The description.
    pub description: Option<&'a str>,
    /// The language, by its place among all.
    pub language: u8,
    /// The base model, by its place among all.
    pub base_model: u8,
    /// The time at which it is created, in Unix seconds.
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
    /// One that was given in this run, for whatever organisation, whether or not it still exists.
    Given(u8),
    /// One that comes so much later than the last that was given.
    Ahead(u8),
    /// Any.
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
