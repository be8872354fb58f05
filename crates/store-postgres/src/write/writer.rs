//! Groups of writes, each one transaction: creates in one round trip, and others in two, of which the
//! first asks what the group has to know and takes the rows that it is about, and the second changes them
//! and commits.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::CustomModel;
use custom_models_core::store::{
    AccessChange, AdmissionRequest, ArchiveChange, Job, Judged, OpenMode, Outcome, Rows,
    StoreError, StoreErrorKind, admit, apply,
};
use custom_models_group_commit::{self as group_commit, Committer, Unanswered};
use deadpool_postgres::Object;

use crate::connection::inline_runtime::OnSite;
use crate::connection::pool::Connections;
use crate::connection::retry::Attempts;
use crate::connection::statement::sent;
use crate::error::Fault;
use crate::schema::ids::Ids;
use crate::schema::migrate::{self, newer_than_known};
use crate::settings::Settings;
use crate::write::bulk_create::Creates;
use crate::write::group::Group;
use crate::write::import::{Import, LOCK_ALL, asks_whether_empty, is_empty};
use crate::write::read_set::Needs;
use crate::write::single;
use crate::write::snapshot::Known;

/// A time-out that hits a commit which waits for a second server would have it acknowledged without
/// that one. So a commit has none, and after twice the time its outcome is unknown.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// The longest time that an opening takes: a large database is migrated, perhaps by another engine.
const LONGEST_OPENING: Duration = Duration::from_secs(600);

type Answers = group_commit::Answers<Writer>;

/// One connection that writes.
pub(crate) struct Writer {
    on_site: OnSite,
    transactions: Transactions,
}

impl Writer {
    /// `ids` is shared by all writers of a store.
    pub(crate) fn new(connections: Connections, settings: Settings, ids: Arc<Ids>) -> Self {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {}",
            settings.patience.as_millis()
        );
        Writer {
            on_site: OnSite::new(),
            transactions: Transactions { connections, settings, begin, ids },
        }
    }

    /// Connects, and opens the database as `mode` says.
    pub(crate) fn open(&mut self, mode: OpenMode, database: &str) -> Result<(), StoreError> {
        let Transactions { connections, ids, .. } = &self.transactions;
        self.on_site.run(LONGEST_OPENING, StoreErrorKind::Unavailable, async {
            let connection = connections.get().await.map_err(Fault::into_store_error)?;
            let opened = migrate::open(&connection, mode, database).await;
            opened.map_err(Fault::into_store_error)?;
            ids.look(&connection).await.map_err(Fault::into_store_error)
        })
    }
}

impl Committer for Writer {
    type Job = Job;
    type Answer = Judged;
    type Error = StoreError;

    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        let Writer { on_site, transactions } = self;
        let longest = transactions.settings.patience.saturating_mul(4);
        on_site.run(longest, StoreErrorKind::OutcomeUnknown, async {
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

/// Why a transaction has no outcome.
enum Trouble {
    /// It was not made.
    NotMade(Fault),
    /// Its commit was sent.
    Sent(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::NotMade(fault)
    }
}

impl Trouble {
    fn fault(&self) -> &Fault {
        match self {
            Trouble::NotMade(fault) | Trouble::Sent(fault) => fault,
        }
    }

    fn is_of_a_lost_connection(&self) -> bool {
        matches!(self, Trouble::NotMade(fault) if fault.is_of_a_lost_connection())
    }

    fn into_store_error(self) -> StoreError {
        match self {
            Trouble::NotMade(fault) => fault.into_store_error(),
            Trouble::Sent(fault) => fault.of_a_commit(),
        }
    }
}

struct Transactions {
    connections: Connections,
    settings: Settings,
    begin: String,
    ids: Arc<Ids>,
}

impl Transactions {
    /// Answers every job: those that are transactions of their own, and the others together.
    async fn commit(&self, jobs: &[Job]) -> Answers {
        let together: Vec<&Job> = jobs.iter().filter(|job| !single::is_alone(job)).collect();
        let mut grouped = Vec::new().into_iter();
        if !together.is_empty() {
            let answers = self.tried(&together).await;
            let of_all = |fault: StoreError| together.iter().map(|_| Err(fault.clone())).collect();
            grouped = answers.unwrap_or_else(of_all).into_iter();
        }
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            if single::is_alone(job) {
                let answer = self.tried(&[job]).await;
                answers.push(answer.and_then(|mut it| it.pop().unwrap_or_else(unanswered)));
            } else {
                answers.push(grouped.next().unwrap_or_else(unanswered));
            }
        }
        answers
    }

    /// One transaction, begun anew while others stand in its way, and once if its connection turns out
    /// to be gone before anything was committed on it.
    async fn tried(&self, jobs: &[&Job]) -> Result<Answers, StoreError> {
        let mut attempts = Attempts::default();
        let mut is_connected_anew = false;
        loop {
            let trouble = match self.transaction(jobs).await {
                Ok(answers) => return Ok(answers),
                Err(trouble) => trouble,
            };
            let is_lost = trouble.is_of_a_lost_connection() && !is_connected_anew;
            is_connected_anew |= is_lost;
            if !(is_lost || trouble.fault().is_conflict()) || !attempts.another().await {
                return Err(trouble.into_store_error());
            }
        }
    }

    async fn transaction(&self, jobs: &[&Job]) -> Result<Answers, Trouble> {
        let connection = self.connections.get().await?;
        let creates = Creates::of(jobs).filter(|_| !self.ids.are_few());
        let answers = match (jobs, creates) {
            ([job], _) if single::is_alone(job) => self.alone(&connection, job).await,
            (_, Some(creates)) => self.creates(&connection, jobs, &creates).await,
            (_, None) => self.together(&connection, jobs).await,
        };
        match &answers {
            Ok(_) => {}
            Err(trouble) if trouble.fault().is_conflict() => {
                // If this fails too, the connection is gone, and the next one is another.
                let _ = connection.batch_execute("ROLLBACK").await;
            }
            // Whatever was wrong with it, the next one begins afresh.
            Err(_) => drop(Object::take(connection)),
        }
        answers
    }

    async fn alone(&self, connection: &Object, job: &Job) -> Result<Answers, Trouble> {
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
                return Ok(vec![Ok(Judged::Archived(0))]);
            }
            begin = None;
        }
        statements.push(migrate::guard());
        let rows = sent(connection, begin, &statements, Some(COMMIT)).await;
        let mut rows = rows.map_err(|fault| match fault {
            fault if migrate::is_of_the_guard(&fault) => {
                Trouble::NotMade(newer_than_known().into())
            }
            fault => Trouble::Sent(fault),
        })?;
        // What the guard says is not for the job.
        rows.pop();
        let judged = single::judged(job, &rows).map_err(Trouble::Sent)?;
        Ok(vec![Ok(judged)])
    }

    /// Begins a transaction that keeps other writers away, if the database holds nothing.
    async fn begins_empty(&self, connection: &Object) -> Result<bool, Trouble> {
        let begin = format!("{}; {LOCK_ALL}", self.begin);
        let rows = sent(connection, Some(&begin), &[asks_whether_empty()], None).await?;
        let is_empty = is_empty(&rows)?;
        if !is_empty {
            connection.batch_execute("ROLLBACK").await.map_err(Fault::from)?;
        }
        Ok(is_empty)
    }

    /// Creates what is within the limits, and then judges what is left over.
    async fn creates(
        &self,
        connection: &Object,
        jobs: &[&Job],
        creates: &Creates<'_>,
    ) -> Result<Answers, Trouble> {
        let statement = creates.statement()?;
        let created = match sent(connection, None, &[statement], None).await {
            Ok(rows) => {
                creates.created(rows.first().map_or(&[], Vec::as_slice)).map_err(Trouble::Sent)?
            }
            // There is no id left for one of them, and so none was made.
            Err(fault) if fault.is_of_a_constraint() => {
                self.ids.become_few();
                vec![None; jobs.len()]
            }
            Err(fault) => return Err(Trouble::Sent(fault)),
        };
        let is_left = |(_, created): &(&&Job, &Option<CustomModel>)| created.is_none();
        let left: Vec<&Job> =
            jobs.iter().zip(&created).filter(is_left).map(|(job, _)| *job).collect();
        let mut others = self.left_over(connection, &left).await.into_iter();
        let answer = |created: Option<CustomModel>| match created {
            Some(model) => Ok(Judged::Model(Outcome::Created(model))),
            None => others.next().unwrap_or_else(unanswered),
        };
        Ok(created.into_iter().map(answer).collect())
    }

    /// Judges what a first transaction has left over, in one more.
    async fn left_over(&self, connection: &Object, jobs: &[&Job]) -> Answers {
        if jobs.is_empty() {
            return Vec::new();
        }
        let mut attempts = Attempts::default();
        loop {
            let trouble = match self.together(connection, jobs).await {
                Ok(answers) => return answers,
                Err(trouble) => trouble,
            };
            let is_clean = connection.batch_execute("ROLLBACK").await.is_ok();
            if !(is_clean && trouble.fault().is_conflict() && attempts.another().await) {
                let fault = trouble.into_store_error();
                return jobs.iter().map(|_| Err(fault.clone())).collect();
            }
        }
    }

    async fn together(&self, connection: &Object, jobs: &[&Job]) -> Result<Answers, Trouble> {
        let needs = Needs::of(jobs, self.settings.clock);
        let (asked, questions): (Vec<_>, Vec<_>) = needs.questions().into_iter().unzip();
        let rows = sent(connection, Some(&self.begin), &questions, None).await?;
        let mut group = Group::new(
            self.settings.clock,
            Known::read(asked.into_iter().zip(rows), needs.asks())?,
        );
        let answers = jobs.iter().map(|job| judge(&mut group, job)).collect();
        if group.changes.is_empty() {
            connection.batch_execute("ROLLBACK").await.map_err(Fault::from)?;
            return Ok(answers);
        }
        let statements = group.changes.statements().map_err(Fault::from)?;
        sent(connection, None, &statements, Some(COMMIT)).await.map_err(Trouble::Sent)?;
        Ok(answers)
    }
}

fn judge(group: &mut Group, job: &Job) -> Result<Judged, StoreError> {
    match job {
        Job::Model(write) => apply(group, write).map(Judged::Model),
        Job::Access(AccessChange::Admit { window, limit, now }) => {
            let request = AdmissionRequest { window: *window, limit: *limit };
            let (mut rows, now) = group.admissions(&request, *now)?;
            admit(&mut rows, window, *limit, now).map(Judged::Access)
        }
        // These are transactions of their own.
        Job::Access(_) | Job::Purge(_) | Job::Archive(_) => unanswered(),
    }
}

fn unanswered() -> Result<Judged, StoreError> {
    Err(StoreErrorKind::OutcomeUnknown.into())
}

#[cfg(test)]
mod tests;
