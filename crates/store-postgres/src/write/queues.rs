//! Two queues of writes, each with a connection of its own: while one waits for the server's disk, the
//! server works for the other. They stand to each other as two machines do.

use std::hash::{DefaultHasher, Hash, Hasher};

use custom_models_core::store::{
    AccessChange, ArchiveChange, Job, Judged, StoreError, StoreErrorKind,
};
use custom_models_group_commit::GroupCommit;

use crate::write::writer::Writer;

/// The queues. What is about one organisation, or one key, is in one of them, so that it does not wait
/// for itself at the server.
pub(crate) struct Commits {
    queues: [GroupCommit<Writer>; 2],
}

impl Commits {
    pub(crate) fn start(writers: [Writer; 2]) -> Result<Self, StoreError> {
        let [first, second] = writers.map(|writer| {
            GroupCommit::start("postgres-writer", writer)
                .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))
        });
        Ok(Commits { queues: [first?, second?] })
    }

    fn of(&self, job: &Job) -> &GroupCommit<Writer> {
        match job {
            Job::Model(write) => self.about(&write.organisation),
            Job::Access(AccessChange::Register(it) | AccessChange::SetPlan(it)) => {
                self.about(&it.organisation)
            }
            Job::Access(AccessChange::AddKey(key)) => self.about(&key.organisation),
            Job::Access(AccessChange::RevokeKey { id, .. }) => self.about(id),
            Job::Access(AccessChange::Admit { window, .. }) => self.about(&window.key),
            Job::Archive(ArchiveChange::Erase { organisation, .. }) => self.about(organisation),
            Job::Access(AccessChange::SweepWindows { .. })
            | Job::Purge(_)
            | Job::Archive(
                ArchiveChange::Import(_)
                | ArchiveChange::Begin(_)
                | ArchiveChange::ReplaceIdentity { .. },
            ) => self.about(&()),
        }
    }

    fn about(&self, subject: &impl Hash) -> &GroupCommit<Writer> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let [first, second] = &self.queues;
        if hasher.finish() & 1 == 0 { first } else { second }
    }

    pub(crate) fn submit(
        &self,
        job: Job,
        done: impl FnOnce(Result<Judged, StoreError>) + Send + 'static,
    ) {
        self.of(&job).submit(job, done);
    }

    pub(crate) fn apply(&self, job: Job) -> Result<Judged, StoreError> {
        self.of(&job).apply(job)
    }

    pub(crate) fn close(&self) {
        self.queues.iter().for_each(GroupCommit::close);
    }
}
