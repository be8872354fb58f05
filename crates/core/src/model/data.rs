//! Training data: pairs of audio and transcript, and their totals.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Timestamp;

/// The type of a pair: for training or for testing (DATA-1).
///
/// Not `#[non_exhaustive]`: the rules of data have these two alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// Training data.
    Train,
    /// Test data.
    Test,
}

impl DataType {
    /// Every type.
    pub const ALL: [DataType; 2] = [DataType::Train, DataType::Test];

    /// Returns the name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            DataType::Train => "train",
            DataType::Test => "test",
        }
    }

    /// Returns the type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The id of a pair within its model: from 1, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct DataId(u32);

/// The error for a text that is not the id of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a pair: an integer of at least 1")]
pub struct InvalidDataId;

impl DataId {
    /// Creates an id from a number.
    pub const fn new(number: u32) -> Result<Self, InvalidDataId> {
        if number > 0 { Ok(DataId(number)) } else { Err(InvalidDataId) }
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Parses decimal digits without a sign and without leading zeros.
impl FromStr for DataId {
    type Err = InvalidDataId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(['+', '0']) {
            return Err(InvalidDataId);
        }
        text.parse().map_err(|_| InvalidDataId).and_then(DataId::new)
    }
}

impl TryFrom<u32> for DataId {
    type Error = InvalidDataId;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        DataId::new(number)
    }
}

impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The SHA-256 digest of a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// Creates a digest from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        ContentDigest(bytes)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hexadecimal digits, in lower case.
impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentDigest({self})")
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = digest_bytes(&text);
        let bytes = bytes.ok_or_else(|| D::Error::custom("a digest is 64 hexadecimal digits"))?;
        Ok(ContentDigest(bytes))
    }
}

/// Parses a digest: 64 hexadecimal digits in lower case.
pub(crate) fn digest_bytes(digits: &str) -> Option<[u8; 32]> {
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
    if digits.len() != 64 || !digits.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A stored file of a pair (DATA-4).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// The file name that the sender gave. Never used as a path.
    pub filename: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 digest of the file.
    pub sha256: ContentDigest,
    /// The name of the file in the content store.
    pub content: String,
}

impl DataFile {
    /// The most bytes in a file: 10 GiB (DATA-3).
    pub const MAX_BYTES: u64 = 10 << 30;
}

/// A pair of audio and transcript of a model (DATA-4).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPair {
    /// The id of the pair within the model.
    pub id: DataId,
    /// The type of the pair.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The audio.
    pub audio: DataFile,
    /// The length of the audio in milliseconds, measured from the audio (DATA-2).
    pub audio_millis: u64,
    /// The transcript of the audio.
    pub transcript: DataFile,
    /// The time of the upload.
    pub created_at: Timestamp,
}

/// A pair to add: every field but its id and its time.
///
/// Not `#[non_exhaustive]`: who uploads makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPair {
    /// The type of the pair.
    pub data_type: DataType,
    /// The audio.
    pub audio: DataFile,
    /// The length of the audio in milliseconds, measured from the audio (DATA-2).
    pub audio_millis: u64,
    /// The transcript of the audio.
    pub transcript: DataFile,
}

/// The totals of a model's data.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTotals {
    /// The milliseconds of training audio.
    pub train_millis: u64,
    /// The number of training pairs.
    pub train_pairs: u32,
    /// The milliseconds of test audio.
    pub test_millis: u64,
    /// The number of test pairs.
    pub test_pairs: u32,
    /// The id of the last pair that was added, even if it was removed since.
    pub last_id: u32,
}

impl DataTotals {
    /// The training audio that a training needs: 5 hours (DATA-5).
    pub const ENOUGH: Duration = Duration::from_secs(5 * 60 * 60);

    /// The number of pairs.
    pub fn pairs(&self) -> u64 {
        u64::from(self.train_pairs) + u64::from(self.test_pairs)
    }

    /// Returns true if there is enough training audio.
    pub fn is_enough(&self) -> bool {
        self.missing_seconds() == 0
    }

    /// Returns the seconds of training audio that are missing, rounded up (TRAIN-2).
    pub fn missing_seconds(&self) -> u64 {
        let have = Duration::from_millis(self.train_millis);
        let missing = Self::ENOUGH.saturating_sub(have);
        missing.as_secs() + u64::from(missing.subsec_nanos() > 0)
    }

    /// Returns the totals with one more pair, and its id; `None` if the ids are used up.
    pub(crate) fn with(mut self, pair: &NewPair) -> Option<(Self, DataId)> {
        self.last_id = self.last_id.checked_add(1)?;
        let (millis, pairs) = self.of(pair.data_type);
        *millis = millis.checked_add(pair.audio_millis)?;
        *pairs = pairs.checked_add(1)?;
        Some((self, DataId(self.last_id)))
    }

    /// Returns the totals without a pair; `None` if they cannot include it.
    pub(crate) fn without(mut self, pair: &DataPair) -> Option<Self> {
        let (millis, pairs) = self.of(pair.data_type);
        *millis = millis.checked_sub(pair.audio_millis)?;
        *pairs = pairs.checked_sub(1)?;
        Some(self)
    }

    fn of(&mut self, data_type: DataType) -> (&mut u64, &mut u32) {
        match data_type {
            DataType::Train => (&mut self.train_millis, &mut self.train_pairs),
            DataType::Test => (&mut self.test_millis, &mut self.test_pairs),
        }
    }
}
