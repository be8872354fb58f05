//! All that a database holds, record by record.

use custom_models_core::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, ModelLine, Record, StoreError,
    StoreErrorKind,
};
use deadpool_postgres::Object;
use tokio_postgres::Row;

use crate::access_rows::{key_of, registration_of};
use crate::connections::Connections;
use crate::fault::Fault;
use crate::on_site::OnSite;
use crate::rows::{column, model_id, organisation_of, unsigned};
use crate::{PostgresStore, answer_rows, data_rows, event_rows, rows};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How many rows are brought at a time.
const FETCH: &str = "FETCH 1000 FROM records";

/// A kind of records: what selects their rows, and what a row is.
type Kind = (&'static str, fn(&Row) -> Result<Record, Fault>);

const KINDS: [Kind; 8] = [
    ("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM custom_models.model_ids", start),
    ("SELECT organisation, plan FROM custom_models.registrations ORDER BY organisation", |row| {
        Ok(registration_of(row)?.into())
    }),
    (
        "SELECT id, digest, organisation, scopes, created_at, expires_at, revoked_at
        FROM custom_models.keys ORDER BY organisation, id",
        |row| Ok(key_of(row)?.into()),
    ),
    (
        "SELECT organisation, models, events, (SELECT min(position) FROM custom_models.events e
            WHERE e.organisation = o.organisation)
        FROM custom_models.organisations o ORDER BY organisation",
        counters,
    ),
    (rows::ALL, |row| {
        let organisation = organisation_of(row, 12)?;
        Ok(Record::Model(ModelLine { organisation, model: rows::model(row)? }))
    }),
    (
        "SELECT id, record, organisation, model FROM custom_models.data
        ORDER BY organisation, model, id",
        |row| {
            let (organisation, model) = (organisation_of(row, 2)?, model_id(row, 3)?);
            Ok(Record::Data { organisation, model, pair: data_rows::pair(row)? })
        },
    ),
    (
        "SELECT position, model, created_at, actor, event, organisation FROM custom_models.events
        ORDER BY organisation, position",
        |row| {
            let organisation = organisation_of(row, 5)?;
            Ok(Record::Event(EventLine::new(organisation, event_rows::event(row)?)))
        },
    ),
    (
        "SELECT request, at, status, revision, body, organisation, operation, target, key
        FROM custom_models.answers ORDER BY organisation, operation, target, key",
        |row| {
            let (organisation, key, kept) = answer_rows::owned(row)?;
            Ok(Record::Answer(AnswerLine::new(organisation, key, kept?)))
        },
    ),
];

impl ArchiveStore for PostgresStore {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.driver.is_stopped() {
            return Err(StoreErrorKind::Closed.into());
        }
        let connections = Connections::writing(&self.address, &self.settings)?;
        let mut reading = Reading { on_site: OnSite::new(), store: self };
        let connection = reading.run(async { connections.get().await })?;
        reading.command(&connection, BEGIN)?;
        for (sql, record) in KINDS {
            reading.command(&connection, &format!("DECLARE records CURSOR FOR {sql}"))?;
            loop {
                let rows = reading.run(async { Ok(connection.query(FETCH, &[]).await?) })?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    each(record(row).map_err(Fault::into_store_error)?)?;
                }
            }
            reading.command(&connection, "CLOSE records")?;
        }
        reading.command(&connection, "COMMIT")
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.commits.archive(change)
    }

    fn summary(&self) -> Result<custom_models_core::StoreSummary, StoreError> {
        Err(custom_models_core::StoreErrorKind::Failed.into())
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// A connection that this thread runs, for as long as it reads.
struct Reading<'a> {
    on_site: OnSite,
    store: &'a PostgresStore,
}

impl Reading<'_> {
    fn run<T: Send>(
        &mut self,
        future: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, StoreError> {
        let longest = self.store.settings.patience.saturating_mul(4);
        self.on_site.run(longest, StoreErrorKind::Busy, async {
            future.await.map_err(Fault::into_store_error)
        })
    }

    fn command(&mut self, connection: &Object, sql: &str) -> Result<(), StoreError> {
        self.run(async { Ok(connection.batch_execute(sql).await?) })
    }
}

fn start(row: &Row) -> Result<Record, Fault> {
    Ok(Record::Start { last_id: unsigned(column(row, 0)?)? })
}

fn counters(row: &Row) -> Result<Record, Fault> {
    let last_event = unsigned(column(row, 2)?)?;
    let first = column::<Option<i64>>(row, 3)?.map(unsigned).transpose()?;
    Ok(Record::Organisation {
        organisation: organisation_of(row, 0)?,
        models: unsigned(column(row, 1)?)?,
        last_event,
        first_event: first.unwrap_or(last_event.saturating_add(1)),
    })
}
