//! The operations on the data of a model.

use custom_models_core::ModelId;
use custom_models_core::model::{DataId, DataList, Expected, ListedPair, Uploaded};
use custom_models_core::request::ListData;
use futures_core::Stream;
use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::models::{all_pages, page_number};
use crate::reply::Reply;
use crate::transport::Call;
use crate::upload::Upload;

impl Client {
    /// Adds a pair of audio and transcript to a model, once, and returns when it is durable.
    ///
    /// # Errors
    ///
    /// [`Error::File`] for a file that cannot be read. `MODEL_NOT_FOUND`, `TRAINING_IN_PROGRESS`, `PRECONDITION_FAILED`,
    /// and as [`Client::create`].
    pub async fn upload(
        &self,
        id: ModelId,
        upload: &Upload,
    ) -> Result<Reply<Uploaded<'static>>, Error> {
        let call = Call::on_models(self, Method::PUT, &[&id, &"data"])
            .expecting(upload.expected())
            .once(upload.key())
            .upload(upload);
        self.fetch(call).await
    }

    /// Returns a page of the pairs of a model.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, and as [`Client::list`].
    pub async fn data(&self, id: ModelId, list: &ListData) -> Result<Reply<DataList>, Error> {
        let call = Call::on_models(self, Method::GET, &[&id, &"data"])
            .query("page", page_number(list.start)?)
            .query("per_page", list.per_page.get());
        self.fetch(call).await
    }

    /// Returns all pairs of a model, page by page, in the order in which they were added.
    ///
    /// A pair that is removed meanwhile moves those behind it forward: one of them may be missed.
    pub fn pairs(&self, id: ModelId) -> impl Stream<Item = Result<ListedPair, Error>> + Send {
        let client = self.clone();
        all_pages(move |start, per_page| {
            let client = client.clone();
            async move {
                let page = client.data(id, &ListData { start, per_page }).await?.into_value();
                Ok((page.result, page.total_results))
            }
        })
    }

    /// Removes a pair from a model.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `DATA_NOT_FOUND`, `TRAINING_IN_PROGRESS`, `PRECONDITION_FAILED`, and as [`Client::create`].
    pub async fn remove_data(
        &self,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> Result<Reply<()>, Error> {
        let call = Call::on_models(self, Method::DELETE, &[&id, &"data", &data_id]);
        Ok(self.send(call.expecting(expected)).await?.empty())
    }
}
