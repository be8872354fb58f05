//! Group commit for stores that serialise their writes.
//!
//! Writes are submitted with a completion and queue up. One thread takes whatever is in the queue,
//! has it committed as one transaction with one sync, and answers every write of the group; what
//! queued up meanwhile is the next group. Nothing waits for a timer: a lone write is committed at
//! once, and a group is as large as the load makes it.
//!
//! An adapter brings a [`Committer`]; [`GroupCommit`] brings the queue, its bound, the thread, the
//! order of answers and an orderly end.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use custom_models_core::{Completion, Outcome, StoreError, StoreErrorKind, Write};

/// Makes groups of writes durable, one group at a time.
pub trait Committer: Send + 'static {
    /// Judges the writes in their order, each on the state that those before it leave, and makes
    /// those that are not refused durable together.
    ///
    /// Returns one answer a write, in order, once all of them hold even after a power cut. A
    /// refused write leaves no trace. `Err` speaks for every write of the group: none was made, or,
    /// with [`StoreErrorKind::OutcomeUnknown`], all of them were or none. After an error the next
    /// call begins from what is really stored.
    fn commit(&mut self, writes: &[Write]) -> Result<Answers, StoreError>;
}

/// One answer a write, in the order of the writes.
pub type Answers = Vec<Result<Outcome, StoreError>>;

/// How many writes may wait for the next group; one more is [`StoreErrorKind::Busy`].
///
/// At 64 callers a group has about as many writes; the bound keeps a stalled disk from filling
/// memory with requests that nobody waits for any more (their texts are at most 4800 bytes each).
pub const QUEUE_LIMIT: usize = 4096;

/// A queue of writes and the thread that commits it in groups.
///
/// Dropping it commits what is queued, as [`GroupCommit::close`] does.
pub struct GroupCommit {
    queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl GroupCommit {
    /// Starts the thread, under a name that debuggers show.
    ///
    /// # Errors
    ///
    /// When the system starts no thread.
    pub fn start(thread_name: &str, committer: impl Committer) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer_queue = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name(thread_name.to_owned())
            .spawn(move || write_groups(&writer_queue, committer))?;
        Ok(GroupCommit { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Puts a write into the next group. `done` is called once: from the writer thread when the
    /// group is committed, or at once when the queue is full or closed.
    pub fn submit(&self, write: Write, done: Completion) {
        let mut state = self.queue.lock();
        let refusal = if state.is_closed {
            StoreErrorKind::Closed
        } else if state.waiting.writes.len() >= QUEUE_LIMIT {
            StoreErrorKind::Busy
        } else {
            state.waiting.writes.push(write);
            state.waiting.completions.push(done);
            // A writer that is at work looks into the queue before it sleeps.
            let is_asleep = std::mem::take(&mut state.is_writer_asleep);
            drop(state);
            if is_asleep {
                self.queue.filled.notify_one();
            }
            return;
        };
        drop(state);
        done(Err(refusal.into()));
    }

    /// Takes no more writes, and waits until those that are queued are answered. Closing again only
    /// waits.
    pub fn close(&self) {
        self.queue.lock().is_closed = true;
        self.queue.filled.notify_one();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The last owner may be a completion, which runs on the writer's own thread: that one
        // finishes its queue by itself.
        let is_here = |handle: &JoinHandle<()>| handle.thread().id() == thread::current().id();
        if let Some(handle) = writer.take_if(|handle| !is_here(handle)) {
            // A writer that panicked has dropped its completions, which is their answer.
            let _ = handle.join();
        }
    }
}

impl fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl Drop for GroupCommit {
    fn drop(&mut self) {
        self.close();
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Group,
    is_closed: bool,
    is_writer_asleep: bool,
}

/// Writes and their completions, place by place.
#[derive(Default)]
struct Group {
    writes: Vec<Write>,
    completions: Vec<Completion>,
}

impl Queue {
    /// Nothing that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges an answered group, empty by now, for the next one; `false` at the end.
    fn next_group(&self, group: &mut Group) -> bool {
        let mut state = self.lock();
        while state.waiting.writes.is_empty() {
            if state.is_closed {
                return false;
            }
            state.is_writer_asleep = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writer_asleep = false;
        std::mem::swap(&mut state.waiting, group);
        true
    }
}

fn write_groups(queue: &Queue, mut committer: impl Committer) {
    let _last_rites = LastRites(queue);
    let mut group = Group::default();
    while queue.next_group(&mut group) {
        let answers = committer.commit(&group.writes);
        group.writes.clear();
        answer(answers, group.completions.drain(..));
    }
}

fn answer(answers: Result<Answers, StoreError>, completions: impl Iterator<Item = Completion>) {
    match answers {
        Ok(answers) => {
            // A completion without an answer is dropped, and its caller hears that the outcome is
            // unknown.
            completions.zip(answers).for_each(|(done, answer)| call(done, answer));
        }
        Err(fault) => completions.for_each(|done| call(done, Err(fault.clone()))),
    }
}

/// A completion is a host's code. One that panics must not end the writer for all others.
fn call(done: Completion, answer: Result<Outcome, StoreError>) {
    // What it panicked with was printed by the panic hook; nobody here has a use for it.
    let _ = catch_unwind(AssertUnwindSafe(|| done(answer)));
}

/// However the writer ends, by a panic of the committer too, nobody waits for it in vain.
struct LastRites<'a>(&'a Queue);

impl Drop for LastRites<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let group = std::mem::take(&mut state.waiting);
        drop(state);
        group
            .completions
            .into_iter()
            .for_each(|done| call(done, Err(StoreErrorKind::Closed.into())));
    }
}

#[cfg(test)]
mod tests;
