//! Models that can be told apart, and whose every field follows from their name.

use std::fmt;
use std::str::FromStr;

use custom_models_core::{
    BaseModel, Caller, CustomModel, Description, Language, Name, NewModel, Plan, Revision,
    Timestamp, TrainingStatus,
};

use crate::{BoxError, MEMBERS, ensure};

/// The number of a model: which run of the load asked for it, which thread, and that thread's
/// count. No two creates have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The run of the load, counted by the test.
    pub run: u32,
    /// The thread of the load.
    pub thread: u32,
    /// How many creates the thread asked for before this one.
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

/// The characters that texts are filled with: of 1, 2, 3 and 4 bytes, a combining one, a
/// right-to-left one and U+0000.
const ALPHABET: [char; 8] = ['a', ' ', 'ß', '語', '🎙', '\u{301}', 'ש', '\0'];

/// The model that a token stands for. Its name begins with the token; everything else follows.
pub fn sample(token: Token) -> Result<NewModel, BoxError> {
    let Token { run, thread, number } = token;
    let seed = (u64::from(run) << 40) ^ (u64::from(thread) << 32) ^ u64::from(number);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text =
        |length: usize| -> String { (0..length).filter_map(|_| random.choice(ALPHABET)).collect() };
    let name = format!("{token}|{}", text(150));
    // None, empty, short, and as long as may be: the last takes several pages of a database.
    let description = match number % 4 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(text(40)),
        _ => Some(text(Description::MAX_CHARACTERS)),
    };
    Ok(NewModel {
        name: Name::new(name)?,
        description: description.map(Description::new).transpose()?,
        language: random.choice(Language::ALL).ok_or("no languages")?,
        base_model: random.choice(BaseModel::ALL).ok_or("no base models")?,
        created_at: Timestamp::from_unix_seconds(1_700_000_000 + random.i64(0..1_000_000))?,
    })
}

/// The token of a stored model, if the model is whole: every field as it was sent, and the others as
/// they are in a new model (MODEL-3, MODEL-4).
pub(crate) fn token_of(model: &CustomModel) -> Result<Token, BoxError> {
    let token = model.name.as_str().split('|').next().unwrap_or_default().parse()?;
    let sent = sample(token)?;
    let is_whole = model.name == sent.name
        && model.description == sent.description
        && model.language == sent.language
        && model.base_model == sent.base_model
        && model.training_status == TrainingStatus::NotRunning
        && model.created_at == sent.created_at
        && model.updated_at == sent.created_at
        && model.revision == Revision::FIRST;
    ensure!(is_whole, "model {} is not as it was sent: {model:?}, not {sent:?}", model.id);
    Ok(token)
}

/// The organisations of the load, each on a plan of its own.
pub fn callers() -> Result<Vec<Caller>, BoxError> {
    MEMBERS
        .iter()
        .map(|member| {
            let plan = Plan::new(member.organisation, member.limit);
            Ok(Caller::new(member.organisation.parse()?, plan))
        })
        .collect()
}
