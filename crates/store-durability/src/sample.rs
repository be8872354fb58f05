//! Sample models, all fields of which follow from their names.

use std::fmt;
use std::str::FromStr;

use custom_models_core::field::{Description, Name};
use custom_models_core::model::{NewModel, Revision, TrainingState, Version};
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, Caller, CustomModel, Language, Plan, UpdateModel};

use crate::{BoxError, MEMBERS, ensure};

/// The number of a model or of a change: its run, its thread, and a count within the thread. Every one is
/// unique. Not `#[non_exhaustive]`: a control of its own makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The run of the load, counted by the test.
    pub run: u32,
    /// The thread of the load.
    pub thread: u32,
    /// The number of creates and changes that the thread requested before this one.
    pub number: u32,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.run, self.thread, self.number)
    }
}

impl FromStr for Token {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(run), Some(thread), Some(number), None) => {
                Ok(Token { run: run?, thread: thread?, number: number? })
            }
            _ => Err(format!("`{text}` is not a token").into()),
        }
    }
}

/// The characters of texts: of 1, 2, 3 and 4 bytes, a combining one, a right-to-left one and U+0000.
const ALPHABET: [char; 8] = ['a', ' ', 'ß', '語', '🎙', '\u{301}', 'ש', '\0'];

/// Returns the random generator of a token, which always yields the same values.
pub(crate) fn drawn(token: Token) -> fastrand::Rng {
    let Token { run, thread, number } = token;
    let seed = (u64::from(run) << 40) ^ (u64::from(thread) << 32) ^ u64::from(number);
    fastrand::Rng::with_seed(seed)
}

/// Returns a text of this many characters.
pub(crate) fn some_text(random: &mut fastrand::Rng, length: usize) -> String {
    (0..length).filter_map(|_| random.choice(ALPHABET)).collect()
}

/// Returns the texts of a token: a name that begins with a mark, and a description.
fn texts(
    mark: &str,
    token: Token,
    random: &mut fastrand::Rng,
) -> Result<(Name<'static>, Option<Description<'static>>), BoxError> {
    let mut text = |length| some_text(random, length);
    let name = format!("{mark}|{}", text(150));
    // None, empty, short, and the longest, which takes several pages of a database.
    let description = match token.number % 4 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(text(40)),
        _ => Some(text(Description::MAX_CHARACTERS)),
    };
    Ok((Name::new(name)?, description.map(Description::new).transpose()?))
}

/// Returns the model of a token. Its name begins with the token, from which every other field follows.
pub(crate) fn sample(token: Token) -> Result<NewModel, BoxError> {
    let mut random = drawn(token);
    let (name, description) = texts(&token.to_string(), token, &mut random)?;
    Ok(NewModel {
        name,
        description,
        language: random.choice(Language::ALL.iter().copied()).ok_or("no languages")?,
        base_model: random.choice(BaseModel::ALL).ok_or("no base models")?,
        created_at: Timestamp::from_unix_seconds(1_700_000_000 + random.i64(0..1_000_000))?,
    })
}

/// Returns the change of a model's texts for a token. The new name begins with both tokens.
pub(crate) fn renamed(model: &CustomModel, edit: Token) -> Result<UpdateModel<'static>, BoxError> {
    let (token, _) = marks_of(model)?;
    let (name, description) = texts(&format!("{token}>{edit}"), edit, &mut drawn(edit))?;
    let request = UpdateModel::builder().name(name.as_str());
    let request = match &description {
        Some(description) => request.description(description.as_str()),
        None => request.no_description(),
    };
    Ok(request.build()?.into_owned())
}

/// Returns the token of a model, and that of its last change of texts.
fn marks_of(model: &CustomModel) -> Result<(Token, Option<Token>), BoxError> {
    let mark = model.name.as_str().split('|').next().unwrap_or_default();
    Ok(match mark.split_once('>') {
        Some((token, edit)) => (token.parse()?, Some(edit.parse()?)),
        None => (mark.parse()?, None),
    })
}

/// Returns the tokens of a stored model, and checks it: every text as last sent, fixed fields as first sent,
/// and an unchanged model like a new one (MODEL-3, MODEL-4).
pub(crate) fn tokens_of(model: &CustomModel) -> Result<(Token, Option<Token>), BoxError> {
    let (token, edit) = marks_of(model)?;
    let sent = sample(token)?;
    let (name, description) = match edit {
        Some(edit) => texts(&format!("{token}>{edit}"), edit, &mut drawn(edit))?,
        None => (sent.name, sent.description),
    };
    let is_new = model.version == Version::from(Revision::FIRST);
    let is_whole = model.name == name
        && model.description == description
        && model.language == sent.language
        && model.base_model == sent.base_model
        && model.created_at == sent.created_at
        && model.updated_at >= sent.created_at
        && (!is_new
            || (model.updated_at == sent.created_at && model.training == TrainingState::default()));
    ensure!(is_whole, "model {} is not as it was sent: {model:?} of {token}, {edit:?}", model.id);
    Ok((token, edit))
}

/// Returns callers for the organisations of the load, each on its own plan.
pub(crate) fn callers() -> Result<Vec<Caller>, BoxError> {
    MEMBERS
        .iter()
        .map(|member| {
            let plan = Plan::new(member.organisation, member.limit);
            Ok(Caller::new(member.organisation.parse()?, plan))
        })
        .collect()
}
