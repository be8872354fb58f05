//! All that a database holds, record by record.

use std::time::Duration;

use custom_models_core::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, Job, Lineage, ModelLine, Record,
    StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};
use deadpool_postgres::Object;
use tokio_postgres::Row;

use crate::access_rows::{key_of, registration_of};
use crate::connections::Connections;
use crate::fault::Fault;
use crate::on_site::OnSite;
use crate::rows::{column, model_id, organisation_of, unsigned};
use crate::schema::{WITH_IDENTITY, WITH_LINEAGE};
use crate::statement::Statement;
use crate::{PostgresStore, answer_rows, data_rows, event_rows, rows, verify};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Fetches the next rows, 1000 at a time.
const FETCH: &str = "FETCH 1000 FROM records";

/// A kind of records: what selects their rows, and what a row is.
type Kind = (&'static str, fn(&Row) -> Result<Record, Fault>);

/// The counters of layouts that do not say up to which event they were purged.
const EARLIER_COUNTERS: &str = "SELECT organisation, models, events,
        coalesce((SELECT min(position) FROM custom_models.events e
            WHERE e.organisation = o.organisation), events + 1)
    FROM custom_models.organisations o ORDER BY organisation";

/// A refused write leaves a row of zeros.
const COUNTERS: &str = "SELECT organisation, models, events, purged + 1
    FROM custom_models.organisations WHERE models > 0 OR events > 0 OR purged > 0
    ORDER BY organisation";

macro_rules! summary {
    ($identity:literal, $lineage:literal, $erased:literal, $from:literal) => {
        concat!(
            "SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END
                FROM custom_models.model_ids),
            CAST(coalesce((SELECT sum(events) FROM custom_models.organisations), 0) AS bigint) + ",
            $erased,
            ", EXISTS (SELECT 1 FROM custom_models.data), ",
            $identity,
            ", ",
            $lineage,
            $from
        )
    };
}

const SUMMARY: &str = summary!("identity", "lineage", "erased_events", " FROM custom_models.store");
const SECOND_SUMMARY: &str =
    summary!("identity", "CAST(NULL AS bigint)", "erased_events", " FROM custom_models.store");
const FIRST_SUMMARY: &str = summary!("CAST(NULL AS bytea)", "CAST(NULL AS bigint)", "0", "");

/// The kinds of records in their order, in a database of this layout.
fn kinds(layout: i64) -> [Kind; 8] {
    let counters = if layout < WITH_IDENTITY { EARLIER_COUNTERS } else { COUNTERS };
    KINDS.map(|(sql, record)| if sql == COUNTERS { (counters, record) } else { (sql, record) })
}

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
    (COUNTERS, counters),
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
        let mut reading = Reading::of(self)?;
        for (sql, record) in kinds(self.layout) {
            reading.command(&format!("DECLARE records CURSOR FOR {sql}"))?;
            loop {
                let rows = reading.query(FETCH)?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    each(record(row).map_err(Fault::into_store_error)?)?;
                }
            }
            reading.command("CLOSE records")?;
        }
        reading.command("COMMIT")
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.commits()?.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        let (layout, drawn) = (self.layout, self.drawn);
        self.readers.read(async move |reader| {
            let sql = match layout {
                WITH_LINEAGE.. => SUMMARY,
                WITH_IDENTITY.. => SECOND_SUMMARY,
                _ => FIRST_SUMMARY,
            };
            let rows = reader.query(Statement::new(sql, [])).await?;
            summary(rows.first().ok_or(Fault::Row("no identity of the store"))?, drawn)
        })
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        verify::findings(&mut Reading::of(self)?, self.layout)
    }
}

/// A connection that this thread runs, for as long as it reads, in one transaction that sees one moment.
pub(crate) struct Reading {
    on_site: OnSite,
    connection: Object,
    longest: Duration,
}

impl Reading {
    fn of(store: &PostgresStore) -> Result<Self, StoreError> {
        if store.driver.is_stopped() {
            return Err(StoreErrorKind::Closed.into());
        }
        let connections = Connections::writing(&store.address, &store.settings)?;
        let longest = store.settings.patience.saturating_mul(4);
        let mut on_site = OnSite::new();
        let connection = on_site.run(longest, StoreErrorKind::Busy, async {
            connections.get().await.map_err(Fault::into_store_error)
        })?;
        let mut reading = Reading { on_site, connection, longest };
        reading.command(BEGIN)?;
        Ok(reading)
    }

    pub(crate) fn query(&mut self, sql: &str) -> Result<Vec<Row>, StoreError> {
        let Reading { on_site, connection, longest } = self;
        on_site.run(*longest, StoreErrorKind::Busy, async {
            let rows = connection.query(sql, &[]).await;
            rows.map_err(|error| Fault::from(error).into_store_error())
        })
    }

    fn command(&mut self, sql: &str) -> Result<(), StoreError> {
        let Reading { on_site, connection, longest } = self;
        on_site.run(*longest, StoreErrorKind::Busy, async {
            let done = connection.batch_execute(sql).await;
            done.map_err(|error| Fault::from(error).into_store_error())
        })
    }
}

fn start(row: &Row) -> Result<Record, Fault> {
    Ok(Record::Start { last_id: unsigned(column(row, 0)?)? })
}

fn counters(row: &Row) -> Result<Record, Fault> {
    Ok(Record::Organisation {
        organisation: organisation_of(row, 0)?,
        models: unsigned(column(row, 1)?)?,
        last_event: unsigned(column(row, 2)?)?,
        first_event: unsigned(column(row, 3)?)?,
    })
}

/// `drawn` is for a layout without an identity.
fn summary(row: &Row, drawn: StoreIdentity) -> Result<StoreSummary, Fault> {
    let kept = column::<Option<&[u8]>>(row, 3)?.map(<[u8; 16]>::try_from).transpose();
    let kept = kept.map_err(|_| Fault::Row("an identity of another length"))?;
    Ok(StoreSummary {
        identity: kept.map_or(drawn, StoreIdentity::from_bytes),
        last_id: unsigned(column(row, 0)?)?,
        events: unsigned(column(row, 1)?)?,
        has_data: column(row, 2)?,
        lineage: column::<Option<i64>>(row, 4)?.map(|it| Lineage::new(it.cast_unsigned())),
    })
}
