//! The checksum of a row, by which `verify` finds flipped bits even in free text.
//!
//! SQLite calls `row_sum` for every row that is written, and again when a store is verified. A row
//! written before layout 4 has no checksum until it is written again.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// A table with checksums: its name, the SQL that names a row in a finding, and the columns in the
/// order in which they are summed.
struct Checksummed {
    table: &'static str,
    row: &'static str,
    columns: &'static str,
}

const TABLES: [Checksummed; 6] = [
    Checksummed {
        table: "registrations",
        row: "organisation || ': the registration'",
        columns: "organisation, plan",
    },
    Checksummed {
        table: "keys",
        row: "organisation || ': the key ' || lower(hex(id))",
        columns: "id, digest, organisation, scopes, created_at, expires_at, revoked_at",
    },
    Checksummed {
        table: "models",
        row: "organisation || ': model ' || id",
        columns: "id, organisation, revision, beats, name, description, language, base_model,
            training_status, course, claimable_at, created_at, updated_at",
    },
    Checksummed {
        table: "data",
        row: "organisation || ': data ' || id || ' of model ' || model",
        columns: "organisation, model, id, record",
    },
    Checksummed {
        table: "events",
        row: "organisation || ': event ' || position",
        columns: "organisation, position, model, created_at, actor, event",
    },
    // The key of an answer has a hash of its own.
    Checksummed {
        table: "answers",
        row: "organisation || ': the answer ' || number",
        columns: "organisation, operation, target, key, request, at, status, revision, body",
    },
];

/// The capacity in bytes that suffices for most rows.
const USUAL_LENGTH: usize = 512;

/// Registers the SQL function `row_sum(…)` with a connection.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("row_sum", -1, flags, |values| Ok(sum(values)))
}

/// The CRC-32 of the values, each with its type and, where it varies, its length.
fn sum(values: &Context<'_>) -> i64 {
    // One buffer is several times as fast as updating the sum by a few bytes at a time.
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    for index in 0..values.len() {
        match values.get_raw(index) {
            ValueRef::Null => bytes.push(0),
            ValueRef::Integer(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Real(number) => {
                bytes.push(2);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            ValueRef::Text(text) => {
                bytes.push(3);
                bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
                bytes.extend_from_slice(text);
            }
            ValueRef::Blob(blob) => {
                bytes.push(4);
                bytes.extend_from_slice(&(blob.len() as u64).to_le_bytes());
                bytes.extend_from_slice(blob);
            }
        }
    }
    i64::from(crc32fast::hash(&bytes))
}

/// Finds rows that do not match their checksum, and returns a sentence for each.
pub(crate) fn findings(connection: &Connection, most: usize) -> Vec<String> {
    let mut findings = Vec::new();
    for Checksummed { table, row, columns } in TABLES {
        let sql = format!(
            "SELECT {row} || ' is not as it was written' FROM {table}
            WHERE checksum IS NOT NULL AND checksum <> row_sum({columns}) LIMIT {most}"
        );
        let text = |row: &Row<'_>| row.get(0);
        let found = connection
            .prepare(&sql)
            .and_then(|mut statement| statement.query_map([], text)?.collect());
        match found {
            Ok(found) => findings.extend::<Vec<String>>(found),
            // Damage may end the check itself.
            Err(error) => findings.push(format!("SQLite: {error}")),
        }
    }
    findings
}
