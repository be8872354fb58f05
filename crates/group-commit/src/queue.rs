//! The queue, and the turns of the threads that commit.

use std::cmp;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Committer, QUEUE_LIMIT, Unanswered};

/// The divisor of a commit's time that gives the time to wait for its callers.
///
/// With 8 callers on 2 cores their threads return within a fraction of this. A caller that does not return
/// costs the others this much, once.
const LINGER: u32 = 4;

/// The longest wait, so that a stalled disk does not cause a long wait as well.
const MAX_LINGER: Duration = Duration::from_millis(5);

/// Never reached: a thread is committing, and checks the queue before it goes idle.
const AT_WORK: usize = usize::MAX;

/// The waiting jobs, and the committer while it is idle.
pub(crate) struct Queue<C: Committer> {
    state: Mutex<State<C>>,
    filled: Condvar,
}

struct State<C: Committer> {
    waiting: Group<C>,
    is_closed: bool,
    /// The committer while it is idle. The thread that takes it commits, and handles the jobs that queue up
    /// meanwhile.
    committer: Option<C>,
    /// The number of waiting jobs at which the writer is woken.
    wakes_at: usize,
}

/// Jobs and their completions, at the same indices.
pub(crate) struct Group<C: Committer> {
    pub(crate) jobs: Vec<C::Job>,
    pub(crate) completions: Vec<Callback<C>>,
}

impl<C: Committer> Default for Group<C> {
    fn default() -> Self {
        Group { jobs: Vec::new(), completions: Vec::new() }
    }
}

/// The completion of a job.
pub(crate) struct Callback<C: Committer>(Box<dyn FnOnce(Answer<C>) + Send>);

type Answer<C> = Result<<C as Committer>::Answer, <C as Committer>::Error>;

impl<C: Committer> Callback<C> {
    pub(crate) fn new(done: impl FnOnce(Answer<C>) + Send + 'static) -> Self {
        Callback(Box::new(done))
    }

    /// Calls the completion. It is the host's code: its panic must not end the writer for all others.
    pub(crate) fn call(self, answer: Answer<C>) {
        // The panic hook has printed the panic, and the payload is not needed.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(answer)));
    }
}

/// The result of a group that the writer has answered.
pub(crate) struct FinishedGroup<C> {
    pub(crate) committer: C,
    /// The number of jobs in the group.
    pub(crate) answered: usize,
    /// The duration of the commit.
    pub(crate) took: Duration,
}

impl<C: Committer> Queue<C> {
    pub(crate) fn new(committer: C) -> Self {
        let state = State {
            waiting: Group::default(),
            is_closed: false,
            committer: Some(committer),
            wakes_at: 1,
        };
        Queue { state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Adds jobs to the next group, all of them to the same one. Returns the completions of those that are not added,
    /// with the reason. The iterator runs under the lock.
    pub(crate) fn push(
        &self,
        jobs: impl Iterator<Item = (C::Job, Callback<C>)>,
    ) -> Vec<(Callback<C>, Unanswered)> {
        let mut refused = Vec::new();
        let mut state = self.lock();
        let before = state.waiting.jobs.len();
        for (job, done) in jobs {
            if state.is_closed {
                refused.push((done, Unanswered::Closed));
            } else if state.waiting.jobs.len() >= QUEUE_LIMIT {
                refused.push((done, Unanswered::Busy));
            } else {
                state.waiting.jobs.push(job);
                state.waiting.completions.push(done);
            }
        }
        let is_awaited = before < state.wakes_at && state.waiting.jobs.len() >= state.wakes_at;
        drop(state);
        if is_awaited {
            self.filled.notify_one();
        }
        refused
    }

    /// Returns the committer, if it is idle and no job waits.
    pub(crate) fn lend(&self) -> Option<C> {
        let mut state = self.lock();
        if state.is_closed || !state.waiting.jobs.is_empty() {
            return None;
        }
        let committer = state.committer.take()?;
        state.wakes_at = AT_WORK;
        Some(committer)
    }

    /// Gives the committer back; the writer handles the jobs that queued up meanwhile. A broken committer
    /// closes the queue: waiting and further jobs are refused.
    pub(crate) fn give_back(&self, committer: C, is_broken: bool) {
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
            .for_each(|done| done.call(Err(C::unanswered(Unanswered::Closed))));
    }

    /// Takes no more jobs.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// Exchanges an answered group, now empty, for the next one. Called by the writer. Returns `None` at the
    /// end, when no job waits and nobody is committing; the committer is dropped then.
    pub(crate) fn next_group(
        &self,
        group: &mut Group<C>,
        rest: Option<FinishedGroup<C>>,
    ) -> Option<C> {
        let mut state = self.lock();
        if let Some(FinishedGroup { committer, answered, took }) = rest {
            state = self.linger(state, answered, took);
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
            // The thread that has the committer sets this when it gives it back.
            if state.committer.is_some() {
                state.wakes_at = 1;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits a short time for as many jobs as were answered.
    fn linger<'a>(
        &self,
        mut state: MutexGuard<'a, State<C>>,
        answered: usize,
        took: Duration,
    ) -> MutexGuard<'a, State<C>> {
        let Some(patience) = patience(answered, took) else { return state };
        state.wakes_at = answered;
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, patience, |state| state.awaits(answered))
            .unwrap_or_else(PoisonError::into_inner);
        state.wakes_at = AT_WORK;
        state
    }

    /// Locks the state. Nothing under the lock can panic, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Committer> State<C> {
    /// Returns true while the queue is open and fewer jobs wait than were answered.
    fn awaits(&self, answered: usize) -> bool {
        !self.is_closed && self.waiting.jobs.len() < answered
    }
}

/// Returns the time to wait for the callers of an answered group; `None` after a lone job.
fn patience(answered: usize, took: Duration) -> Option<Duration> {
    (answered > 1).then(|| cmp::min(took / LINGER, MAX_LINGER))
}

#[cfg(test)]
mod tests;
