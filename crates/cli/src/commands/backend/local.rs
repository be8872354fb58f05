//! The models of an organisation in a store on this machine, with their folder of training data.

use custom_models_core::model::{DataId, Event, Expected, ListedPair};
use custom_models_core::request::{ListEvents, ModelPage};
use custom_models_core::{CreateModel, CustomModel, ListModels, ModelId, ModelKey, UpdateModel};
use custom_models_training_data::ContentStore;

use crate::args::data::AddDataArgs;
use crate::commands::backend::{Backend, Local};
use crate::commands::data;
use crate::output::failure::Failure;

impl Backend for Local<'_> {
    fn create(&self, request: CreateModel<'static>) -> Result<CustomModel, Failure> {
        Ok(self.engine.create(self.caller, request)?)
    }

    fn get(&self, id: ModelId) -> Result<CustomModel, Failure> {
        Ok(self.engine.get(self.caller, id)?)
    }

    fn list(&self, list: &ListModels) -> Result<ModelPage, Failure> {
        Ok(self.engine.list(self.caller, list)?)
    }

    fn update(
        &self,
        id: ModelId,
        request: UpdateModel<'static>,
        expected: &Expected,
    ) -> Result<CustomModel, Failure> {
        Ok(self.engine.update(self.caller, id, request, expected)?)
    }

    fn run(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure> {
        Ok(self.engine.run(self.caller, id, expected)?)
    }

    fn cancel(&self, id: ModelId, expected: &Expected) -> Result<CustomModel, Failure> {
        Ok(self.engine.cancel(self.caller, id, expected)?)
    }

    fn resolve(&self, key: ModelKey) -> Result<CustomModel, Failure> {
        Ok(self.engine.resolve(self.caller, key)?)
    }

    fn delete(&self, id: ModelId) -> Result<(), Failure> {
        // Refused if the folder belongs to another store or is missing: the files could not be removed.
        let contents = self.folder.open_for_removal()?;
        self.engine.delete(self.caller, id)?;
        if let Some(contents) = contents {
            contents.remove_model(self.caller.organisation(), id)?;
        }
        Ok(())
    }

    fn events(&self, list: &ListEvents) -> Result<Vec<Event>, Failure> {
        Ok(self.engine.events(self.caller, list.after, list.limit)?.result)
    }

    fn pairs(&self, id: ModelId) -> Result<Vec<ListedPair>, Failure> {
        let pairs = self.engine.pairs(self.caller, id);
        Ok(pairs.map(|pair| pair.map(ListedPair::from)).collect::<Result<_, _>>()?)
    }

    fn add_data(
        &self,
        id: ModelId,
        args: &AddDataArgs,
        expected: &Expected,
    ) -> Result<String, Failure> {
        data::add_local(self, id, args, expected)
    }

    fn remove_data(
        &self,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> Result<(), Failure> {
        let contents = self.folder.open_for_removal()?;
        let pair = self.engine.remove_data(self.caller, id, data_id, expected)?;
        if let Some(contents) = contents {
            for file in [&pair.audio, &pair.transcript] {
                contents.remove(self.caller.organisation(), id, &file.content)?;
            }
        }
        Ok(())
    }
}
