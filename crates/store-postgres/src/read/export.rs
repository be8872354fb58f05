//! Exports: everything in a store, record by record.

use custom_models_core::store::{
    AnswerLine, EventLine, Lineage, ModelLine, Record, StoreError, StoreIdentity, StoreSummary,
};
use tokio_postgres::Row;

use crate::connection::long_read::LongRead;
use crate::connection::reader::Reader;
use crate::connection::statement::Statement;
use crate::error::Fault;
use crate::rows::access::{key_of, registration_of};
use crate::rows::columns::{column, model_id, organisation_of, unsigned};
use crate::rows::{data, events, idempotency, models};
use crate::schema::{WITH_IDENTITY, WITH_LINEAGE};

/// Fetches the next rows, 1000 at a time.
const FETCH: &str = "FETCH 1000 FROM records";

/// A kind of record: the query of its rows, and the conversion of a row.
type Kind = (&'static str, fn(&Row) -> Result<Record, Fault>);

/// The counters in a layout without the column `purged`.
const EARLIER_COUNTERS: &str = "SELECT organisation, models, events,
        coalesce((SELECT min(position) FROM custom_models.events e
            WHERE e.organisation = o.organisation), events + 1)
    FROM custom_models.organisations o ORDER BY organisation";

/// The counters. A refused write leaves a row of zeros, which is no record.
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

/// The kinds of record in the order of an export, for a layout.
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
    (models::ALL, |row| {
        let organisation = organisation_of(row, 12)?;
        Ok(Record::Model(ModelLine { organisation, model: models::model(row)? }))
    }),
    (
        "SELECT id, record, organisation, model FROM custom_models.data
        ORDER BY organisation, model, id",
        |row| {
            let (organisation, model) = (organisation_of(row, 2)?, model_id(row, 3)?);
            Ok(Record::Data { organisation, model, pair: data::pair(row)? })
        },
    ),
    (
        "SELECT position, model, created_at, actor, event, organisation FROM custom_models.events
        ORDER BY organisation, position",
        |row| {
            let organisation = organisation_of(row, 5)?;
            Ok(Record::Event(EventLine::new(organisation, events::event(row)?)))
        },
    ),
    (
        "SELECT request, at, status, revision, body, organisation, operation, target, key
        FROM custom_models.answers ORDER BY organisation, operation, target, key",
        |row| {
            let (organisation, key, kept) = idempotency::owned(row)?;
            Ok(Record::Answer(AnswerLine::new(organisation, key, kept?)))
        },
    ),
];

/// Passes every record to `each`, in the order of an export.
pub(crate) fn export(
    mut long_read: LongRead,
    layout: i64,
    each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for (sql, record) in kinds(layout) {
        long_read.command(&format!("DECLARE records CURSOR FOR {sql}"))?;
        loop {
            let rows = long_read.query(FETCH)?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                each(record(row).map_err(Fault::into_store_error)?)?;
            }
        }
        long_read.command("CLOSE records")?;
    }
    long_read.command("COMMIT")
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

/// Sums up a store. `drawn` is its identity if the layout has none.
pub(crate) async fn summary(
    reader: Reader,
    layout: i64,
    drawn: StoreIdentity,
) -> Result<StoreSummary, Fault> {
    let sql = match layout {
        WITH_LINEAGE.. => SUMMARY,
        WITH_IDENTITY.. => SECOND_SUMMARY,
        _ => FIRST_SUMMARY,
    };
    let rows = reader.query(Statement::new(sql, [])).await?;
    let row = rows.first().ok_or(Fault::Row("a store without an identity"))?;
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
