//! The data that a model is trained and tested with: pairs of audio and transcript, and their sums.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Timestamp;

/// The type of a pair: for training or for testing (DATA-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataType {
    /// To train with.
    Train,
    /// To test with.
    Test,
}

impl DataType {
    /// Every type.
    pub const ALL: [DataType; 2] = [DataType::Train, DataType::Test];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            DataType::Train => "train",
            DataType::Test => "test",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The number of a pair within its model: from 1, never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataId(u32);

/// A text is no number of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a pair: an integer of at least 1")]
pub struct InvalidDataId;

impl DataId {
    /// The id with this number.
    pub const fn new(number: u32) -> Result<Self, InvalidDataId> {
        if number > 0 { Ok(DataId(number)) } else { Err(InvalidDataId) }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Takes decimal digits without a sign and without leading zeros.
impl FromStr for DataId {
    type Err = InvalidDataId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(['+', '0']) {
            return Err(InvalidDataId);
        }
        text.parse().map_err(|_| InvalidDataId).and_then(DataId::new)
    }
}

impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 32 bytes that stand for a content: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// The digest of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        ContentDigest(bytes)
    }

    /// The bytes.
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
        let bytes = bytes_of(&text);
        let bytes = bytes.ok_or_else(|| D::Error::custom("a digest is 64 hexadecimal digits"))?;
        Ok(ContentDigest(bytes))
    }
}

fn bytes_of(digits: &str) -> Option<[u8; 32]> {
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

/// A file of a pair, as it was sent and as it is kept (DATA-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// The name that its sender gave it. Never a path.
    pub filename: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The digest by which the file can be checked.
    pub sha256: ContentDigest,
    /// The name of the file in the store of contents.
    pub content: String,
}

impl DataFile {
    /// The most bytes that a file may have: 10 GiB (DATA-3).
    pub const MAX_BYTES: u64 = 10 << 30;
}

/// A pair of audio and transcript that a model has (DATA-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPair {
    /// The number of the pair within the model.
    pub id: DataId,
    /// The type of the pair.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The audio.
    pub audio: DataFile,
    /// The length of the audio in milliseconds, by the audio itself (DATA-2).
    pub audio_millis: u64,
    /// The transcript of the audio.
    pub transcript: DataFile,
    /// The time of the upload.
    pub created_at: Timestamp,
}

/// A pair that is to be added: everything but its number and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPair {
    /// The type of the pair.
    pub data_type: DataType,
    /// The audio.
    pub audio: DataFile,
    /// The length of the audio in milliseconds, by the audio itself (DATA-2).
    pub audio_millis: u64,
    /// The transcript of the audio.
    pub transcript: DataFile,
}

/// The amount of data that a model has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTotals {
    /// The milliseconds of audio to train with.
    pub train_millis: u64,
    /// The number of pairs to train with.
    pub train_pairs: u32,
    /// The milliseconds of audio to test with.
    pub test_millis: u64,
    /// The number of pairs to test with.
    pub test_pairs: u32,
    /// The number of the last pair that was added, there or not.
    pub last_id: u32,
}

impl DataTotals {
    /// The amount of audio that a training needs: 5 hours (DATA-5).
    pub const ENOUGH: Duration = Duration::from_secs(5 * 60 * 60);

    /// Returns true if there is enough audio to train with.
    pub fn is_enough(&self) -> bool {
        self.missing_seconds() == 0
    }

    /// The seconds of audio that are missing to train with, rounded up (TRAIN-2).
    pub fn missing_seconds(&self) -> u64 {
        let have = Duration::from_millis(self.train_millis);
        let missing = Self::ENOUGH.saturating_sub(have);
        missing.as_secs() + u64::from(missing.subsec_nanos() > 0)
    }

    /// The sums with one more pair, and its number; `None` when numbers are used up.
    pub(crate) fn with(mut self, pair: &NewPair) -> Option<(Self, DataId)> {
        self.last_id = self.last_id.checked_add(1)?;
        let (millis, pairs) = self.of(pair.data_type);
        *millis = millis.checked_add(pair.audio_millis)?;
        *pairs = pairs.checked_add(1)?;
        Some((self, DataId(self.last_id)))
    }

    /// The sums without a pair; `None` if it cannot have been in them.
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
