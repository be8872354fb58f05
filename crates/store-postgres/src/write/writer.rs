//! The writer: it commits each group as one transaction. Creates take one round trip. Other groups
//! take two: the first locks and reads rows, the second writes the changes and commits.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::CustomModel;
use custom_models_core::store::{
    AccessChange, AdmissionRequest, ArchiveChange, Job, JobOutcome, OpenMode, Outcome, Rows,
    StoreError, StoreErrorKind, admit, apply,
};
use custom_models_group_commit::{self as group_commit, Committer, Unanswered};
use deadpool_postgres::Object;

use crate::connection::inline_runtime::InlineRuntime;
use crate::connection::pool::ConnectionPool;
use crate::connection::retry::Backoff;
use crate::connection::statement::pipeline;
use crate::error::Fault;
use crate::schema::ids::IdSupply;
use crate::schema::migrate::{self, newer_than_known};
use crate::settings::Settings;
use crate::write::bulk_create::BulkCreate;
use crate::write::group::Group;
use crate::write::import::{Import, LOCK_ALL, asks_whether_empty, is_empty};
use crate::write::read_set::ReadSet;
use crate::write::single;
use crate::write::snapshot::Snapshot;

/// A statement timeout during a commit that waits for a standby would acknowledge it without the
/// standby. So the commit has no timeout, and its outcome is unknown when the client gives up.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// The longest time to open a database, which may have to be migrated, perhaps by another engine.
const LONGEST_OPENING: Duration = Duration::from_secs(600);

type Answers = group_commit::Answers<Writer>;

/// A connection that writes.
pub(crate) struct Writer {
    runtime: InlineRuntime,
    transactions: Transactions,
}

impl Writer {
    /// `ids` is shared by all writers of a store.
    pub(crate) fn new(pool: ConnectionPool, settings: Settings, ids: Arc<IdSupply>) -> Self {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {}",
            settings.patience.as_millis()
        );
        Writer {
            runtime: InlineRuntime::new(),
            transactions: Transactions { pool, settings, begin, ids },
        }
    }

    /// Connects, and opens the database as `mode` allows.
    pub(crate) fn open(&mut self, mode: OpenMode, database: &str) -> Result<(), StoreError> {
        let Transactions { pool, ids, .. } = &self.transactions;
        self.runtime.run(LONGEST_OPENING, StoreErrorKind::Unavailable, async {
            let connection = pool.get().await.map_err(Fault::into_store_error)?;
            let opened = migrate::open(&connection, mode, database).await;
            opened.map_err(Fault::into_store_error)?;
            ids.look(&connection).await.map_err(Fault::into_store_error)
        })
    }
}

impl Committer for Writer {
    type Job = Job;
    type Answer = JobOutcome;
    type Error = StoreError;

    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        let Writer { runtime, transactions } = self;
        let longest = transactions.settings.patience.saturating_mul(4);
        runtime.run(longest, StoreErrorKind::OutcomeUnknown, async {
            Ok(transactions.commit(jobs).await)
        })
    }

    fn unanswered(why: Unanswered) -> StoreError {
        match why {
            Unanswered::Busy => StoreErrorKind::Busy,
            Unanswered::Closed => StoreErrorKind::Closed,
            Unanswered::Unknown => StoreErrorKind::OutcomeUnknown,
        }
        .into()
    }
}

/// The error of a transaction.
enum TransactionError {
    /// The transaction was not made.
    NotCommitted(Fault),
    /// The commit was sent.
    CommitSent(Fault),
}

impl From<Fault> for TransactionError {
    fn from(fault: Fault) -> Self {
        TransactionError::NotCommitted(fault)
    }
}

impl TransactionError {
    fn fault(&self) -> &Fault {
        match self {
            TransactionError::NotCommitted(fault) | TransactionError::CommitSent(fault) => fault,
        }
    }

    fn is_connection_lost(&self) -> bool {
        matches!(self, TransactionError::NotCommitted(fault) if fault.is_connection_lost())
    }

    fn into_store_error(self) -> StoreError {
        match self {
            TransactionError::NotCommitted(fault) => fault.into_store_error(),
            TransactionError::CommitSent(fault) => fault.into_commit_error(),
        }
    }
}

struct Transactions {
    pool: ConnectionPool,
    settings: Settings,
    begin: String,
    ids: Arc<IdSupply>,
}

impl Transactions {
    /// Answers every job: single ones in transactions of their own, the others as one group.
    async fn commit(&self, jobs: &[Job]) -> Answers {
        let together: Vec<&Job> = jobs.iter().filter(|job| !single::is_single(job)).collect();
        let mut grouped = Vec::new().into_iter();
        if !together.is_empty() {
            let answers = self.with_retry(&together).await;
            let of_all = |fault: StoreError| together.iter().map(|_| Err(fault.clone())).collect();
            grouped = answers.unwrap_or_else(of_all).into_iter();
        }
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            if single::is_single(job) {
                let answer = self.with_retry(&[job]).await;
                answers.push(answer.and_then(|mut it| it.pop().unwrap_or_else(unanswered)));
            } else {
                answers.push(grouped.next().unwrap_or_else(unanswered));
            }
        }
        answers
    }

    /// Runs a transaction. Repeats it on conflicts, and once if the connection was lost before the
    /// commit was sent.
    async fn with_retry(&self, jobs: &[&Job]) -> Result<Answers, StoreError> {
        let mut backoff = Backoff::default();
        let mut is_connected_anew = false;
        loop {
            let error = match self.transaction(jobs).await {
                Ok(answers) => return Ok(answers),
                Err(error) => error,
            };
            let is_lost = error.is_connection_lost() && !is_connected_anew;
            is_connected_anew |= is_lost;
            if !(is_lost || error.fault().is_conflict()) || !backoff.wait().await {
                return Err(error.into_store_error());
            }
        }
    }

    async fn transaction(&self, jobs: &[&Job]) -> Result<Answers, TransactionError> {
        let connection = self.pool.get().await?;
        let creates = BulkCreate::of(jobs).filter(|_| !self.ids.is_low());
        let answers = match (jobs, creates) {
            ([job], _) if single::is_single(job) => self.single(&connection, job).await,
            (_, Some(creates)) => self.creates(&connection, jobs, &creates).await,
            (_, None) => self.together(&connection, jobs).await,
        };
        match &answers {
            Ok(_) => {}
            Err(error) if error.fault().is_conflict() => {
                // If this fails too, the connection is lost, and the pool opens another.
                let _ = connection.batch_execute("ROLLBACK").await;
            }
            // The connection may be broken, so the pool opens a new one.
            Err(_) => drop(Object::take(connection)),
        }
        answers
    }

    async fn single(&self, connection: &Object, job: &Job) -> Result<Answers, TransactionError> {
        let import = match job {
            Job::Archive(ArchiveChange::Import(records) | ArchiveChange::Begin(records)) => {
                Some(Import::of(records))
            }
            _ => None,
        };
        let mut statements = match &import {
            Some(import) => import.statements().map_err(Fault::from)?,
            None => single::statements(job, self.settings.clock),
        };
        let mut begin = Some(&*self.begin);
        if let Job::Archive(ArchiveChange::Begin(_)) = job {
            if !self.begins_empty(connection).await? {
                return Ok(vec![Ok(JobOutcome::Archived(0))]);
            }
            begin = None;
        }
        statements.push(migrate::guard());
        let rows = pipeline(connection, begin, &statements, Some(COMMIT)).await;
        let mut rows = rows.map_err(|fault| match fault {
            fault if migrate::is_of_the_guard(&fault) => {
                TransactionError::NotCommitted(newer_than_known().into())
            }
            fault => TransactionError::CommitSent(fault),
        })?;
        // The rows of the guard are not for the job.
        rows.pop();
        let judged = single::outcome(job, &rows).map_err(TransactionError::CommitSent)?;
        Ok(vec![Ok(judged)])
    }

    /// Begins a transaction that locks other writers out, if the database is empty. Returns false
    /// if it is not.
    async fn begins_empty(&self, connection: &Object) -> Result<bool, TransactionError> {
        let begin = format!("{}; {LOCK_ALL}", self.begin);
        let rows = pipeline(connection, Some(&begin), &[asks_whether_empty()], None).await?;
        let is_empty = is_empty(&rows)?;
        if !is_empty {
            connection.batch_execute("ROLLBACK").await.map_err(Fault::from)?;
        }
        Ok(is_empty)
    }

    /// Creates the models within the limits, and then decides the writes that are left over.
    async fn creates(
        &self,
        connection: &Object,
        jobs: &[&Job],
        creates: &BulkCreate<'_>,
    ) -> Result<Answers, TransactionError> {
        let statement = creates.statement()?;
        let created = match pipeline(connection, None, &[statement], None).await {
            Ok(rows) => creates
                .created(rows.first().map_or(&[], Vec::as_slice))
                .map_err(TransactionError::CommitSent)?,
            // The ids ran out, so no model was created.
            Err(fault) if fault.is_constraint_violation() => {
                self.ids.set_low();
                vec![None; jobs.len()]
            }
            Err(fault) => return Err(TransactionError::CommitSent(fault)),
        };
        let is_left = |(_, created): &(&&Job, &Option<CustomModel>)| created.is_none();
        let left: Vec<&Job> =
            jobs.iter().zip(&created).filter(is_left).map(|(job, _)| *job).collect();
        let mut others = self.left_over(connection, &left).await.into_iter();
        let answer = |created: Option<CustomModel>| match created {
            Some(model) => Ok(JobOutcome::Model(Outcome::Created(model))),
            None => others.next().unwrap_or_else(unanswered),
        };
        Ok(created.into_iter().map(answer).collect())
    }

    /// Decides the writes that a bulk create left over, in one more transaction.
    async fn left_over(&self, connection: &Object, jobs: &[&Job]) -> Answers {
        if jobs.is_empty() {
            return Vec::new();
        }
        let mut backoff = Backoff::default();
        loop {
            let error = match self.together(connection, jobs).await {
                Ok(answers) => return answers,
                Err(error) => error,
            };
            let is_clean = connection.batch_execute("ROLLBACK").await.is_ok();
            if !(is_clean && error.fault().is_conflict() && backoff.wait().await) {
                let fault = error.into_store_error();
                return jobs.iter().map(|_| Err(fault.clone())).collect();
            }
        }
    }

    async fn together(
        &self,
        connection: &Object,
        jobs: &[&Job],
    ) -> Result<Answers, TransactionError> {
        let read_set = ReadSet::of(jobs, self.settings.clock);
        let (kinds, statements): (Vec<_>, Vec<_>) = read_set.statements().into_iter().unzip();
        let rows = pipeline(connection, Some(&self.begin), &statements, None).await?;
        let mut group = Group::new(
            self.settings.clock,
            Snapshot::read(kinds.into_iter().zip(rows), read_set.window_queries())?,
        );
        let answers = jobs.iter().map(|job| judge(&mut group, job)).collect();
        if group.write_set.is_empty() {
            connection.batch_execute("ROLLBACK").await.map_err(Fault::from)?;
            return Ok(answers);
        }
        let statements = group.write_set.statements().map_err(Fault::from)?;
        pipeline(connection, None, &statements, Some(COMMIT))
            .await
            .map_err(TransactionError::CommitSent)?;
        Ok(answers)
    }
}

fn judge(group: &mut Group, job: &Job) -> Result<JobOutcome, StoreError> {
    match job {
        Job::Model(write) => apply(group, write).map(JobOutcome::Model),
        Job::Access(AccessChange::Admit { window, limit, now }) => {
            let request = AdmissionRequest { window: *window, limit: *limit };
            let (mut rows, now) = group.admissions(&request, *now)?;
            admit(&mut rows, window, *limit, now).map(JobOutcome::Access)
        }
        // These are transactions of their own.
        Job::Access(_) | Job::Purge(_) | Job::Archive(_) => unanswered(),
    }
}

fn unanswered() -> Result<JobOutcome, StoreError> {
    Err(StoreErrorKind::OutcomeUnknown.into())
}

#[cfg(test)]
mod tests;
