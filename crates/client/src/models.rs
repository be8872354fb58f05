//! The operations on models.

use std::num::NonZeroU64;

use custom_models_core::engine::Validated;
use custom_models_core::model::{Expected, Revision};
use custom_models_core::request::{ModelPage, PerPage, Start};
use custom_models_core::store::{Filter, IdempotencyKey};
use custom_models_core::{CreateModel, CustomModel, ListModels, ModelId, ModelKey, UpdateModel};
use futures_core::Stream;
use futures_util::{TryStreamExt, stream};
use reqwest::header::IF_NONE_MATCH;
use reqwest::{Method, StatusCode};

use crate::client::Client;
use crate::error::Error;
use crate::reply::Reply;
use crate::transport::Call;

impl Client {
    /// Creates a model, once, whatever happens to the connection.
    ///
    /// # Errors
    ///
    /// As of every method an [`Error`], which lists the kinds.
    pub async fn create(&self, request: &CreateModel<'_>) -> Result<Reply<CustomModel>, Error> {
        self.create_as(request, None).await
    }

    /// Creates a model, once, under a key of the caller's, which outlives this process.
    ///
    /// # Errors
    ///
    /// As [`Client::create`], and `IDEMPOTENCY_KEY_REUSED` if the key named another request.
    pub async fn create_once(
        &self,
        request: &CreateModel<'_>,
        key: &IdempotencyKey,
    ) -> Result<Reply<CustomModel>, Error> {
        self.create_as(request, Some(key)).await
    }

    async fn create_as(
        &self,
        request: &CreateModel<'_>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Reply<CustomModel>, Error> {
        self.fetch_model(Call::on_models(self, Method::POST, &[]).once(key).json(request)?).await
    }

    /// Validates a request to create a model, and creates nothing (DRY-1).
    ///
    /// # Errors
    ///
    /// As [`Client::create`].
    pub async fn validate(&self, request: &CreateModel<'_>) -> Result<Reply<Validated>, Error> {
        let call = Call::on_models(self, Method::POST, &[]).query("validate_only", true);
        self.fetch(call.repeatable().json(request)?).await
    }

    /// Returns a model.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, and as [`Client::create`].
    pub async fn get(&self, id: ModelId) -> Result<Reply<CustomModel>, Error> {
        self.fetch_model(Call::on_models(self, Method::GET, &[&id])).await
    }

    /// Returns a model unless it is at the revision that the caller knows, and not being trained.
    ///
    /// # Errors
    ///
    /// As [`Client::get`].
    pub async fn get_if_changed(
        &self,
        id: ModelId,
        known: Revision,
    ) -> Result<Reply<Option<CustomModel>>, Error> {
        let call = Call::on_models(self, Method::GET, &[&id])
            .header(IF_NONE_MATCH.as_str(), &format!("\"{known}\""));
        let received = self.send(call).await?;
        if received.status == StatusCode::NOT_MODIFIED {
            return Ok(Reply::new(None, received.heads));
        }
        Ok(received.model()?.map(Some))
    }

    /// Returns the model that a key names, if transcription can use it.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `MODEL_NOT_TRAINED`, and as [`Client::create`].
    pub async fn resolve(&self, key: ModelKey) -> Result<Reply<CustomModel>, Error> {
        self.fetch_model(Call::on_models(self, Method::GET, &[&"resolve", &key])).await
    }

    /// Returns a page of models.
    ///
    /// # Errors
    ///
    /// [`Error::Inexpressible`] for a page that starts after a model, which the API does not have, and as
    /// [`Client::create`].
    pub async fn list(&self, list: &ListModels) -> Result<Reply<ModelPage>, Error> {
        let ListModels { filter, start, per_page } = list;
        let call = Call::on_models(self, Method::GET, &[])
            .query_if("status", filter.status)
            .query_if("language", filter.language)
            .query_if("base_model", filter.base_model)
            .query("page", page_number(*start)?)
            .query("per_page", per_page.get());
        self.fetch(call).await
    }

    /// Returns all models that match, page by page, in ascending order of their ids.
    ///
    /// A model that is deleted meanwhile moves those behind it forward: one of them may be missed.
    pub fn models(&self, filter: Filter) -> impl Stream<Item = Result<CustomModel, Error>> + Send {
        let client = self.clone();
        all_pages(move |start, per_page| {
            let client = client.clone();
            async move {
                let page = client.list(&ListModels { filter, start, per_page }).await?.into_value();
                Ok((page.result, page.total_results))
            }
        })
    }

    /// Changes the name or the description of a model.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `PRECONDITION_FAILED`, and as [`Client::create`].
    pub async fn update(
        &self,
        id: ModelId,
        request: &UpdateModel<'_>,
        expected: &Expected,
    ) -> Result<Reply<CustomModel>, Error> {
        let call = Call::on_models(self, Method::POST, &[&id]).expecting(expected);
        self.fetch_model(call.json(request)?).await
    }

    /// Deletes a model with its data.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `TRAINING_IN_PROGRESS`, `PRECONDITION_FAILED`, and as [`Client::create`].
    pub async fn delete(&self, id: ModelId, expected: &Expected) -> Result<Reply<()>, Error> {
        let call = Call::on_models(self, Method::DELETE, &[&id]).expecting(expected);
        Ok(self.send(call).await?.empty())
    }
}

/// Returns the number of a page.
pub(crate) fn page_number<I>(start: Start<I>) -> Result<u64, Error> {
    match start {
        Start::Page(page) => Ok(page.get()),
        Start::After(_) => {
            Err(Error::Inexpressible("the API lists pages by number, not after an id"))
        }
    }
}

/// Returns the items of all pages. `page` returns the items of one, and the number of all.
pub(crate) fn all_pages<I, T, F>(
    page: impl Fn(Start<I>, PerPage) -> F + Send,
) -> impl Stream<Item = Result<T, Error>> + Send
where
    I: Send,
    T: Send,
    F: Future<Output = Result<(Vec<T>, u64), Error>> + Send,
{
    let per_page = PerPage::new(PerPage::MAX).unwrap_or_default();
    let parts = stream::try_unfold(Some((NonZeroU64::MIN, 0_u64)), move |next| {
        let read = next.map(|(number, read)| (number, read, page(Start::Page(number), per_page)));
        async move {
            let Some((number, read, part)) = read else { return Ok(None) };
            let (items, total) = part.await?;
            let read = read.saturating_add(items.len() as u64);
            let next =
                (!items.is_empty() && read < total).then(|| (number.saturating_add(1), read));
            Ok::<_, Error>(Some((stream::iter(items.into_iter().map(Ok)), next)))
        }
    });
    parts.try_flatten()
}
