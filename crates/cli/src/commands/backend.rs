//! The models that a command works on: in a store on this machine, or behind a service.

mod local;
#[cfg(feature = "client")]
pub(crate) mod server;

use custom_models_core::model::{DataId, Event, Expected, ListedPair};
use custom_models_core::request::{ListEvents, ModelPage};
use custom_models_core::{
    Caller, CreateModel, CustomModel, Engine, ListModels, ModelId, ModelKey, UpdateModel,
};

use crate::args::data::AddDataArgs;
use crate::config::data_folder::DataFolder;
use crate::output::failure::Failure;

/// The operations that commands on models need.
pub(crate) trait Backend {
    fn create(&self, request: CreateModel<'static>) -> Result<CustomModel, Failure>;

    fn get(&self, id: ModelId) -> Result<CustomModel, Failure>;

    fn list(&self, list: &ListModels) -> Result<ModelPage, Failure>;

    fn update(
        &self,
        id: ModelId,
        request: UpdateModel<'static>,
        expected: &Expected,
    ) -> Result<CustomModel, Failure>;

    fn run(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure>;

    fn cancel(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure>;

    fn resolve(&self, key: ModelKey) -> Result<CustomModel, Failure>;

    /// Deletes a model with its data.
    fn delete(&self, id: ModelId) -> Result<(), Failure>;

    /// Returns a part of the history. A service waits for an event as the request says; a store does not.
    fn events(&self, list: &ListEvents) -> Result<Vec<Event>, Failure>;

    /// Returns every pair of a model.
    fn pairs(&self, id: ModelId) -> Result<Vec<ListedPair>, Failure>;

    /// Adds the pair or the pairs that the arguments name, and returns the JSON of the result.
    fn add_data(
        &self,
        id: ModelId,
        args: &AddDataArgs,
        expected: &Expected,
    ) -> Result<String, Failure>;

    /// Removes a pair and its files.
    fn remove_data(&self, id: ModelId, data_id: DataId, expected: &Expected)
    -> Result<(), Failure>;
}

/// A store on this machine, and who uses it.
pub(crate) struct Local<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) caller: &'a Caller,
    pub(crate) folder: &'a DataFolder,
}
