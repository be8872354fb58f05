//! The two forms of an operation, blocking and as a future: both make the same reads and submit the same writes.

use crate::engine::Engine;
use crate::engine::refusal::Refusal;
use crate::store::{Form, Outcome, PendingRead, PendingWrite, ReadPool, StoreError, Write};
use crate::tenant::Caller;

/// An operation that is one write, with the way from the outcome to the result.
pub(crate) struct WriteOperation<T> {
    pub(crate) write: Write,
    pub(crate) interpret: Interpret<T>,
}

pub(crate) type Interpret<T> =
    Box<dyn FnOnce(Result<Outcome, StoreError>) -> Result<T, Refusal> + Send>;

impl<T> WriteOperation<T> {
    /// An operation whose result is made of the outcome of its change alone.
    pub(crate) fn new(
        write: Write,
        interpret: impl FnOnce(Outcome) -> Result<T, Refusal> + Send + 'static,
    ) -> Self {
        WriteOperation { write, interpret: Box::new(|outcome| interpret(outcome?)) }
    }

    /// The same operation with another result.
    pub(crate) fn and_then<U>(
        self,
        next: impl FnOnce(T) -> Result<U, Refusal> + Send + 'static,
    ) -> WriteOperation<U>
    where
        T: 'static,
    {
        let interpret = self.interpret;
        let interpret = Box::new(|outcome| interpret(outcome).and_then(next));
        WriteOperation { write: self.write, interpret }
    }
}

impl Engine {
    /// Returns this engine with its asynchronous reads on the threads of `readers`, which others may share.
    ///
    /// Without this, the first asynchronous read of an engine or of a clone starts a pool of
    /// [`ReadPool::default_threads`] for all of them.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::SystemTime;
    /// use custom_models_core::access::{Gate, Limits};
    /// use custom_models_core::store::ReadPool;
    /// use custom_models_core::tenant::Plans;
    /// use custom_models_core::{Engine, MemoryStore};
    ///
    /// let (store, readers) = (Arc::new(MemoryStore::new()), ReadPool::start(8));
    /// let engine = Engine::new(store.clone(), SystemTime::now).with_readers(readers.clone());
    /// let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?.with_readers(readers);
    /// # Ok::<(), custom_models_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn with_readers(self, readers: ReadPool) -> Self {
        Engine { readers: readers.into(), ..self }
    }

    /// Makes a write, and waits for its result.
    pub(crate) fn apply<T>(&self, operation: WriteOperation<T>) -> Result<T, Refusal> {
        (operation.interpret)(self.store.apply(operation.write))
    }

    /// Submits a write.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: WriteOperation<T>,
    ) -> PendingWrite<T, Refusal> {
        let WriteOperation { write, interpret } = operation;
        PendingWrite::new(|done| self.store.submit(write, done), interpret)
    }

    /// Queues a read for the pool.
    pub(crate) fn queue<T: Send + 'static>(
        &self,
        caller: &Caller,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> PendingRead<T, Refusal> {
        let caller = caller.clone();
        self.queue_read(move |engine| read(engine, &caller))
    }

    /// Queues a read for the pool, on nobody's behalf.
    pub(crate) fn queue_read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, Refusal> + Send + 'static,
    ) -> PendingRead<T, Refusal> {
        let engine = self.clone();
        self.readers.get().read(move || read(&engine))
    }

    /// Makes a write as part of an operation.
    pub(crate) async fn write_as<T: Send + 'static>(
        &self,
        form: Form,
        operation: WriteOperation<T>,
    ) -> Result<T, Refusal> {
        match form {
            Form::Blocking => self.apply(operation),
            Form::Async => self.submit(operation).await,
        }
    }

    /// Reads as part of an operation.
    pub(crate) async fn read_as<T: Send + 'static>(
        &self,
        form: Form,
        read: impl FnOnce(&Engine) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        match form {
            Form::Blocking => read(self),
            Form::Async => self.queue_read(read).await,
        }
    }
}
