//! Group commit for stores that serialise their writes.
//!
//! Writes are submitted with a completion and queue up. One thread takes whatever is in the queue,
//! has it committed as one transaction with one sync, and answers every write of the group; what
//! queued up meanwhile is the next group. A caller that blocks anyhow, and finds nothing at work,
//! commits its write on its own thread and saves two hand-offs, which cost about as much as a sync
//! of a fast disk does.
//!
//! A lone write waits for nothing. After a group of several the thread gives those whom it answered
//! a moment to come back, a fraction of what their commit took: without it the first of them would
//! be a group of its own, and all others would wait for two syncs.
//!
//! An adapter brings a [`Committer`]; [`GroupCommit`] brings the queue, its bound, the thread, the
//! order of answers and an orderly end.
#![forbid(unsafe_code)]

mod queue;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use custom_models_core::{Completion, Outcome, StoreError, StoreErrorKind, Write};

use crate::queue::{Group, Queue, Rest};

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
        let queue = Arc::new(Queue::new(Box::new(committer)));
        let writer_queue = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name(thread_name.to_owned())
            .spawn(move || write_groups(&writer_queue))?;
        Ok(GroupCommit { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Puts a write into the next group. `done` is called once: from a thread that commits, when the
    /// group is committed, or at once when the queue is full or closed.
    pub fn submit(&self, write: Write, done: Completion) {
        if let Err((done, refusal)) = self.queue.push(write, done) {
            done(Err(refusal.into()));
        }
    }

    /// Makes a write and returns its answer: on this thread if nothing is at work, with the next
    /// group if something is.
    ///
    /// # Errors
    ///
    /// What [`GroupCommit::submit`] answers.
    pub fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        if let Some(mut committer) = self.queue.lend() {
            let answers = commit(&mut *committer, slice::from_ref(&write));
            self.queue.give_back(committer, answers.is_none());
            // A committer that panicked has no answer, as one that forgot it.
            let answer = answers.and_then(|answers| answers.map(|mut it| it.pop()).transpose());
            return answer.unwrap_or_else(|| Err(StoreErrorKind::OutcomeUnknown.into()))?;
        }
        let (sender, answer) = mpsc::sync_channel(1);
        self.submit(write, Box::new(move |it| sender.send(it).unwrap_or_default()));
        answer.recv().unwrap_or_else(|_| Err(StoreErrorKind::OutcomeUnknown.into()))
    }

    /// Takes no more writes, and waits until those that are queued are answered. Closing again only
    /// waits.
    pub fn close(&self) {
        self.queue.close();
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

fn write_groups(queue: &Queue) {
    let mut group = Group::default();
    let mut rest = None;
    while let Some(mut committer) = queue.next_group(&mut group, rest.take()) {
        let begun = Instant::now();
        let answers = commit(&mut *committer, &group.writes);
        let took = begun.elapsed();
        let answered = group.writes.len();
        group.writes.clear();
        match answers {
            Some(answers) => answer(answers, group.completions.drain(..)),
            None => {
                // Dropped unanswered, a completion says that the outcome is unknown.
                group.completions.clear();
                return queue.give_back(committer, true);
            }
        }
        rest = Some(Rest { committer, answered, took });
    }
}

/// Commits; `None` if the committer panicked, after which nobody knows what it does next.
fn commit(committer: &mut dyn Committer, writes: &[Write]) -> Option<Result<Answers, StoreError>> {
    // What it panicked with was printed by the panic hook; nobody here has a use for it.
    catch_unwind(AssertUnwindSafe(|| committer.commit(writes))).ok()
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

#[cfg(test)]
mod tests;
