//! The body of an upload that names two files which were sent before, in several requests (DATA-3).

use std::fmt;

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{ContentDigest, DataType};
use custom_models_core::store::{NewIdempotencyRecord, StoreError, StoreErrorKind};
use custom_models_core::{Caller, Refusal, Violations};
use custom_models_training_data::{
    CopyError, ResumableError, ResumableFile, Upload, UploadId, Uploaded,
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::rejection::Rejection;
use crate::request::context::RequestContext;
use crate::state::AppState;

/// `{"type": …, "audio_file": …, "transcript_file": …}`, with the ids of finished uploads.
pub(crate) struct FinishedUploads {
    data_type: DataType,
    audio: UploadId,
    transcript: UploadId,
    body: ContentDigest,
}

impl FinishedUploads {
    /// Reads the body: 415, 413, 408, 400, and 404 for what is the id of no upload.
    pub(crate) async fn read(ctx: &mut RequestContext) -> Result<Self, Rejection> {
        let body = ctx.json().await?;
        let Fields { mut faults, data_type, audio, transcript } = Fields::parse(&body)?;
        let data_type = match data_type.as_deref().map(DataType::from_name) {
            Some(None) => {
                faults.push((Field::Type, ViolationKind::Unsupported));
                None
            }
            named => named.flatten(),
        };
        let violations = Violations::of_fields(faults);
        let (Some(data_type), Some(audio), Some(transcript), true) =
            (data_type, audio, transcript, violations.is_empty())
        else {
            return Err(violations.into());
        };
        let id = |text: String| text.parse().map_err(|_| ResumableError::NotFound);
        let (audio, transcript) = (id(audio)?, id(transcript)?);
        Ok(FinishedUploads {
            data_type,
            audio,
            transcript,
            body: NewIdempotencyRecord::digest(&body),
        })
    }

    /// Has the files judged as those of any upload, and their contents made durable: 404, 409 and 400.
    pub(crate) async fn judge(
        &self,
        ctx: &RequestContext,
        caller: &Caller,
        upload: Upload,
    ) -> Result<Uploaded, Rejection> {
        let (uploads, organisation) =
            (ctx.state.uploads.resumable()?, caller.organisation().clone());
        let (data_type, request) = (self.data_type, self.body);
        let ids = [self.audio.clone(), self.transcript.clone()];
        let judge = move || -> Result<Uploaded, Rejection> {
            let [audio, transcript] = ids.map(|id| uploads.open(&organisation, &id));
            let mut uploaded = copied(upload, data_type, audio?, transcript?)?;
            // The files may be gone when the request is repeated.
            uploaded.request = request;
            Ok(uploaded)
        };
        ctx.state.uploads.start(caller.organisation(), judge)?.result().await?
    }

    /// Removes the uploads in the background, because a model has their contents now. A sweep removes what stays.
    pub(crate) fn remove(self, state: &AppState, caller: &Caller) {
        let organisation = caller.organisation().clone();
        state.remove_contents(move |contents| {
            let Some(pieces) = contents.pieces() else { return Ok(()) };
            for id in [self.audio, self.transcript] {
                pieces.remove_upload(&organisation, &id)?;
            }
            Ok(())
        });
    }
}

/// Copies two files to an upload, as if they were parts of its body.
fn copied(
    mut upload: Upload,
    data_type: DataType,
    audio: ResumableFile,
    transcript: ResumableFile,
) -> Result<Uploaded, Rejection> {
    upload.part("type", None).map_err(Refusal::from)?;
    upload.write(data_type.as_str().as_bytes()).map_err(Refusal::from)?;
    for (name, file) in [("audio_file", audio), ("transcript_file", transcript)] {
        let filename = file.filename().map(str::to_owned);
        upload.copy(name, filename.as_deref(), file, |_| {}).map_err(|error| match error {
            CopyError::Read(error) => StoreError::new(StoreErrorKind::Failed, error).into(),
            CopyError::Upload(error) => Refusal::from(error),
        })?;
    }
    Ok(upload.finish().map_err(Refusal::from)?)
}

/// The fields of the body, and what is wrong with them.
#[derive(Default)]
struct Fields {
    faults: Vec<(Field, ViolationKind)>,
    data_type: Option<String>,
    audio: Option<String>,
    transcript: Option<String>,
}

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Violations> {
        let of_body = |kind| Violations::of_fields([(Field::Body, kind)]);
        let Pairs(pairs) = match serde_json::from_slice(body) {
            Ok(pairs) => pairs,
            Err(_) if serde_json::from_slice::<Value>(body).is_ok() => {
                return Err(of_body(ViolationKind::NotAnObject));
            }
            Err(_) => return Err(of_body(ViolationKind::NotJson)),
        };
        let mut fields = Fields::default();
        let mut take = |name, field| {
            let mut named = pairs.iter().filter(|(of, _)| of == name).map(|(_, value)| value);
            let (value, is_repeated) = (named.next(), named.next().is_some());
            let fault = match value {
                _ if is_repeated => ViolationKind::Repeated,
                None | Some(Value::Null) => ViolationKind::Missing,
                Some(Value::String(text)) => return Some(text.clone()),
                Some(_) => ViolationKind::WrongType,
            };
            fields.faults.push((field, fault));
            None
        };
        let data_type = take("type", Field::Type);
        let audio = take("audio_file", Field::AudioFile);
        let transcript = take("transcript_file", Field::TranscriptFile);
        Ok(Fields { data_type, audio, transcript, ..fields })
    }
}

/// The members of an object, repeated ones too.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
