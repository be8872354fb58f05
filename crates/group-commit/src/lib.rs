//! Group commit for stores that serialise their writes.
//!
//! Writes are submitted with a completion and queue up. A thread takes all queued writes, has them committed
//! as one transaction with one sync, and answers each of them; meanwhile the next group queues up. A caller
//! that blocks anyway and finds the committer idle commits its write on its own thread. This saves two
//! hand-offs, which cost about as much as a sync of a fast disk.
//!
//! A lone write is never delayed. After a group of several, the thread waits for a fraction of the commit's
//! time, so that the answered callers can submit their next writes. Otherwise the first of them would be a
//! group of its own, and the others would wait for two syncs.
//!
//! A store implements [`Committer`]. [`GroupCommit`] adds the bounded queue, the thread, the order of answers
//! and an orderly shutdown.
//!
//! ```
//! use std::fs::{self, File};
//! use std::io::{self, Write};
//!
//! use custom_models_group_commit::{Answers, Committer, GroupCommit, Unanswered};
//!
//! /// Appends lines to a file.
//! struct Log(File);
//!
//! impl Committer for Log {
//!     type Job = String;
//!     type Answer = usize;
//!     type Error = io::ErrorKind;
//!
//!     fn commit(&mut self, lines: &[String]) -> Result<Answers<Self>, io::ErrorKind> {
//!         let bytes: String = lines.iter().map(|line| format!("{line}\n")).collect();
//!         let written = self.0.write_all(bytes.as_bytes()).and_then(|()| self.0.sync_data());
//!         written.map_err(|error| error.kind())?;
//!         Ok(lines.iter().map(|line| Ok(line.len())).collect())
//!     }
//!
//!     fn unanswered(why: Unanswered) -> io::ErrorKind {
//!         match why {
//!             Unanswered::Busy => io::ErrorKind::WouldBlock,
//!             Unanswered::Closed => io::ErrorKind::BrokenPipe,
//!             Unanswered::Unknown => io::ErrorKind::Other,
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("group-commit-{}", std::process::id()));
//! let commits = GroupCommit::start("log-writer", Log(File::create_new(&path)?))?;
//! commits.submit("first".to_owned(), |answer| assert_eq!(answer, Ok(5)));
//! assert_eq!(commits.apply("second".to_owned()), Ok(6));
//! commits.close();
//! assert_eq!(fs::read_to_string(&path)?, "first\nsecond\n");
//! # Ok(fs::remove_file(&path)?)
//! # }
//! ```
#![forbid(unsafe_code)]

mod measure;
mod queue;

use std::fmt;
use std::io;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::queue::{Callback, FinishedGroup, Group, Queue};

/// A committer of groups of jobs, one group at a time.
pub trait Committer: Send + Sized + 'static {
    /// A write of any kind. All kinds share one queue, and so one sync.
    type Job: Send + 'static;
    /// The outcome of a job.
    type Answer: Send + 'static;
    /// The reason why a job has no outcome. An error of a whole group is cloned for each of its jobs.
    type Error: Clone + Send + 'static;

    /// Judges the jobs in order, each on the state that the jobs before it leave, and makes those that are
    /// not refused durable together.
    ///
    /// Returns one answer per job, in order, once all of them would survive a power cut. A refused job leaves
    /// no trace. `Err` applies to every job of the group: none was made, or, if the error says so, all of
    /// them or none. After an error the next call starts from the stored state.
    fn commit(&mut self, jobs: &[Self::Job]) -> Result<Answers<Self>, Self::Error>;

    /// Returns the error for a job that [`Committer::commit`] did not answer.
    fn unanswered(why: Unanswered) -> Self::Error;
}

/// One answer per job, in the order of the jobs.
pub type Answers<C> = Vec<Result<<C as Committer>::Answer, <C as Committer>::Error>>;

/// The reason why a job has no answer from the committer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// [`QUEUE_LIMIT`] jobs wait already. The job was not started; the caller may retry.
    Busy,
    /// The queue is closed, or its committer has panicked. The job was not started.
    Closed,
    /// The committer panicked during the job or returned too few answers: the job was made completely or not
    /// at all.
    Unknown,
}

/// The most jobs that wait for the next group; one more is [`Unanswered::Busy`].
///
/// With 64 callers a group has about as many jobs. The bound prevents a stalled disk from filling memory with
/// requests whose callers have given up (their texts are at most 4800 bytes each).
pub const QUEUE_LIMIT: usize = 4096;

/// A queue of jobs, and the thread that commits them in groups.
///
/// Dropping it commits the queued jobs, as [`GroupCommit::close`] does.
pub struct GroupCommit<C: Committer> {
    queue: Arc<Queue<C>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl<C: Committer> GroupCommit<C> {
    /// Starts the thread, under a name for debuggers.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(thread_name: &str, committer: C) -> io::Result<Self> {
        measure::describe();
        let queue = Arc::new(Queue::new(committer));
        let writer_queue = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name(thread_name.to_owned())
            .spawn(move || write_groups(&writer_queue))?;
        Ok(GroupCommit { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Adds a job to the next group. `done` is called once: by the committing thread after the commit, or at
    /// once if the queue is full or closed. It has to be short, and must not wait for another job. If it
    /// panics, other jobs are not affected.
    pub fn submit(
        &self,
        job: C::Job,
        done: impl FnOnce(Result<C::Answer, C::Error>) + Send + 'static,
    ) {
        self.push(iter::once((job, Callback::new(done))));
    }

    /// Adds jobs to the next group, all of them to the same one, each as [`GroupCommit::submit`] does. Those beyond
    /// [`QUEUE_LIMIT`] are [`Unanswered::Busy`].
    pub fn submit_all<D>(&self, jobs: impl IntoIterator<Item = (C::Job, D)>)
    where
        D: FnOnce(Result<C::Answer, C::Error>) + Send + 'static,
    {
        let jobs = jobs.into_iter().map(|(job, done)| (job, Callback::new(done)));
        // Collected first: the iterator is the caller's code, and must not run under the lock.
        self.push(jobs.collect::<Vec<_>>().into_iter());
    }

    fn push(&self, jobs: impl Iterator<Item = (C::Job, Callback<C>)>) {
        for (done, why) in self.queue.push(jobs) {
            done.call(Err(C::unanswered(why)));
        }
    }

    /// Commits a job and returns its answer: on this thread if the committer is idle, otherwise with the next
    /// group.
    ///
    /// # Errors
    ///
    /// The errors of [`GroupCommit::submit`].
    pub fn apply(&self, job: C::Job) -> Result<C::Answer, C::Error> {
        let unknown = || Err(C::unanswered(Unanswered::Unknown));
        let Some(mut committer) = self.queue.lend() else {
            let (sender, answer) = mpsc::sync_channel(1);
            self.submit(job, move |it| sender.send(it).unwrap_or_default());
            return answer.recv().unwrap_or_else(|_| unknown());
        };
        let Committed { answers, is_broken, .. } = commit(&mut committer, slice::from_ref(&job));
        self.queue.give_back(committer, is_broken);
        answers?.pop().unwrap_or_else(unknown)
    }

    /// Takes no more jobs, and waits until the queued ones are answered. Closing again only waits.
    pub fn close(&self) {
        self.queue.close();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The last owner may be a completion on the writer's own thread, which then finishes its queue by
        // itself.
        let is_here = |handle: &JoinHandle<()>| handle.thread().id() == thread::current().id();
        if let Some(handle) = writer.take_if(|handle| !is_here(handle)) {
            // The panic hook has printed the panic.
            let _ = handle.join();
        }
    }
}

impl<C: Committer> fmt::Debug for GroupCommit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl<C: Committer> Drop for GroupCommit<C> {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_groups<C: Committer>(queue: &Queue<C>) {
    let mut group = Group::default();
    let mut rest = None;
    while let Some(mut committer) = queue.next_group(&mut group, rest.take()) {
        let Committed { answers, is_broken, took } = commit(&mut committer, &group.jobs);
        let answered = group.jobs.len();
        group.jobs.clear();
        answer::<C>(answers, group.completions.drain(..));
        if is_broken {
            return queue.give_back(committer, true);
        }
        rest = Some(FinishedGroup { committer, answered, took });
    }
}

/// A group after its commit.
struct Committed<C: Committer> {
    answers: Result<Answers<C>, C::Error>,
    /// The committer panicked, and its state is not known.
    is_broken: bool,
    took: Duration,
}

fn commit<C: Committer>(committer: &mut C, jobs: &[C::Job]) -> Committed<C> {
    let begun = Instant::now();
    // The panic hook has printed the panic, and the payload is not needed.
    let answers = catch_unwind(AssertUnwindSafe(|| committer.commit(jobs)));
    let (took, count) = (begun.elapsed(), jobs.len());
    // A recorder is the host's code and may panic; the committer has to be given back.
    let _ = catch_unwind(|| measure::group(count, took));
    let is_broken = answers.is_err();
    let answers = answers.unwrap_or_else(|_| Err(C::unanswered(Unanswered::Unknown)));
    Committed { answers, is_broken, took }
}

/// Calls every completion. A job without an answer gets [`Unanswered::Unknown`].
fn answer<C: Committer>(
    answers: Result<Answers<C>, C::Error>,
    completions: impl Iterator<Item = Callback<C>>,
) {
    match answers {
        Ok(answers) => {
            let mut answers = answers.into_iter();
            let unknown = || Err(C::unanswered(Unanswered::Unknown));
            completions.for_each(|done| done.call(answers.next().unwrap_or_else(unknown)));
        }
        Err(fault) => completions.for_each(|done| done.call(Err(fault.clone()))),
    }
}

#[cfg(test)]
mod tests;
