//! The search for altered tables. The server lists facts about its schema as noun phrases, such as
//! "the column store.lineage of type bigint"; this module lists the facts that the migrations
//! produce, and reports the missing ones.

use std::collections::BTreeSet;

use custom_models_core::store::{MOST_FINDINGS, StoreError};

use crate::connection::long_read::LongRead;
use crate::error::Fault;
use crate::rows::columns::column;
use crate::schema::{WITH_IDENTITY, WITH_LINEAGE};

const COLUMNS: &str = "SELECT 'the column ' || CAST(c.relname AS text) || '.'
        || CAST(a.attname AS text) || ' of type ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'custom_models' AND c.relkind IN ('r', 'p') AND a.attnum > 0
        AND NOT a.attisdropped";

/// Indexes. An invalid index does not count.
const INDICES: &str =
    "SELECT 'the ' || CASE WHEN x.indisunique THEN 'unique ' ELSE '' END || 'index of '
        || CAST(c.relname AS text) || ' by ' || (
            SELECT string_agg(CAST(a.attname AS text), ', ' ORDER BY k.place)
            FROM unnest(CAST(x.indkey AS int2[])) WITH ORDINALITY AS k (number, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
            WHERE k.place <= x.indnkeyatts)
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'custom_models' AND x.indisvalid AND x.indisready";

const CHECKS: &str =
    "SELECT 'the check of ' || CAST(c.relname AS text) || '.' || CAST(a.attname AS text)
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE n.nspname = 'custom_models' AND k.contype = 'c' AND k.convalidated";

const SEQUENCES: &str = "SELECT 'the sequence ' || CAST(sequencename AS text)
    FROM pg_catalog.pg_sequences WHERE schemaname = 'custom_models' AND increment_by = 1
        AND cache_size = 1 AND NOT cycle AND max_value >= 9007199254740991";

const IDENTITY: &str = "SELECT 'the identity of the store' FROM custom_models.store";

const IDENTITY_COLUMN: &str = "the column store.identity of type bytea not null";

/// A table: its columns with their types, its indexes, and its columns with a check.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, &'static str)],
    indices: &'static [&'static str],
    checks: &'static [&'static str],
}

const BYTES: &str = "bytea not null";
const NUMBER: &str = "bigint not null";
const TEXT: &str = "text not null";

const TABLES: [Table; 10] = [
    Table {
        name: "migrations",
        columns: &[("version", NUMBER), ("mark", TEXT)],
        indices: &["unique index of migrations by version"],
        checks: &[],
    },
    Table {
        name: "organisations",
        columns: &[
            ("organisation", BYTES),
            ("models", NUMBER),
            ("events", NUMBER),
            ("writes", NUMBER),
        ],
        indices: &["unique index of organisations by organisation"],
        checks: &["models", "events"],
    },
    Table {
        name: "models",
        columns: &[
            ("organisation", BYTES),
            ("id", NUMBER),
            ("revision", NUMBER),
            ("beats", NUMBER),
            ("name", BYTES),
            ("description", "bytea"),
            ("language", TEXT),
            ("base_model", TEXT),
            ("training_status", NUMBER),
            ("course", "bytea"),
            ("claimable_at", "bigint"),
            ("created_at", NUMBER),
            ("updated_at", NUMBER),
        ],
        indices: &[
            "unique index of models by organisation, id",
            "index of models by claimable_at, id",
        ],
        checks: &["id", "revision", "beats"],
    },
    Table {
        name: "data",
        columns: &[("organisation", BYTES), ("model", NUMBER), ("id", NUMBER), ("record", BYTES)],
        indices: &["unique index of data by organisation, model, id"],
        checks: &["id"],
    },
    Table {
        name: "events",
        columns: &[
            ("organisation", BYTES),
            ("position", NUMBER),
            ("model", NUMBER),
            ("created_at", NUMBER),
            ("actor", BYTES),
            ("event", BYTES),
        ],
        indices: &[
            "unique index of events by organisation, position",
            "index of events by created_at",
        ],
        checks: &["position"],
    },
    Table {
        name: "answers",
        columns: &[
            ("organisation", BYTES),
            ("operation", TEXT),
            ("target", NUMBER),
            ("key", BYTES),
            ("request", BYTES),
            ("at", NUMBER),
            ("status", NUMBER),
            ("revision", NUMBER),
            ("body", BYTES),
        ],
        indices: &[
            "unique index of answers by organisation, operation, target, key",
            "index of answers by at",
        ],
        checks: &["revision"],
    },
    Table {
        name: "registrations",
        columns: &[("organisation", BYTES), ("plan", BYTES)],
        indices: &["unique index of registrations by organisation"],
        checks: &[],
    },
    Table {
        name: "keys",
        columns: &[
            ("id", BYTES),
            ("digest", BYTES),
            ("organisation", BYTES),
            ("scopes", TEXT),
            ("created_at", NUMBER),
            ("expires_at", "bigint"),
            ("revoked_at", "bigint"),
        ],
        indices: &[
            "unique index of keys by id",
            "unique index of keys by digest",
            "index of keys by organisation, id",
        ],
        checks: &[],
    },
    Table {
        name: "windows",
        columns: &[("key", BYTES), ("operation", TEXT), ("writes", NUMBER)],
        indices: &["unique index of windows by key, operation"],
        checks: &[],
    },
    Table {
        name: "admissions",
        columns: &[("key", BYTES), ("operation", TEXT), ("at", NUMBER), ("number", NUMBER)],
        indices: &["unique index of admissions by key, operation, at, number"],
        checks: &[],
    },
];

/// The tables and columns that layout 2 added.
const ADDED: [Table; 2] = [
    Table {
        name: "organisations",
        columns: &[("purged", NUMBER)],
        indices: &[],
        checks: &["purged"],
    },
    Table {
        name: "store",
        columns: &[("number", NUMBER), ("identity", BYTES), ("erased_events", NUMBER)],
        indices: &["unique index of store by number"],
        checks: &["number", "identity", "erased_events"],
    },
];

/// Finds parts of a layout that are missing or altered, and returns a sentence for each.
pub(crate) fn findings(long_read: &mut LongRead, layout: i64) -> Result<Vec<String>, StoreError> {
    let mut expected = BTreeSet::from(["the sequence model_ids".to_owned()]);
    expected.extend(TABLES.iter().flat_map(facts));
    if layout >= WITH_IDENTITY {
        expected.extend(ADDED.iter().flat_map(facts));
        expected.insert("the identity of the store".to_owned());
    }
    if layout >= WITH_LINEAGE {
        expected.insert("the column store.lineage of type bigint".to_owned());
    }
    let mut found = BTreeSet::new();
    for query in [COLUMNS, INDICES, CHECKS, SEQUENCES, IDENTITY] {
        // The query fails without this column.
        if query == IDENTITY && !found.contains(IDENTITY_COLUMN) {
            continue;
        }
        for row in long_read.query(query)? {
            found.extend(column::<Option<String>>(&row, 0).map_err(Fault::into_store_error)?);
        }
    }
    let missing = expected.difference(&found).take(MOST_FINDINGS);
    Ok(missing.map(|fact| format!("{fact} is missing, or is not as it was made")).collect())
}

fn facts(table: &Table) -> Vec<String> {
    let Table { name, columns, indices, checks } = table;
    let columns = columns
        .iter()
        .map(|(column, data_type)| format!("the column {name}.{column} of type {data_type}"));
    let indices = indices.iter().map(|index| format!("the {index}"));
    let checks = checks.iter().map(|column| format!("the check of {name}.{column}"));
    columns.chain(indices).chain(checks).collect()
}
