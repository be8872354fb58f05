//! Validation of an upload while its parts stream in, with all violations at once (DATA-1 to DATA-4).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{ContentDigest, DataFile, DataType, NewPair};
use custom_models_core::store::StoreError;
use custom_models_core::{ModelId, Organisation, Refusal, Violations};
use sha2::{Digest, Sha256};

use crate::audio::{AudioFault, AudioFormat, measure};
use crate::content::{ContentStore, Kept};
use crate::folder::fault as content_fault;
use crate::names;
use crate::part::FilePart;
use crate::transcript::Transcript;

/// Longer than any type, and short enough to be kept in memory.
const LONGEST_TYPE: usize = 16;

/// The reason why an upload yields no pair.
#[derive(Debug)]
pub enum UploadError {
    /// A file, or everything outside files, exceeds [`DataFile::MAX_BYTES`] (DATA-3).
    TooLarge,
    /// The violations of its parts (DATA-2).
    Invalid(Violations),
    /// The contents could not be stored, or not be read again.
    Store(StoreError),
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UploadError::TooLarge => f.write_str("a file is too large"),
            UploadError::Invalid(violations) => write!(f, "invalid: {violations:?}"),
            UploadError::Store(error) => error.fmt(f),
        }
    }
}

/// The refusal of the API for an upload that yields no pair.
impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::TooLarge => Refusal::FileTooLarge,
            UploadError::Invalid(violations) => violations.into(),
            UploadError::Store(fault) => fault.into(),
        }
    }
}

impl std::error::Error for UploadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            UploadError::Store(error) => error.source(),
            UploadError::TooLarge | UploadError::Invalid(_) => None,
        }
    }
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> Self {
        UploadError::Store(error)
    }
}

/// The violation of a part, and the kind of its content.
type Fault = (ViolationKind, Cow<'static, str>);

/// An upload that streams in. Dropping it early leaves nothing.
pub struct Upload {
    place: Option<Place>,
    current: Current,
    data_type: Option<Vec<u8>>,
    audio: Option<(FilePart, Option<AudioFormat>)>,
    transcript: Option<(FilePart, Transcript)>,
    /// Parts that are repeated, or are not files.
    faults: Vec<(Field, ViolationKind)>,
    /// The number of bytes outside the known parts.
    ignored: u64,
}

/// The model that an upload is for, and its content store.
struct Place {
    contents: Arc<dyn ContentStore>,
    organisation: Organisation,
    model: ModelId,
}

/// The part that receives bytes.
enum Current {
    Ignored,
    Type,
    Audio,
    Transcript,
}

/// A valid upload with durable contents. No sweep removes them while this value exists: until the pair is
/// committed.
#[derive(Debug)]
pub struct Uploaded {
    /// The pair, for the engine.
    pub pair: NewPair,
    /// The digest of the request (IDEM-1): of the type, the names and the contents. It does not depend on the
    /// framing of the parts.
    pub request: ContentDigest,
    kept: Vec<Box<dyn Kept>>,
}

impl Uploaded {
    /// Removes the contents, because the pair is not committed and never will be.
    ///
    /// # Errors
    ///
    /// Errors of the content store; a sweep removes what is left.
    pub fn discard(self) -> Result<(), StoreError> {
        self.kept.into_iter().try_for_each(Kept::discard)
    }
}

impl Upload {
    /// Starts an upload to a model, whose contents go to a content store.
    pub fn to(contents: Arc<dyn ContentStore>, organisation: Organisation, model: ModelId) -> Self {
        Upload::new(Some(Place { contents, organisation, model }))
    }

    /// Starts an upload that is only hashed, to compare a repeat (IDEM-1).
    pub fn only_digested() -> Self {
        Upload::new(None)
    }

    fn new(place: Option<Place>) -> Self {
        Upload {
            place,
            current: Current::Ignored,
            data_type: None,
            audio: None,
            transcript: None,
            faults: Vec::new(),
            ignored: 0,
        }
    }

    /// Begins a part; the bytes that follow belong to it. Parts with unknown names are ignored.
    ///
    /// # Errors
    ///
    /// [`UploadError::Store`].
    pub fn part(&mut self, name: &str, filename: Option<&str>) -> Result<(), UploadError> {
        self.current = match name {
            "type" if self.data_type.is_none() => {
                self.data_type = Some(Vec::new());
                Current::Type
            }
            "audio_file" if self.audio.is_none() => {
                let (format, fault) = told_apart(filename, names::audio);
                self.audio = Some((self.file(filename, fault)?, format));
                Current::Audio
            }
            "transcript_file" if self.transcript.is_none() => {
                let (_, fault) = told_apart(filename, names::transcript);
                self.transcript = Some((self.file(filename, fault)?, Transcript::default()));
                Current::Transcript
            }
            "type" => self.repeated(Field::Type),
            "audio_file" => self.repeated(Field::AudioFile),
            "transcript_file" => self.repeated(Field::TranscriptFile),
            _ => Current::Ignored,
        };
        Ok(())
    }

    fn repeated(&mut self, field: Field) -> Current {
        self.faults.push((field, ViolationKind::Repeated));
        Current::Ignored
    }

    fn file(
        &self,
        filename: Option<&str>,
        fault: Option<ViolationKind>,
    ) -> Result<FilePart, UploadError> {
        let mut part = FilePart::new(filename.unwrap_or_default(), fault);
        if let (Some(place), None) = (&self.place, fault) {
            part.content = Some(place.contents.begin(&place.organisation, place.model)?);
        }
        Ok(part)
    }

    /// Adds bytes to the current part.
    ///
    /// # Errors
    ///
    /// [`UploadError::TooLarge`] and [`UploadError::Store`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        let size = match (&self.current, &mut self.data_type, &mut self.audio, &mut self.transcript)
        {
            (Current::Type, Some(text), ..) => {
                let room = (LONGEST_TYPE + 1).saturating_sub(text.len());
                text.extend(bytes.iter().take(room));
                self.ignored += bytes.len() as u64;
                self.ignored
            }
            (Current::Audio, _, Some((part, _)), _) => {
                part.write(bytes)?;
                part.bytes
            }
            (Current::Transcript, _, _, Some((part, transcript))) => {
                transcript.write(bytes);
                part.write(bytes)?;
                part.bytes
            }
            _ => {
                self.ignored += bytes.len() as u64;
                self.ignored
            }
        };
        if size > DataFile::MAX_BYTES { Err(UploadError::TooLarge) } else { Ok(()) }
    }

    /// Returns the digest of the request; `None` if a part is missing or repeated, as in no request that was
    /// ever executed.
    pub fn digest(&self) -> Option<ContentDigest> {
        let data_type = self.judged_type().ok()?;
        let ((audio, _), (transcript, _)) = (self.audio.as_ref()?, self.transcript.as_ref()?);
        if !self.faults.is_empty() {
            return None;
        }
        let mut digest = Sha256::new();
        digest.update(data_type.as_str());
        for part in [audio, transcript] {
            digest.update([0]);
            digest.update((part.filename.len() as u64).to_le_bytes());
            digest.update(&part.filename);
            digest.update(part.sha256().as_bytes());
        }
        Some(ContentDigest::from_bytes(digest.finalize().into()))
    }

    /// Validates the whole upload, and makes its contents durable.
    ///
    /// # Errors
    ///
    /// See [`UploadError`]; then nothing is stored.
    pub fn finish(mut self) -> Result<Uploaded, UploadError> {
        let data_type = self.judged_type();
        let millis = self.judged_audio()?;
        let transcript = self.judged_transcript();
        let repeated = std::mem::take(&mut self.faults).into_iter();
        let repeated = repeated.map(|(field, kind)| (field, kind, Cow::Borrowed("")));
        let faults = [
            data_type.err().map(|kind| (Field::Type, kind, Cow::Borrowed(""))),
            millis.as_ref().err().map(|(kind, found)| (Field::AudioFile, *kind, found.clone())),
            transcript.err().map(|(kind, found)| (Field::TranscriptFile, kind, found)),
        ];
        let violations = Violations::of_upload(repeated.chain(faults.into_iter().flatten()));
        match (data_type, millis, self.digest(), self.audio.take(), self.transcript.take()) {
            (Ok(data_type), Ok(millis), Some(request), Some((audio, _)), Some((transcript, _)))
                if violations.is_empty() =>
            {
                kept(data_type, millis, request, audio, transcript)
            }
            _ => Err(UploadError::Invalid(violations)),
        }
    }

    fn judged_type(&self) -> Result<DataType, ViolationKind> {
        let sent = self.data_type.as_ref().ok_or(ViolationKind::Missing)?;
        let name = str::from_utf8(sent).map_err(|_| ViolationKind::Unsupported)?;
        DataType::from_name(name).ok_or(ViolationKind::Unsupported)
    }

    /// Returns the duration of the audio in milliseconds, or its violation.
    fn judged_audio(&mut self) -> Result<Result<u64, Fault>, UploadError> {
        let fault = |kind| Ok(Err((kind, Cow::Borrowed(""))));
        let Some((part, format)) = &mut self.audio else { return fault(ViolationKind::Missing) };
        if let Some(kind) = part.fault {
            return fault(kind);
        }
        if part.bytes == 0 {
            return fault(ViolationKind::Blank);
        }
        let Some(content) = &mut part.content else { return fault(ViolationKind::NotAudio) };
        match measure(content) {
            Ok(audio) if Some(audio.format) == *format => Ok(Ok(audio.millis)),
            Ok(audio) => Ok(Err((ViolationKind::OtherFormat, audio.format.name().into()))),
            Err(AudioFault::NotAudio) => fault(ViolationKind::NotAudio),
            Err(AudioFault::OtherCodec(found)) => {
                Ok(Err((ViolationKind::OtherCodec, found.into())))
            }
            Err(AudioFault::LowSampleRate(rate)) => {
                Ok(Err((ViolationKind::LowSampleRate, rate.to_string().into())))
            }
            Err(AudioFault::Unreadable(error)) => Err(UploadError::Store(content_fault(error))),
        }
    }

    fn judged_transcript(&self) -> Result<(), Fault> {
        let of_name = |kind| (kind, Cow::Borrowed(""));
        let Some((part, transcript)) = &self.transcript else {
            return Err(of_name(ViolationKind::Missing));
        };
        match part.fault.map(of_name).or_else(|| transcript.fault()) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").finish_non_exhaustive()
    }
}

/// Splits the result for a file into its value and its violation: one of them is `None`.
fn told_apart<T>(
    filename: Option<&str>,
    judge: impl FnOnce(&str) -> Result<T, ViolationKind>,
) -> (Option<T>, Option<ViolationKind>) {
    match filename.filter(|name| !name.is_empty()) {
        None => (None, Some(ViolationKind::NotAFile)),
        Some(name) => match judge(name) {
            Ok(told) => (Some(told), None),
            Err(fault) => (None, Some(fault)),
        },
    }
}

fn kept(
    data_type: DataType,
    audio_millis: u64,
    request: ContentDigest,
    mut audio: FilePart,
    mut transcript: FilePart,
) -> Result<Uploaded, UploadError> {
    let (audio, kept_audio) = audio.keep()?;
    let (transcript, kept_transcript) = match transcript.keep() {
        Ok(kept) => kept,
        Err(error) => {
            // A sweep removes what cannot be removed; the first error is the one to report.
            let _ = kept_audio.map(Kept::discard);
            return Err(error.into());
        }
    };
    let uploaded = Uploaded {
        pair: NewPair { data_type, audio, audio_millis, transcript },
        request,
        kept: kept_audio.into_iter().chain(kept_transcript).collect(),
    };
    match uploaded.kept.iter().try_for_each(|kept| kept.ensure_held()) {
        Ok(()) => Ok(uploaded),
        Err(fault) => {
            let _ = uploaded.discard();
            Err(fault.into())
        }
    }
}
