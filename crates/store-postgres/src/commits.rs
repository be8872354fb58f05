//! Two queues of writes, each with a connection of its own: while one waits for the server's disk, the
//! server works for the other. They stand to each other as two machines do.

use std::hash::{DefaultHasher, Hash, Hasher};

use custom_models_core::{
    AccessChange, AccessOutcome, ArchiveChange, Completion, Outcome, Purge, Purged, StoreError,
    StoreErrorKind, Write,
};
use custom_models_group_commit::GroupCommit;

use crate::writer::Writer;

/// The queues. What is about one organisation, or one key, is in one of them, so that it does not wait
/// for itself at the server.
pub(crate) struct Commits {
    queues: [GroupCommit; 2],
}

impl Commits {
    pub(crate) fn start(writers: [Writer; 2]) -> Result<Self, StoreError> {
        let [first, second] = writers.map(|writer| {
            GroupCommit::start("postgres-writer", writer)
                .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))
        });
        Ok(Commits { queues: [first?, second?] })
    }

    fn of(&self, subject: &impl Hash) -> &GroupCommit {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let [first, second] = &self.queues;
        if hasher.finish() & 1 == 0 { first } else { second }
    }

    fn of_access(&self, change: &AccessChange) -> &GroupCommit {
        match change {
            AccessChange::Register(it) | AccessChange::SetPlan(it) => self.of(&it.organisation),
            AccessChange::AddKey(key) => self.of(&key.organisation),
            AccessChange::RevokeKey { id, .. } => self.of(id),
            AccessChange::Admit { window, .. } => self.of(&window.key),
            AccessChange::SweepWindows { .. } => self.of(&()),
        }
    }

    pub(crate) fn submit(&self, write: Write, done: Completion) {
        self.of(&write.organisation).submit(write, done);
    }

    pub(crate) fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        self.of(&write.organisation).apply(write)
    }

    pub(crate) fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.of_access(&change).submit_access(change, done);
    }

    pub(crate) fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.of_access(&change).apply_access(change)
    }

    pub(crate) fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let [first, _] = &self.queues;
        first.purge(purge)
    }

    pub(crate) fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        match &change {
            ArchiveChange::Erase { organisation, .. } => {
                self.of(organisation).archive(change.clone())
            }
            ArchiveChange::Import(_)
            | ArchiveChange::Begin(_)
            | ArchiveChange::ReplaceIdentity { .. } => {
                let [first, _] = &self.queues;
                first.archive(change)
            }
        }
    }

    pub(crate) fn close(&self) {
        self.queues.iter().for_each(GroupCommit::close);
    }
}
