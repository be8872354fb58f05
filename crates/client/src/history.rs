//! The history of an organisation.

use std::time::Duration;

use custom_models_core::engine::EventList;
use custom_models_core::model::Event;
use custom_models_core::request::ListEvents;
use futures_core::Stream;
use futures_util::{TryStreamExt, stream};
use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::reply::Reply;
use crate::transport::Call;

impl Client {
    /// Returns a part of the history. With a wait, the service responds when there is an event or the time is over.
    ///
    /// # Errors
    ///
    /// `EVENTS_EXPIRED`, and as [`Client::create`].
    pub async fn events(&self, list: &ListEvents) -> Result<Reply<EventList>, Error> {
        let call = Call::on_models(self, Method::GET, &[&"events"])
            .query("after", list.after)
            .query("limit", list.limit)
            .query("wait", list.wait.as_secs());
        self.fetch(call.waiting(list.wait)).await
    }

    /// Returns the events behind a position, and waits for more: the stream has no end but an error.
    ///
    /// ```no_run
    /// use custom_models_client::{Client, Error};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example(client: Client) -> Result<(), Error> {
    /// let mut events = std::pin::pin!(client.follow(0));
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{}: model {}", event.position, event.model_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(&self, after: u64) -> impl Stream<Item = Result<Event, Error>> + Send {
        let client = self.clone();
        let parts = stream::try_unfold(after, move |after| {
            let client = client.clone();
            async move {
                let mut list = ListEvents::default();
                list.after = after;
                list.limit = ListEvents::MAX_LIMIT;
                list.wait = Duration::from_secs(ListEvents::MAX_WAIT);
                let events = client.events(&list).await?.into_value().result;
                let after = events.last().map_or(after, |event| event.position);
                Ok::<_, Error>(Some((stream::iter(events.into_iter().map(Ok)), after)))
            }
        });
        parts.try_flatten()
    }
}
