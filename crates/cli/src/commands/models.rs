//! The commands on models: parsing arguments into a request, and running the request.

use custom_models_core::model::{Expected, Revision};
use custom_models_core::request::Start;
use custom_models_core::store::OpenMode;
use custom_models_core::{CreateModel, ListModels, ModelId, ModelKey, Refusal, UpdateModel};

use crate::args::data::DataCommand;
use crate::args::id::{EditArgs, IdArgs};
use crate::args::models::{CreateArgs, EventsArgs, ListArgs, ModelCommand, UpdateArgs};
use crate::commands::backend::Backend;
use crate::commands::body;
use crate::commands::data::DataRequest;
use crate::commands::events;
use crate::output::failure::Failure;

/// A request about models, valid as far as that shows without a store.
#[derive(Debug)]
pub(crate) enum ModelRequest {
    Create(CreateModel<'static>),
    Show(ModelId),
    List(ListModels),
    Update(ModelId, UpdateModel<'static>, Expected),
    Run(ModelId, Expected),
    Cancel(ModelId, Expected),
    Resolve(ModelKey),
    Events(EventsArgs),
    Data(DataRequest),
    Delete(ModelId),
}

impl ModelRequest {
    /// Validates the arguments, and reads the request body if they name a file.
    pub(crate) fn prepare(command: ModelCommand) -> Result<Self, Failure> {
        match command {
            ModelCommand::Create(args) => create_request(&args).map(ModelRequest::Create),
            ModelCommand::Show(args) => model_id(&args).map(ModelRequest::Show),
            ModelCommand::List(args) => list_request(&args).map(ModelRequest::List),
            ModelCommand::Update(args) => {
                let (id, expected) = edit(&args.edit)?;
                Ok(ModelRequest::Update(id, update_request(&args)?, expected))
            }
            ModelCommand::Run(args) => {
                edit(&args).map(|(id, expected)| ModelRequest::Run(id, expected))
            }
            ModelCommand::Cancel(args) => {
                edit(&args).map(|(id, expected)| ModelRequest::Cancel(id, expected))
            }
            ModelCommand::Resolve(args) => {
                let key = args.model_key.parse().map_err(|_| Refusal::ModelNotFound)?;
                Ok(ModelRequest::Resolve(key))
            }
            ModelCommand::Data(command) => data(command).map(ModelRequest::Data),
            ModelCommand::Events(args) => Ok(ModelRequest::Events(args)),
            ModelCommand::Delete(args) => model_id(&args).map(ModelRequest::Delete),
        }
    }

    /// The mode to open the store in. Only a create makes a store (PLACE-1).
    pub(crate) const fn mode(&self) -> OpenMode {
        match self {
            ModelRequest::Create(_) => OpenMode::Create,
            ModelRequest::Show(_)
            | ModelRequest::List(_)
            | ModelRequest::Resolve(_)
            | ModelRequest::Events(_)
            | ModelRequest::Data(DataRequest::List(_)) => OpenMode::ReadOnly,
            ModelRequest::Update(..)
            | ModelRequest::Run(..)
            | ModelRequest::Cancel(..)
            | ModelRequest::Data(_)
            | ModelRequest::Delete(_) => OpenMode::Existing,
        }
    }

    /// Runs the request, and returns the JSON of the API; `None` for a delete, which has none.
    pub(crate) fn run(self, models: &dyn Backend) -> Result<Option<String>, Failure> {
        let answer = match self {
            ModelRequest::Create(request) => serde_json::to_string(&models.create(request)?)?,
            ModelRequest::Show(id) => serde_json::to_string(&models.get(id)?)?,
            ModelRequest::List(request) => serde_json::to_string(&models.list(&request)?)?,
            ModelRequest::Update(id, request, expected) => {
                serde_json::to_string(&models.update(id, request, &expected)?)?
            }
            ModelRequest::Run(id, expected) => serde_json::to_string(&models.run(id, &expected)?)?,
            ModelRequest::Cancel(id, expected) => {
                serde_json::to_string(&models.cancel(id, &expected)?)?
            }
            ModelRequest::Resolve(key) => serde_json::to_string(&models.resolve(key)?)?,
            ModelRequest::Events(args) => return events::print(models, &args),
            ModelRequest::Data(request) => return request.run(models),
            ModelRequest::Delete(id) => return models.delete(id).map(|()| None),
        };
        Ok(Some(answer))
    }
}

fn create_request(args: &CreateArgs) -> Result<CreateModel<'static>, Failure> {
    if let Some(file) = &args.json {
        let body = body::read(file)?;
        return Ok(CreateModel::from_json(&body)?.into_owned());
    }
    let mut request = CreateModel::builder();
    if let Some(name) = args.name.as_deref() {
        request = request.name(name);
    }
    if let Some(language) = args.language.as_deref() {
        request = request.language(language);
    }
    if let Some(base_model) = args.base_model.as_deref() {
        request = request.base_model(base_model);
    }
    if let Some(description) = args.description.as_deref() {
        request = request.description(description);
    }
    Ok(request.build()?.into_owned())
}

fn update_request(args: &UpdateArgs) -> Result<UpdateModel<'static>, Failure> {
    if let Some(file) = &args.json {
        let body = body::read(file)?;
        return Ok(UpdateModel::from_json(&body)?.into_owned());
    }
    let mut request = UpdateModel::builder();
    if let Some(name) = args.name.as_deref() {
        request = request.name(name);
    }
    if let Some(description) = args.description.as_deref() {
        request = request.description(description);
    }
    if args.no_description {
        request = request.no_description();
    }
    Ok(request.build()?.into_owned())
}

fn data(command: DataCommand) -> Result<DataRequest, Failure> {
    Ok(match command {
        DataCommand::Add(args) => {
            let (id, expected) = edit(&args.edit)?;
            DataRequest::Add(id, args, expected)
        }
        DataCommand::List(args) => DataRequest::List(model_id(&args)?),
        DataCommand::Remove { edit: args, data_id } => {
            let (id, expected) = edit(&args)?;
            let data_id = data_id.parse().map_err(|_| Refusal::DataNotFound)?;
            DataRequest::Remove(id, data_id, expected)
        }
    })
}

/// Returns the id of the model to change, and the revision that it is expected to have.
fn edit(args: &EditArgs) -> Result<(ModelId, Expected), Failure> {
    let revision = args.if_revision.and_then(|number| Revision::new(number.get()));
    let expected = revision.map(|revision| Expected::OneOf(vec![revision]));
    Ok((model_id(&args.id)?, expected.unwrap_or_default()))
}

/// Parses a model's id. A text that is not an id names no model (READ-3).
fn model_id(args: &IdArgs) -> Result<ModelId, Failure> {
    Ok(args.id.parse().map_err(|_| Refusal::ModelNotFound)?)
}

fn list_request(args: &ListArgs) -> Result<ListModels, Failure> {
    let parameters = [
        ("page", &args.page),
        ("per_page", &args.per_page),
        ("status", &args.status),
        ("language", &args.language),
        ("base_model", &args.base_model),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let mut request = ListModels::from_pairs(given)?;
    if let Some(id) = args.after {
        request.start = Start::After(id);
    }
    Ok(request)
}
