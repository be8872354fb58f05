//! The queue, and whose turn it is to commit.

use std::cmp;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use std::panic::{AssertUnwindSafe, catch_unwind};

use custom_models_core::{AccessOutcome, Completion, Purged, StoreError, StoreErrorKind};

use crate::{Committer, Job, Judged, QUEUE_LIMIT};

/// How long, as a part of what their commit took, a group's callers have to come back.
///
/// With 8 callers on 2 cores their threads are back within a fraction of this; a caller that does
/// not come back costs the others this much, once.
const PATIENCE: u32 = 4;

/// A disk that stalls must not make the wait after it long as well.
const MOST_PATIENCE: Duration = Duration::from_millis(5);

/// Never woken: a thread is at work, and looks into the queue before it rests.
const AT_WORK: usize = usize::MAX;

/// Writes that wait, and the committer while nobody uses it.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

struct State {
    waiting: Group,
    is_closed: bool,
    /// Whoever takes it commits, and sees to what queued up meanwhile.
    committer: Option<Box<dyn Committer>>,
    /// The writer is woken when so many writes wait.
    wakes_at: usize,
}

/// Writes and their completions, place by place.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) jobs: Vec<Job>,
    pub(crate) completions: Vec<Done>,
}

/// The completion of a write of any kind.
pub(crate) enum Done {
    Model(Completion),
    Access(Completion<AccessOutcome>),
    Purge(Completion<Purged>),
    Archive(Completion<u64>),
}

impl Done {
    /// Calls it with an answer of its kind. One of another kind is none: the completion is dropped,
    /// and its caller hears that the outcome is unknown.
    ///
    /// A completion is a host's code. One that panics must not end the writer for all others.
    pub(crate) fn call(self, answer: Result<Judged, StoreError>) {
        let call = || match (self, answer) {
            (Done::Model(done), Ok(Judged::Model(outcome))) => done(Ok(outcome)),
            (Done::Access(done), Ok(Judged::Access(outcome))) => done(Ok(outcome)),
            (Done::Purge(done), Ok(Judged::Purged(purged))) => done(Ok(purged)),
            (Done::Archive(done), Ok(Judged::Archived(count))) => done(Ok(count)),
            (Done::Model(done), Err(fault)) => done(Err(fault)),
            (Done::Access(done), Err(fault)) => done(Err(fault)),
            (Done::Purge(done), Err(fault)) => done(Err(fault)),
            (Done::Archive(done), Err(fault)) => done(Err(fault)),
            (_, Ok(_)) => {}
        };
        // What it panicked with was printed by the panic hook; nobody here has a use for it.
        let _ = catch_unwind(AssertUnwindSafe(call));
    }
}

/// What the writer brings back from a group.
pub(crate) struct Rest {
    pub(crate) committer: Box<dyn Committer>,
    /// How many writes were in the group.
    pub(crate) answered: usize,
    /// How long it took to commit them.
    pub(crate) took: Duration,
}

impl Queue {
    pub(crate) fn new(committer: Box<dyn Committer>) -> Self {
        let state = State {
            waiting: Group::default(),
            is_closed: false,
            committer: Some(committer),
            wakes_at: 1,
        };
        Queue { state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Puts a write into the next group, or gives its completion back with the reason.
    pub(crate) fn push(&self, job: Job, done: Done) -> Result<(), (Done, StoreErrorKind)> {
        let mut state = self.lock();
        if state.is_closed {
            return Err((done, StoreErrorKind::Closed));
        }
        if state.waiting.jobs.len() >= QUEUE_LIMIT {
            return Err((done, StoreErrorKind::Busy));
        }
        state.waiting.jobs.push(job);
        state.waiting.completions.push(done);
        let is_awaited = state.waiting.jobs.len() == state.wakes_at;
        drop(state);
        if is_awaited {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// The committer, if nothing waits and nobody has it.
    pub(crate) fn lend(&self) -> Option<Box<dyn Committer>> {
        let mut state = self.lock();
        if state.is_closed || !state.waiting.jobs.is_empty() {
            return None;
        }
        let committer = state.committer.take()?;
        state.wakes_at = AT_WORK;
        Some(committer)
    }

    /// Takes the committer back; the writer sees to what queued up meanwhile. A broken committer is
    /// the end: what waits is refused, and nothing more is taken.
    pub(crate) fn give_back(&self, committer: Box<dyn Committer>, is_broken: bool) {
        let mut state = self.lock();
        state.committer = Some(committer);
        state.wakes_at = 1;
        let mut refused = Group::default();
        if is_broken {
            state.is_closed = true;
            mem::swap(&mut state.waiting, &mut refused);
        }
        let is_needed = state.is_closed || !state.waiting.jobs.is_empty();
        drop(state);
        if is_needed {
            self.filled.notify_one();
        }
        refused
            .completions
            .into_iter()
            .for_each(|done| done.call(Err(StoreErrorKind::Closed.into())));
    }

    /// Takes no more writes.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// For the writer: exchanges an answered group, empty by now, for the next one. `None` at the
    /// end, when nothing waits and nobody is at work; the committer is dropped then.
    pub(crate) fn next_group(
        &self,
        group: &mut Group,
        rest: Option<Rest>,
    ) -> Option<Box<dyn Committer>> {
        let mut state = self.lock();
        if let Some(Rest { committer, answered, took }) = rest {
            state = self.gather(state, answered, took);
            state.committer = Some(committer);
        }
        loop {
            if state.waiting.jobs.is_empty() {
                if state.is_closed && state.committer.is_some() {
                    let last = state.committer.take();
                    drop(state);
                    drop(last);
                    return None;
                }
            } else if let Some(committer) = state.committer.take() {
                state.wakes_at = AT_WORK;
                mem::swap(&mut state.waiting, group);
                return Some(committer);
            }
            // Whoever has the committer sets this when it comes back.
            if state.committer.is_some() {
                state.wakes_at = 1;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits a moment for as many writes as were answered.
    fn gather<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        answered: usize,
        took: Duration,
    ) -> MutexGuard<'a, State> {
        if answered < 2 {
            return state;
        }
        let patience = cmp::min(took / PATIENCE, MOST_PATIENCE);
        state.wakes_at = answered;
        let is_early = |state: &mut State| !state.is_closed && state.waiting.jobs.len() < answered;
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, patience, is_early)
            .unwrap_or_else(PoisonError::into_inner);
        state.wakes_at = AT_WORK;
        state
    }

    /// Nothing that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
