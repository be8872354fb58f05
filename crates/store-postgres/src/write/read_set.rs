//! The rows that a group of writes needs before it is decided: one statement per kind of row, in
//! one round trip.
//!
//! The first statements update, and so lock, the rows of the organisations and windows in the
//! group. Every change to an organisation does the same, so the rows read afterwards do not change
//! before the commit: PostgreSQL makes the others wait, and other servers abort one of the two. All
//! groups lock rows in the same order, so there is no deadlock.

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::access::Window;
use custom_models_core::model::{DataId, Edit};
use custom_models_core::store::{
    AccessChange, AdmissionRequest, Change, IdempotencyScope, Job, Write,
};
use custom_models_core::{ModelId, Organisation};

use crate::connection::statement::{Statement, parameter};
use crate::rows::admissions::{self, WindowQuery};
use crate::rows::columns::{bytes, signed};
use crate::rows::{data, idempotency, models};
use crate::settings::Clock;

pub(crate) const LOCK_ORGANISATIONS: &str = "INSERT INTO custom_models.organisations AS o
        (organisation, models, events, writes)
    SELECT organisation, 0, 0, 1 FROM unnest($1::bytea[]) AS wanted (organisation)
    ORDER BY organisation
    ON CONFLICT (organisation) DO UPDATE SET writes = o.writes + 1
    RETURNING organisation, models, events";

const LOCK_WINDOWS: &str = "INSERT INTO custom_models.windows AS w (key, operation, writes)
    SELECT key, operation, 1 FROM unnest($1::bytea[], $2::text[]) AS wanted (key, operation)
    ORDER BY key, operation
    ON CONFLICT (key, operation) DO UPDATE SET writes = w.writes + 1";

/// Draws as many ids as there can be creates within the limits.
const IDS: &str = "SELECT nextval('custom_models.model_ids')
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS wanted (organisation, creates, places)
    JOIN custom_models.organisations o ON o.organisation = wanted.organisation,
    generate_series(1, least(wanted.creates, wanted.places - o.models))";

/// Reads the layout, which must be the one that this version knows.
const LAYOUT: &str = "SELECT max(version) FROM custom_models.migrations";

/// The rows that a group needs.
#[derive(Default)]
pub(crate) struct ReadSet<'a> {
    organisations: BTreeMap<&'a Organisation, CreateBounds>,
    models: BTreeSet<(&'a Organisation, ModelId)>,
    pairs: BTreeSet<(&'a Organisation, ModelId, DataId)>,
    /// The models that get new pairs of data.
    added_to: BTreeSet<(&'a Organisation, ModelId)>,
    answers: BTreeSet<(&'a Organisation, &'a IdempotencyScope)>,
    windows: BTreeSet<Window>,
    window_queries: Vec<WindowQuery>,
}

/// The creates and deletes of an organisation, which bound the number of ids that it needs.
#[derive(Default)]
struct CreateBounds {
    creates: i64,
    /// The highest limit of the creates. With the deletes it bounds the number of models.
    limit: i64,
    deletes: i64,
}

impl<'a> ReadSet<'a> {
    pub(crate) fn of(jobs: &[&'a Job], clock: Clock) -> Self {
        let mut read_set = ReadSet::default();
        for job in jobs {
            match job {
                Job::Model(write) => read_set.add(write, clock),
                Job::Access(AccessChange::Admit { window, limit, now }) => {
                    let request = AdmissionRequest { window: *window, limit: *limit };
                    read_set.window_query(WindowQuery::new(&request, *now, clock));
                }
                // These are transactions of their own.
                Job::Access(_) | Job::Purge(_) | Job::Archive(_) => {}
            }
        }
        read_set
    }

    fn window_query(&mut self, window_query: WindowQuery) {
        self.windows.insert(window_query.window);
        if !self.window_queries.contains(&window_query) {
            self.window_queries.push(window_query);
        }
    }

    fn add(&mut self, write: &'a Write, clock: Clock) {
        let Write { organisation, actor: _, at, change, idempotency: answer, admission } = write;
        if let Some(request) = admission {
            self.window_query(WindowQuery::new(request, *at, clock));
        }
        let creates = self.organisations.entry(organisation).or_default();
        if let Some(answer) = answer {
            self.answers.insert((organisation, &answer.key));
        }
        match change {
            Change::Create { model: _, limit } => {
                creates.creates += 1;
                creates.limit = creates.limit.max(limit.map_or(i64::MAX, signed));
            }
            Change::Edit { id, edit, expected: _ } => {
                self.models.insert((organisation, *id));
                match &**edit {
                    Edit::Delete => creates.deletes += 1,
                    Edit::AddData(_) => drop(self.added_to.insert((organisation, *id))),
                    Edit::RemoveData(pair) => drop(self.pairs.insert((organisation, *id, *pair))),
                    _ => {}
                }
            }
        }
    }

    /// The statements, those that lock rows first.
    pub(crate) fn statements(&self) -> Vec<(RowKind, Statement<'a>)> {
        let has_creates = self.organisations.values().any(|creates| creates.creates > 0);
        let statements = [
            (RowKind::Organisations, !self.organisations.is_empty()),
            (RowKind::WindowLocks, !self.windows.is_empty()),
            (RowKind::Layout, true),
            (RowKind::WindowRows, !self.window_queries.is_empty()),
            (RowKind::Models, !self.models.is_empty()),
            (RowKind::Pairs, !self.pairs.is_empty()),
            (RowKind::LastPairs, !self.added_to.is_empty()),
            (RowKind::Answers, !self.answers.is_empty()),
            (RowKind::Ids, has_creates),
        ];
        let wanted = statements.into_iter().filter(|(_, is_wanted)| *is_wanted);
        wanted.map(|(kind, _)| (kind, self.statement(kind))).collect()
    }

    fn statement(&self, kind: RowKind) -> Statement<'a> {
        match kind {
            RowKind::Layout => Statement::new(LAYOUT, []),
            RowKind::Organisations => {
                let organisations: Vec<&[u8]> =
                    self.organisations.keys().map(|it| bytes(it)).collect();
                Statement::new(LOCK_ORGANISATIONS, [parameter(organisations)])
            }
            RowKind::WindowLocks => self.of_windows(),
            RowKind::WindowRows => admissions::window_rows(&self.window_queries),
            RowKind::Models => of_models(models::SEVERAL, &self.models),
            RowKind::LastPairs => of_models(data::LAST, &self.added_to),
            RowKind::Pairs => {
                let of: Vec<&[u8]> = self.pairs.iter().map(|(of, ..)| bytes(of)).collect();
                let models: Vec<i64> = self.pairs.iter().map(|(_, id, _)| (*id).into()).collect();
                let ids: Vec<i64> = self.pairs.iter().map(|(.., id)| id.get().into()).collect();
                let parameters = [parameter(of), parameter(models), parameter(ids)];
                Statement::new(data::SEVERAL, parameters)
            }
            RowKind::Answers => self.of_answers(),
            RowKind::Ids => self.of_ids(),
        }
    }

    /// The queries about windows, without duplicates.
    pub(crate) fn window_queries(&self) -> &[WindowQuery] {
        &self.window_queries
    }

    fn of_windows(&self) -> Statement<'a> {
        let keys: Vec<Vec<u8>> = self.windows.iter().map(|it| it.key.as_bytes().into()).collect();
        let operations: Vec<&str> = self.windows.iter().map(|it| it.operation.as_str()).collect();
        Statement::new(LOCK_WINDOWS, [parameter(keys), parameter(operations)])
    }

    fn of_answers(&self) -> Statement<'a> {
        let of: Vec<&[u8]> = self.answers.iter().map(|(of, _)| bytes(of)).collect();
        let operations: Vec<&str> =
            self.answers.iter().map(|(_, key)| key.operation.as_str()).collect();
        let targets: Vec<i64> =
            self.answers.iter().map(|(_, key)| idempotency::target_number(key.target)).collect();
        let keys: Vec<&[u8]> =
            self.answers.iter().map(|(_, key)| key.key.as_str().as_bytes()).collect();
        Statement::new(
            idempotency::SEVERAL,
            [parameter(of), parameter(operations), parameter(targets), parameter(keys)],
        )
    }

    fn of_ids(&self) -> Statement<'a> {
        let wanting = || self.organisations.iter().filter(|(_, creates)| creates.creates > 0);
        let of: Vec<&[u8]> = wanting().map(|(of, _)| bytes(of)).collect();
        let creates: Vec<i64> = wanting().map(|(_, it)| it.creates).collect();
        let places: Vec<i64> =
            wanting().map(|(_, it)| it.limit.saturating_add(it.deletes)).collect();
        Statement::new(IDS, [parameter(of), parameter(creates), parameter(places)])
    }
}

fn of_models<'a>(
    sql: &'static str,
    models: &BTreeSet<(&'a Organisation, ModelId)>,
) -> Statement<'a> {
    let of: Vec<&[u8]> = models.iter().map(|(of, _)| bytes(of)).collect();
    let ids: Vec<i64> = models.iter().map(|(_, id)| (*id).into()).collect();
    Statement::new(sql, [parameter(of), parameter(ids)])
}

/// The kind of rows that a statement returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Organisations with their counters, locked.
    Organisations,
    /// None: the statement only locks windows.
    WindowLocks,
    /// The layout.
    Layout,
    /// The rows that decide admissions.
    WindowRows,
    /// Models.
    Models,
    /// Pairs of data.
    Pairs,
    /// The highest number of each model's pairs.
    LastPairs,
    /// Idempotency answers.
    Answers,
    /// New ids.
    Ids,
}
