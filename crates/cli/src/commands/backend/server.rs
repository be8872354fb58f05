//! The models of an organisation behind a service that runs.

use std::env;
use std::fs::File;
use std::path::Path;

use custom_models_client::{Client, Error, Upload, UploadFile};
use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{DataId, DataType, Event, Expected, ListedPair};
use custom_models_core::request::{ListEvents, ModelPage};
use custom_models_core::{
    CreateModel, CustomModel, ListModels, ModelId, ModelKey, UpdateModel, Violations,
};
use futures_util::TryStreamExt;
use tokio::runtime::{Builder, Runtime};

use crate::args::data::AddDataArgs;
use crate::commands::backend::Backend;
use crate::commands::data::{progress, unreadable};
use crate::output::failure::{Failure, with_causes};

/// The variable with the key. An argument would be seen by every user of the machine.
const KEY: &str = "CUSTOM_MODELS_KEY";

/// A service, and a key of the organisation.
pub(crate) struct Server {
    client: Client,
    runtime: Runtime,
}

impl Server {
    /// Makes a client of the service at a URL, with the key of the environment.
    pub(crate) fn at(url: &str) -> Result<Self, Failure> {
        let missing = || Failure::WrongUsage(format!("--server needs a key in {KEY}"));
        let key = env::var(KEY).map_err(|_| missing())?;
        let invalid = |error| Failure::WrongUsage(format!("--server: {error}"));
        let client = Client::new(url, key).map_err(invalid)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Service(Box::new(error)))?;
        Ok(Server { client, runtime })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        Ok(self.runtime.block_on(work)?)
    }
}

impl Backend for Server {
    fn create(&self, request: CreateModel<'static>) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.create(&request))?.into_value())
    }

    fn get(&self, id: ModelId) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.get(id))?.into_value())
    }

    fn list(&self, list: &ListModels) -> Result<ModelPage, Failure> {
        Ok(self.wait(self.client.list(list))?.into_value())
    }

    fn update(
        &self,
        id: ModelId,
        request: UpdateModel<'static>,
        expected: &Expected,
    ) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.update(id, &request, expected))?.into_value())
    }

    fn run(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.run(id, expected))?.into_value())
    }

    fn cancel(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.cancel(id, expected))?.into_value())
    }

    fn resolve(&self, key: ModelKey) -> Result<CustomModel, Failure> {
        Ok(self.wait(self.client.resolve(key))?.into_value())
    }

    fn delete(&self, id: ModelId) -> Result<(), Failure> {
        self.wait(self.client.delete(id, &Expected::Anything)).map(drop)
    }

    fn events(&self, list: &ListEvents) -> Result<Vec<Event>, Failure> {
        Ok(self.wait(self.client.events(list))?.into_value().result)
    }

    fn pairs(&self, id: ModelId) -> Result<Vec<ListedPair>, Failure> {
        self.wait(self.client.pairs(id).try_collect())
    }

    fn add_data(
        &self,
        id: ModelId,
        args: &AddDataArgs,
        expected: &Expected,
    ) -> Result<String, Failure> {
        if args.manifest.is_some() || args.archive.is_some() {
            let reason =
                "--manifest and --archive need the store: they cannot be used with --server";
            return Err(Failure::WrongUsage(reason.to_owned()));
        }
        let (data_type, [audio, transcript]) = parts(args)?;
        let mut length = 0_u64;
        for path in [audio, transcript] {
            let found = File::open(path).and_then(|file| file.metadata());
            length = length.saturating_add(found.map_err(|it| unreadable(path, &it))?.len());
        }
        let bar = progress::of_bytes(length);
        let shown = bar.clone();
        let [audio, transcript] = [audio, transcript].map(UploadFile::from_path);
        let upload = Upload::new(data_type, audio, transcript)
            .expecting(expected.clone())
            .on_progress(move |progress| shown.set_position(progress.sent));
        let uploaded = self.wait(self.client.upload(id, &upload));
        bar.finish_and_clear();
        Ok(serde_json::to_string(&uploaded?.value)?)
    }

    fn remove_data(
        &self,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> Result<(), Failure> {
        self.wait(self.client.remove_data(id, data_id, expected)).map(drop)
    }
}

/// Returns the parts of an upload, or the violations of those that are missing or wrong (DATA-2). The service judges the
/// files.
fn parts(args: &AddDataArgs) -> Result<(DataType, [&Path; 2]), Failure> {
    let data_type = match args.data_type.as_deref().map(DataType::from_name) {
        Some(Some(data_type)) => Ok(data_type),
        Some(None) => Err(ViolationKind::Unsupported),
        None => Err(ViolationKind::Missing),
    };
    match (data_type, &args.audio, &args.transcript) {
        (Ok(data_type), Some(audio), Some(transcript)) => Ok((data_type, [audio, transcript])),
        (data_type, audio, transcript) => {
            let missing = |part: &Option<_>| part.is_none().then_some(ViolationKind::Missing);
            let faults = [
                (Field::Type, data_type.err()),
                (Field::AudioFile, missing(audio)),
                (Field::TranscriptFile, missing(transcript)),
            ];
            let faults = faults.into_iter().filter_map(|(field, kind)| Some((field, kind?)));
            Err(Violations::of_fields(faults).into())
        }
    }
}

/// A fault of the service ends the command as one of the store does.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) if refused.status < 500 => {
                Failure::Refused(one_line(refused.json, || {
                    serde_json::to_string(&refused.body).unwrap_or_default()
                }))
            }
            Error::Refused(refused) => {
                let id = refused.request_id.map(|id| format!(" (request {id})"));
                let id = id.unwrap_or_default();
                let text = format!("status {}: {}{id}", refused.status, refused.body.message);
                Failure::Service(text.into())
            }
            Error::File { .. } | Error::Inexpressible(_) => {
                Failure::WrongUsage(format!("--server: {}", with_causes(&error)))
            }
            error => Failure::Service(Box::new(error)),
        }
    }
}

/// Returns a body as it was sent, unless it would take control of the terminal or is several lines.
fn one_line(json: String, compact: impl FnOnce() -> String) -> String {
    if json.chars().any(char::is_control) { compact() } else { json }
}
