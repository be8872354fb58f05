//! Training data whose every byte follows from its token, uploaded and looked for.

use std::sync::Arc;

use custom_models_core::{DataFile, DataPair, DataType, ModelId, Organisation};
use custom_models_training_data::{ContentStore, Upload, UploadError, Uploaded, digest};

use crate::sample::{drawn, some_text};
use crate::{BoxError, Token, ensure};

/// How many bytes are written at a time, so that a load can die between two.
const PIECE: usize = 1000;

/// How many seconds a short audio lasts, and one that is enough to train with.
const SECONDS: [usize; 2] = [1, 5 * 3600];

/// What a token's upload sends.
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
    /// Whether it is what a store says of a file.
    fn is(&self, found: &DataFile) -> bool {
        self.filename == found.filename && self.bytes.len() as u64 == found.bytes
    }
}

/// The upload of a token. Its file names begin with the token; everything else follows. Every second one
/// is enough to train with.
fn sent(edit: Token) -> Sent {
    let mut random = drawn(edit);
    let [short, enough] = SECONDS;
    let seconds = if edit.number.is_multiple_of(2) { enough } else { short };
    let mut file = |ending: &str, bytes| {
        let filename = format!("{edit}|{}{ending}", some_text(&mut random, 40));
        SentFile { filename, bytes }
    };
    Sent {
        data_type: if edit.number.is_multiple_of(3) { DataType::Test } else { DataType::Train },
        audio: file(".wav", wav(edit, seconds)),
        transcript: file(".txt", format!("What {edit} has to say.").into_bytes()),
        seconds,
    }
}

/// A WAV file of one sample a second, so that hours are a few pages.
fn wav(edit: Token, seconds: usize) -> Vec<u8> {
    let mut random = drawn(edit);
    let length = u32::try_from(seconds).unwrap_or(u32::MAX);
    let number = u32::to_le_bytes;
    let pcm_of_one_channel_at_1_hz = [1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 8, 0];
    let mut wav = [
        &b"RIFF"[..],
        &number(36 + length),
        b"WAVEfmt ",
        &number(16),
        &pcm_of_one_channel_at_1_hz,
        b"data",
        &number(length),
    ]
    .concat();
    wav.extend((0..seconds).map(|_| random.u8(..)));
    wav
}

/// Uploads what a token stands for.
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

/// The token of a stored pair, if it is whole and its files are.
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
