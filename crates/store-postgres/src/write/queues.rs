//! Two queues of writes, each with a connection of its own: while one waits for the server's disk,
//! the server works for the other. The two are as isolated as two machines.

use std::hash::{DefaultHasher, Hash, Hasher};

use custom_models_core::store::{
    AccessChange, ArchiveChange, Job, JobOutcome, StoreError, StoreErrorKind,
};
use custom_models_group_commit::GroupCommit;

use crate::write::writer::Writer;

/// The two queues. All writes of an organisation, or of a key, go to the same one, so that they
/// never wait for each other's locks.
pub(crate) struct Queues {
    queues: [GroupCommit<Writer>; 2],
}

impl Queues {
    pub(crate) fn start(writers: [Writer; 2]) -> Result<Self, StoreError> {
        let [first, second] = writers.map(|writer| {
            GroupCommit::start("postgres-writer", writer)
                .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))
        });
        Ok(Queues { queues: [first?, second?] })
    }

    fn of(&self, job: &Job) -> &GroupCommit<Writer> {
        match job {
            Job::Model(write) => self.queue_of(&write.organisation),
            Job::Access(AccessChange::Register(it) | AccessChange::SetPlan(it)) => {
                self.queue_of(&it.organisation)
            }
            Job::Access(AccessChange::AddKey(key)) => self.queue_of(&key.organisation),
            Job::Access(AccessChange::RevokeKey { id, .. }) => self.queue_of(id),
            Job::Access(AccessChange::Admit { window, .. }) => self.queue_of(&window.key),
            Job::Archive(ArchiveChange::Erase { organisation, .. }) => self.queue_of(organisation),
            Job::Access(AccessChange::SweepWindows { .. })
            | Job::Purge(_)
            | Job::Archive(
                ArchiveChange::Import(_)
                | ArchiveChange::Begin(_)
                | ArchiveChange::ReplaceIdentity { .. },
            ) => self.queue_of(&()),
        }
    }

    fn queue_of(&self, subject: &impl Hash) -> &GroupCommit<Writer> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let [first, second] = &self.queues;
        if hasher.finish() & 1 == 0 { first } else { second }
    }

    pub(crate) fn submit(
        &self,
        job: Job,
        done: impl FnOnce(Result<JobOutcome, StoreError>) + Send + 'static,
    ) {
        self.of(&job).submit(job, done);
    }

    /// Submits jobs, those of each queue as one group.
    pub(crate) fn submit_all<D>(&self, jobs: impl Iterator<Item = (Job, D)>)
    where
        D: FnOnce(Result<JobOutcome, StoreError>) + Send + 'static,
    {
        let [first, second] = &self.queues;
        let (of_first, others): (Vec<_>, Vec<_>) =
            jobs.partition(|(job, _)| std::ptr::eq(self.of(job), first));
        first.submit_all(of_first);
        second.submit_all(others);
    }

    pub(crate) fn apply(&self, job: Job) -> Result<JobOutcome, StoreError> {
        self.of(&job).apply(job)
    }

    pub(crate) fn close(&self) {
        self.queues.iter().for_each(GroupCommit::close);
    }
}
