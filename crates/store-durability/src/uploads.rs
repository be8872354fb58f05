//! Training data of which every byte follows from its token: uploads and checks.

use std::sync::Arc;

use custom_models_core::model::{DataFile, DataPair, DataType};
use custom_models_core::{ModelId, Organisation};
use custom_models_training_data::{ContentStore, Upload, UploadError, Uploaded, digest};

use crate::sample::{drawn, some_text};
use crate::{BoxError, Token, ensure};

/// The number of bytes per write, so that a load can die between two writes.
const PIECE: usize = 1000;

/// The content of an upload.
struct Sent {
    data_type: DataType,
    audio: SentFile,
    transcript: SentFile,
    seconds: usize,
}

struct SentFile {
    filename: String,
    bytes: Vec<u8>,
}

impl SentFile {
    /// Returns true if the stored description of a file has this name and this length.
    fn is(&self, found: &DataFile) -> bool {
        self.filename == found.filename && self.bytes.len() as u64 == found.bytes
    }
}

/// Returns the upload of a token. Its file names begin with the token, from which everything else follows.
/// Every second one has enough audio for a training.
fn sent(edit: Token) -> Sent {
    let mut random = drawn(edit);
    let is_enough = edit.number.is_multiple_of(2);
    let mut file = |ending: &str, bytes| {
        let filename = format!("{edit}|{}{ending}", some_text(&mut random, 40));
        SentFile { filename, bytes }
    };
    Sent {
        data_type: if edit.number.is_multiple_of(3) { DataType::Test } else { DataType::Train },
        audio: if is_enough { file(".flac", flac(edit)) } else { file(".wav", wav(edit)) },
        transcript: file(".txt", format!("What {edit} has to say.").into_bytes()),
        seconds: if is_enough { 5 * 3600 } else { 1 },
    }
}

/// Five hours of silence at 8 kHz: a header of [`HEAD`] bytes, and frames of eight seconds each.
const FIVE_HOURS: &[u8] = include_bytes!("five-hours.flac");

/// The bytes of a FLAC file before its frames: the marker, and the block that describes the stream.
const HEAD: usize = 42;

/// Five hours in a few pages: silence, and after its header an application block with the token.
fn flac(edit: Token) -> Vec<u8> {
    const LENGTH: usize = 18_000;
    let mut random = drawn(edit);
    let (head, frames) = FIVE_HOURS.split_at(HEAD);
    let mut flac = head.to_vec();
    // Another block follows the first.
    if let Some(kind) = flac.get_mut(4) {
        *kind &= 0x7F;
    }
    let length = u32::try_from(LENGTH).unwrap_or(0).to_be_bytes();
    flac.extend([0x82, length[1], length[2], length[3]]);
    flac.extend((0..LENGTH).map(|_| random.u8(..)));
    flac.extend(frames);
    flac
}

/// Returns a WAV file of one second.
fn wav(edit: Token) -> Vec<u8> {
    const RATE: u16 = 4000;
    let mut random = drawn(edit);
    let number = |number: u16| u32::from(number).to_le_bytes();
    let format = [&[1, 0, 1, 0][..], &number(RATE), &number(RATE), &[1, 0, 8, 0]].concat();
    let before = [&b"RIFF"[..], &number(36 + RATE), b"WAVEfmt ", &number(16), &format, b"data"];
    let mut wav = [before.concat().as_slice(), &number(RATE)].concat();
    wav.extend((0..RATE).map(|_| random.u8(..)));
    wav
}

/// Uploads the data of a token.
pub(crate) fn upload(
    contents: &Arc<dyn ContentStore>,
    organisation: &Organisation,
    model: ModelId,
    edit: Token,
) -> Result<Uploaded, UploadError> {
    let Sent { data_type, audio, transcript, .. } = sent(edit);
    let mut upload = Upload::to(Arc::clone(contents), organisation.clone(), model);
    upload.part("type", None)?;
    upload.write(data_type.as_str().as_bytes())?;
    for (part, file) in [("audio_file", audio), ("transcript_file", transcript)] {
        upload.part(part, Some(&file.filename))?;
        file.bytes.chunks(PIECE).try_for_each(|piece| upload.write(piece))?;
    }
    upload.finish()
}

/// Returns the token of a stored pair, and checks the pair and its files.
pub(crate) fn token_of_pair(
    contents: &dyn ContentStore,
    organisation: &Organisation,
    model: ModelId,
    found: &DataPair,
) -> Result<Token, BoxError> {
    let token = found.audio.filename.split('|').next().unwrap_or_default().parse()?;
    let Sent { data_type, audio, transcript, seconds } = sent(token);
    let id = found.id;
    ensure!(
        found.data_type == data_type
            && audio.is(&found.audio)
            && transcript.is(&found.transcript)
            && found.audio_millis == seconds as u64 * 1000,
        "pair {id} of model {model} is not as it was sent: {found:?}"
    );
    for (file, sent) in [(&found.audio, audio), (&found.transcript, transcript)] {
        let is_sent = digest(&*sent.bytes)? == (file.bytes, file.sha256);
        ensure!(is_sent, "pair {id} of model {model} has another digest: {found:?}");
        let there = contents.open(organisation, model, &file.content).map_err(BoxError::from);
        let there = there.and_then(|content| Ok(digest(content)?));
        let is_there = there.as_ref().is_ok_and(|it| *it == (file.bytes, file.sha256));
        ensure!(is_there, "LOST: {file:?} of pair {id} of model {model}: {there:?}");
    }
    Ok(token)
}
