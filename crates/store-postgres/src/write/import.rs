//! Imports and erasures of records, each in a transaction of its own.

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::Organisation;
use custom_models_core::access::KeyRecord;
use custom_models_core::store::{
    ArchiveChange, Counters, Lineage, ModelLine, Record, StoreError, StoreIdentity,
};
use custom_models_core::tenant::PlanName;
use tokio_postgres::Row;

use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::access;
use crate::rows::columns::{bytes, column, signed, unsigned};
use crate::write::read_set::LOCK_ORGANISATIONS;
use crate::write::statements::{DELETE_MODELS, delete_by_model};
use crate::write::write_set::WriteSet;

/// Raises the last id, which never falls.
const RAISE: &str = "SELECT setval('custom_models.model_ids',
    greatest($1::bigint, (SELECT last_value FROM custom_models.model_ids)))";

const REGISTER: &str = "INSERT INTO custom_models.registrations (organisation, plan)
    SELECT * FROM unnest($1::bytea[], $2::bytea[])
    ON CONFLICT (organisation) DO UPDATE SET plan = excluded.plan";

const MARK_PURGED: &str = "UPDATE custom_models.organisations o SET purged = p.until
    FROM unnest($1::bytea[], $2::bigint[]) AS p (organisation, until)
    WHERE o.organisation = p.organisation";

const DELETE_EVENTS: &str = "DELETE FROM custom_models.events e
    USING unnest($1::bytea[], $2::bigint[]) AS gone (organisation, position)
    WHERE e.organisation = gone.organisation AND e.position = gone.position";

/// Locks other writers out, at the beginning of a transaction that checks whether the database is
/// empty.
pub(crate) const LOCK_ALL: &str =
    "LOCK TABLE custom_models.registrations, custom_models.organisations
    IN SHARE ROW EXCLUSIVE MODE";

const IS_EMPTY: &str = "SELECT NOT (SELECT is_called FROM custom_models.model_ids)
    AND NOT EXISTS (SELECT 1 FROM custom_models.registrations)
    AND NOT EXISTS (SELECT 1 FROM custom_models.keys)
    AND NOT EXISTS (SELECT 1 FROM custom_models.organisations
        WHERE models > 0 OR events > 0 OR purged > 0)
    AND NOT EXISTS (SELECT 1 FROM custom_models.models)
    AND NOT EXISTS (SELECT 1 FROM custom_models.data)
    AND NOT EXISTS (SELECT 1 FROM custom_models.events)
    AND NOT EXISTS (SELECT 1 FROM custom_models.answers)";

/// The statement that asks whether an export would have no record but a start at 0.
pub(crate) fn asks_whether_empty() -> Statement<'static> {
    Statement::new(IS_EMPTY, [])
}

/// Decodes the answer to [`asks_whether_empty`].
pub(crate) fn is_empty(answers: &[Vec<Row>]) -> Result<bool, Fault> {
    answers.first().and_then(|rows| rows.first()).map_or(Ok(false), |row| column(row, 0))
}

/// The rows of an import, by kind.
#[derive(Default)]
pub(crate) struct Import {
    organisations: BTreeSet<Organisation>,
    registrations: BTreeMap<Organisation, PlanName>,
    keys: Vec<KeyRecord>,
    models: BTreeSet<(Organisation, custom_models_core::ModelId)>,
    last_id: u64,
    /// The positions up to which histories were purged.
    purged: BTreeMap<Organisation, u64>,
    write_set: WriteSet,
}

impl Import {
    /// Collects the rows of records. If several have the same key, the last one counts.
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut import = Import::default();
        for record in records.iter().cloned() {
            import.add(record);
        }
        import
    }

    fn add(&mut self, record: Record) {
        let write_set = &mut self.write_set;
        match record {
            Record::Start { last_id } => self.last_id = self.last_id.max(last_id),
            Record::Registration { organisation, plan } => {
                self.registrations.insert(organisation, plan);
            }
            Record::Key(key) => {
                let key = KeyRecord::from(key);
                self.keys.retain(|it| it.id != key.id && it.digest != key.digest);
                self.keys.push(key);
            }
            Record::Organisation { organisation, models, last_event, first_event } => {
                self.organisations.insert(organisation.clone());
                self.purged.insert(organisation.clone(), first_event.saturating_sub(1));
                let counters = Counters { models, events: last_event };
                write_set.counters.insert(organisation, counters);
            }
            Record::Model(ModelLine { organisation, model }) => {
                self.organisations.insert(organisation.clone());
                self.models.insert((organisation.clone(), model.id));
                write_set.add(organisation, model);
            }
            Record::Data { organisation, model, pair } => {
                self.organisations.insert(organisation.clone());
                write_set.data.insert((organisation, model, pair.id), Some(pair));
            }
            Record::Event(line) => {
                let (organisation, position, model, event) = line.into_parts();
                self.organisations.insert(organisation.clone());
                write_set.events.retain(|(of, at, ..)| (of, *at) != (&organisation, position));
                write_set.events.push((organisation, position, model, event));
            }
            Record::Answer(line) => {
                let (organisation, key, kept) = line.into_parts();
                self.organisations.insert(organisation.clone());
                write_set.answers.insert((organisation, key), kept);
            }
        }
    }

    /// The statements that write the rows. They lock the rows of the organisations first, as every
    /// group does.
    pub(crate) fn statements(&self) -> Result<Vec<Statement<'_>>, StoreError> {
        let mut all = Vec::new();
        if !self.organisations.is_empty() {
            let of: Vec<&[u8]> = self.organisations.iter().map(bytes).collect();
            all.push(Statement::new(LOCK_ORGANISATIONS, [parameter(of)]));
        }
        if self.last_id > 0 {
            all.push(Statement::new(RAISE, [parameter(signed(self.last_id))]));
        }
        if !self.registrations.is_empty() {
            let of: Vec<&[u8]> = self.registrations.keys().map(bytes).collect();
            let plans = self.registrations.values().map(|plan| plan.as_str().as_bytes());
            let plans = parameter(plans.collect::<Vec<_>>());
            all.push(Statement::new(REGISTER, [parameter(of), plans]));
        }
        if !self.keys.is_empty() {
            all.push(access::delete_keys(&self.keys));
            all.push(access::insert_keys(&self.keys));
        }
        if !self.models.is_empty() {
            all.push(delete_by_model(DELETE_MODELS, &self.models));
        }
        if !self.write_set.events.is_empty() {
            let of: Vec<&[u8]> = self.write_set.events.iter().map(|(of, ..)| bytes(of)).collect();
            let at =
                self.write_set.events.iter().map(|(_, at, ..)| signed(*at)).collect::<Vec<_>>();
            all.push(Statement::new(DELETE_EVENTS, [parameter(of), parameter(at)]));
        }
        all.extend(self.write_set.statements()?);
        if !self.purged.is_empty() {
            let of: Vec<&[u8]> = self.purged.keys().map(bytes).collect();
            let until: Vec<i64> = self.purged.values().copied().map(signed).collect();
            all.push(Statement::new(MARK_PURGED, [parameter(of), parameter(until)]));
        }
        Ok(all)
    }
}

/// Erases rows of an organisation, at most the limit from each table, and returns their number.
const ERASE: &str = "WITH keys_gone AS (
        DELETE FROM custom_models.keys k WHERE k.id IN (SELECT id FROM custom_models.keys
            WHERE organisation = $1 ORDER BY id LIMIT $2) RETURNING id
    ), admissions_gone AS (
        DELETE FROM custom_models.admissions a USING keys_gone WHERE a.key = keys_gone.id RETURNING 1
    ), windows_gone AS (
        DELETE FROM custom_models.windows w USING keys_gone WHERE w.key = keys_gone.id RETURNING 1
    ), registration_gone AS (
        DELETE FROM custom_models.registrations WHERE organisation = $1
            AND (SELECT count(*) FROM keys_gone) < $2 RETURNING 1
    ), answers_gone AS (
        DELETE FROM custom_models.answers a USING (SELECT operation, target, key
            FROM custom_models.answers WHERE organisation = $1 LIMIT $2) gone
        WHERE a.organisation = $1 AND a.operation = gone.operation AND a.target = gone.target
            AND a.key = gone.key RETURNING 1
    ), data_gone AS (
        DELETE FROM custom_models.data d USING (SELECT model, id
            FROM custom_models.data WHERE organisation = $1 LIMIT $2) gone
        WHERE d.organisation = $1 AND d.model = gone.model AND d.id = gone.id RETURNING 1
    ), models_gone AS (
        DELETE FROM custom_models.models m USING (SELECT id
            FROM custom_models.models WHERE organisation = $1 LIMIT $2) gone
        WHERE m.organisation = $1 AND m.id = gone.id RETURNING 1
    ), events_gone AS (
        DELETE FROM custom_models.events e USING (SELECT position
            FROM custom_models.events WHERE organisation = $1 ORDER BY position LIMIT $2) gone
        WHERE e.organisation = $1 AND e.position = gone.position RETURNING e.position
    ), gone AS (
        SELECT (SELECT count(*) FROM keys_gone) + (SELECT count(*) FROM registration_gone)
            + (SELECT count(*) FROM answers_gone) + (SELECT count(*) FROM data_gone)
            + (SELECT count(*) FROM events_gone) AS others,
            (SELECT count(*) FROM models_gone) AS models,
            (SELECT coalesce(max(position), 0) FROM events_gone) AS until
    ), counted AS (
        UPDATE custom_models.organisations o SET models = o.models - gone.models,
            purged = greatest(o.purged, gone.until)
        FROM gone WHERE o.organisation = $1 AND gone.models + gone.until > 0
    )
    SELECT others + models FROM gone";

/// Erases the counters once nothing else is left. Their events still count in the total (PLACE-2).
const ERASE_COUNTERS: &str = "WITH gone AS (
    DELETE FROM custom_models.organisations WHERE organisation = $1
    AND NOT EXISTS (SELECT 1 FROM custom_models.models WHERE organisation = $1)
    AND NOT EXISTS (SELECT 1 FROM custom_models.events WHERE organisation = $1)
    AND NOT EXISTS (SELECT 1 FROM custom_models.answers WHERE organisation = $1)
    AND NOT EXISTS (SELECT 1 FROM custom_models.data WHERE organisation = $1)
    AND NOT EXISTS (SELECT 1 FROM custom_models.keys WHERE organisation = $1)
    RETURNING events
    ), counted AS (
        UPDATE custom_models.store s SET erased_events = s.erased_events + gone.events FROM gone
    )
    SELECT 1 FROM gone";

/// Locks the row of an organisation, as every change to it does.
const LOCK: &str =
    "UPDATE custom_models.organisations SET writes = writes + 1 WHERE organisation = $1";

/// The statements that erase records of an organisation.
pub(crate) fn erase(organisation: &Organisation, limit: u32) -> Vec<Statement<'_>> {
    let of = || parameter(bytes(organisation));
    vec![
        Statement::new(LOCK, [of()]),
        Statement::new(ERASE, [of(), parameter(i64::from(limit.max(1)))]),
        Statement::new(ERASE_COUNTERS, [of()]),
    ]
}

const REPLACE_IDENTITY: &str = "UPDATE custom_models.store SET identity = $3, lineage = $4
    WHERE identity = $1 AND lineage IS NOT DISTINCT FROM $2 RETURNING 1";

/// The statement that replaces the identity and the lineage, if they are the expected ones.
pub(crate) fn replace_identity<'a>(
    expected: &'a (StoreIdentity, Option<Lineage>),
    new: &'a (StoreIdentity, Lineage),
) -> Statement<'a> {
    let number = |lineage: Lineage| lineage.get().cast_signed();
    Statement::new(
        REPLACE_IDENTITY,
        [
            parameter(expected.0.as_bytes().as_slice()),
            parameter(expected.1.map(number)),
            parameter(new.0.as_bytes().as_slice()),
            parameter(number(new.1)),
        ],
    )
}

/// The number of records that were imported or erased; 1 if an identity was replaced.
pub(crate) fn count(change: &ArchiveChange, answers: &[Vec<Row>]) -> Result<u64, Fault> {
    match change {
        ArchiveChange::Import(records) | ArchiveChange::Begin(records) => Ok(records.len() as u64),
        ArchiveChange::Erase { .. } => {
            let row = answers.get(1).and_then(|rows| rows.first());
            let gone = row.map_or(Ok(0), |row| unsigned(column(row, 0)?))?;
            Ok(gone + answers.get(2).map_or(0, |rows| rows.len() as u64))
        }
        ArchiveChange::ReplaceIdentity { .. } => {
            Ok(answers.first().map_or(0, |rows| rows.len() as u64))
        }
    }
}
