//! Whole lists, read page by page as they are consumed.

use std::fmt;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;

use crate::engine::Engine;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, DataPair, Event, ModelId};
use crate::store::{Filter, PendingRead, Selection};
use crate::tenant::Caller;

/// The most entries that are read at a time.
pub(crate) const READ_AT_ONCE: u32 = 1000;

/// Every entry of a list: models, events or data pairs. Pages are read as they are consumed.
///
/// An error takes the place of an entry, and is the last item.
#[must_use = "nothing is read before it is consumed"]
pub struct Entries<T> {
    list: List<T>,
    cursor: Cursor<T>,
}

/// Every entry of a list, as [`Entries`], on the threads of the engine's pool.
///
/// A [`Stream`] for any async runtime. Without the helpers of another crate, [`EntryStream::next`] returns the entries.
#[must_use = "nothing is read before it is consumed"]
pub struct EntryStream<T> {
    list: List<T>,
    cursor: Cursor<T>,
    pending: Option<PendingRead<Page<T>, Refusal>>,
}

/// The list of a caller.
struct List<T> {
    engine: Engine,
    caller: Caller,
    read: Arc<ReadPage<T>>,
}

/// Reads the entries after a position.
type ReadPage<T> = dyn Fn(&Engine, &Caller, u64) -> Result<Page<T>, Refusal> + Send + Sync;

/// A page of a list, and the position after which the next one begins.
struct Page<T> {
    entries: Vec<T>,
    next: Option<u64>,
}

impl<T> Page<T> {
    /// A page of as many entries as were read. One that is not full is the last.
    fn new(entries: Vec<T>, position: impl Fn(&T) -> u64) -> Self {
        let is_full = entries.len() >= READ_AT_ONCE as usize;
        let next = entries.last().filter(|_| is_full).map(position);
        Page { entries, next }
    }
}

/// The part of a page that is not consumed yet, and the position after which the next one begins.
struct Cursor<T> {
    entries: vec::IntoIter<T>,
    next: Option<u64>,
}

impl<T> Cursor<T> {
    fn after(position: u64) -> Self {
        Cursor { entries: Vec::new().into_iter(), next: Some(position) }
    }

    fn turn(&mut self, Page { entries, next }: Page<T>) {
        *self = Cursor { entries: entries.into_iter(), next };
    }
}

impl<T: Send + 'static> List<T> {
    fn iter(self, after: u64) -> Entries<T> {
        Entries { list: self, cursor: Cursor::after(after) }
    }

    fn stream(self, after: u64) -> EntryStream<T> {
        EntryStream { list: self, cursor: Cursor::after(after), pending: None }
    }
}

impl<T> Iterator for Entries<T> {
    type Item = Result<T, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.cursor.entries.next() {
                return Some(Ok(entry));
            }
            let after = self.cursor.next.take()?;
            match (self.list.read)(&self.list.engine, &self.list.caller, after) {
                Ok(page) => self.cursor.turn(page),
                Err(refusal) => return Some(Err(refusal)),
            }
        }
    }
}

impl<T> FusedIterator for Entries<T> {}

impl<T: Send + 'static> EntryStream<T> {
    /// Returns the next entry; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T, Refusal>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

/// Entries are never pinned.
impl<T> Unpin for EntryStream<T> {}

impl<T: Send + 'static> Stream for EntryStream<T> {
    type Item = Result<T, Refusal>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let EntryStream { list, cursor, pending } = self.get_mut();
        loop {
            if let Some(entry) = cursor.entries.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            let reading = match pending {
                Some(reading) => reading,
                None => {
                    let Some(after) = cursor.next.take() else { return Poll::Ready(None) };
                    let read = Arc::clone(&list.read);
                    pending.insert(
                        list.engine
                            .queue(&list.caller, move |engine, caller| read(engine, caller, after)),
                    )
                }
            };
            let page = ready!(Pin::new(reading).poll(context));
            *pending = None;
            match page {
                Ok(page) => cursor.turn(page),
                Err(refusal) => return Poll::Ready(Some(Err(refusal))),
            }
        }
    }
}

impl<T> fmt::Debug for Entries<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for EntryStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryStream").finish_non_exhaustive()
    }
}

impl Engine {
    /// Returns every model of the caller's organisation that matches, in ascending order of their ids.
    ///
    /// Models that are created or deleted meanwhile are returned or not; all others are returned once.
    ///
    /// ```
    /// use custom_models_core::store::Filter;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// for model in engine.models(&caller, Filter::default()) {
    ///     assert_eq!(model?.name.as_str(), "Legal");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn models(&self, caller: &Caller, filter: Filter) -> Entries<CustomModel> {
        self.list_of_models(caller, filter).iter(0)
    }

    /// Returns every model that matches, as [`Engine::models`] does, without blocking a thread.
    ///
    /// ```
    /// use custom_models_core::store::Filter;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// # pollster::block_on(async {
    /// let mut models = engine.models_async(&caller, Filter::default());
    /// while let Some(model) = models.next().await {
    ///     assert_eq!(model?.name.as_str(), "Legal");
    /// }
    /// # Ok::<(), custom_models_core::Refusal>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn models_async(&self, caller: &Caller, filter: Filter) -> EntryStream<CustomModel> {
        self.list_of_models(caller, filter).stream(0)
    }

    /// Returns every event of the caller's organisation after a position, in order (LOG-1). It ends with the event that
    /// is the last when it is reached.
    ///
    /// [`Refusal::EventsExpired`] takes the place of events that are deleted already.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// assert_eq!(engine.history(&caller, 0).count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn history(&self, caller: &Caller, after: u64) -> Entries<Event> {
        self.list_of_events(caller).iter(after)
    }

    /// Returns every event after a position, as [`Engine::history`] does, without blocking a thread.
    pub fn history_async(&self, caller: &Caller, after: u64) -> EntryStream<Event> {
        self.list_of_events(caller).stream(after)
    }

    /// Returns every data pair of a model, in the order in which they were added.
    ///
    /// Pairs that are added or removed meanwhile are returned or not; all others are returned once. The errors are those
    /// of [`Engine::data`].
    pub fn pairs(&self, caller: &Caller, id: ModelId) -> Entries<DataPair> {
        self.list_of_pairs(caller, id).iter(0)
    }

    /// Returns every data pair of a model, as [`Engine::pairs`] does, without blocking a thread.
    pub fn pairs_async(&self, caller: &Caller, id: ModelId) -> EntryStream<DataPair> {
        self.list_of_pairs(caller, id).stream(0)
    }

    fn list_of<T>(
        &self,
        caller: &Caller,
        read: impl Fn(&Engine, &Caller, u64) -> Result<Page<T>, Refusal> + Send + Sync + 'static,
    ) -> List<T> {
        List { engine: self.clone(), caller: caller.clone(), read: Arc::new(read) }
    }

    /// The filter is not the store's, which would count all matching models for each page.
    fn list_of_models(&self, caller: &Caller, filter: Filter) -> List<CustomModel> {
        self.list_of(caller, move |engine, caller, after| {
            let selection = Selection {
                after: ModelId::new(after).ok(),
                limit: READ_AT_ONCE,
                ..Selection::default()
            };
            let models = engine.store.list(caller.organisation(), &selection)?.models;
            let mut page = Page::new(models, |model| model.id.get());
            page.entries.retain(|model| filter.matches(model));
            Ok(page)
        })
    }

    fn list_of_events(&self, caller: &Caller) -> List<Event> {
        self.list_of(caller, |engine, caller, after| {
            let events = engine.events(caller, after, READ_AT_ONCE)?.result;
            Ok(Page::new(events, |event| event.position))
        })
    }

    fn list_of_pairs(&self, caller: &Caller, id: ModelId) -> List<DataPair> {
        self.list_of(caller, move |engine, caller, after| {
            if after == 0 {
                engine.get(caller, id)?;
            }
            let after = u32::try_from(after).unwrap_or(u32::MAX);
            let pairs = engine.store.data(caller.organisation(), id, after, READ_AT_ONCE)?;
            Ok(Page::new(pairs, |pair| pair.id.get().into()))
        })
    }
}
