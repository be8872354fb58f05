//! Jobs that are transactions of their own: changes of access, purges and imports. They are rare,
//! and the server decides them in one or two statements.

use custom_models_core::access::KeyRecord;
use custom_models_core::store::{
    AccessChange, AccessOutcome, ArchiveChange, Job, JobOutcome, Purge, Purged, Registration,
};
use custom_models_core::time::Timestamp;
use tokio_postgres::Row;

use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{bytes, column, unsigned};
use crate::rows::{admissions, events, idempotency};
use crate::settings::Clock;
use crate::write::import;

const REGISTER: &str = "INSERT INTO custom_models.registrations (organisation, plan)
    VALUES ($1, $2) ON CONFLICT (organisation) DO NOTHING RETURNING 1";
const SET_PLAN: &str =
    "UPDATE custom_models.registrations SET plan = $2 WHERE organisation = $1 RETURNING 1";
const ADD_KEY: &str =
    "INSERT INTO custom_models.keys (organisation, id, digest, scopes, created_at,
        expires_at, revoked_at)
    SELECT organisation, $2::bytea, $3::bytea, $4::text, $5::bigint, $6::bigint, $7::bigint
    FROM custom_models.registrations WHERE organisation = $1
    ON CONFLICT DO NOTHING RETURNING 1";
const IS_REGISTERED: &str = "SELECT 1 FROM custom_models.registrations WHERE organisation = $1";
const REVOKE: &str = "UPDATE custom_models.keys SET revoked_at = coalesce(revoked_at, $2)
    WHERE id = $1 RETURNING 1";

/// Returns true if a job is a transaction of its own. The others are decided in groups.
pub(crate) fn is_single(job: &Job) -> bool {
    !matches!(job, Job::Model(_) | Job::Access(AccessChange::Admit { .. }))
}

/// The statements of such a job.
pub(crate) fn statements(job: &Job, clock: Clock) -> Vec<Statement<'_>> {
    match job {
        Job::Model(_) | Job::Access(AccessChange::Admit { .. }) => Vec::new(),
        Job::Archive(ArchiveChange::Erase { organisation, limit }) => {
            import::erase(organisation, *limit)
        }
        Job::Archive(ArchiveChange::ReplaceIdentity { expected, new }) => {
            vec![import::replace_identity(expected, new)]
        }
        // `Import` has their statements.
        Job::Archive(ArchiveChange::Import(_) | ArchiveChange::Begin(_)) => Vec::new(),
        Job::Access(AccessChange::Register(it)) => vec![of_registration(REGISTER, it)],
        Job::Access(AccessChange::SetPlan(it)) => vec![of_registration(SET_PLAN, it)],
        Job::Access(AccessChange::AddKey(key)) => {
            let organisation = parameter(bytes(&key.organisation));
            vec![add_key(key), Statement::new(IS_REGISTERED, [organisation])]
        }
        Job::Access(AccessChange::RevokeKey { id, at }) => {
            let parameters = [parameter(id.to_bytes().to_vec()), parameter(at.unix_seconds())];
            vec![Statement::new(REVOKE, parameters)]
        }
        Job::Access(AccessChange::SweepWindows { longest, now, limit }) => {
            admissions::sweep(*longest, clock.given(*now), *limit).into()
        }
        Job::Purge(Purge { events_before, idempotency_until, limit }) => {
            let answers = idempotency::delete_expired(*idempotency_until, *limit);
            let events = events_before.map(|before| events::delete_old(before, *limit));
            [Some(answers), events].into_iter().flatten().collect()
        }
    }
}

/// The outcome of such a job, from the rows that its statements returned.
pub(crate) fn outcome(job: &Job, answers: &[Vec<Row>]) -> Result<JobOutcome, Fault> {
    let is_made = answers.first().is_some_and(|rows| !rows.is_empty());
    let otherwise = match job {
        Job::Purge(_) => return purged(answers).map(JobOutcome::Purged),
        Job::Access(AccessChange::SweepWindows { .. }) => {
            return Ok(JobOutcome::Access(AccessOutcome::Swept(count(answers, 0)?)));
        }
        Job::Archive(change) => return import::count(change, answers).map(JobOutcome::Archived),
        Job::Access(AccessChange::Register(_)) => AccessOutcome::Taken,
        Job::Access(AccessChange::AddKey(_)) if answers.get(1).is_some_and(|it| !it.is_empty()) => {
            AccessOutcome::Taken
        }
        Job::Access(_) | Job::Model(_) => AccessOutcome::NotFound,
    };
    Ok(JobOutcome::Access(if is_made { AccessOutcome::Done } else { otherwise }))
}

fn of_registration<'a>(sql: &'static str, registration: &'a Registration) -> Statement<'a> {
    let Registration { organisation, plan } = registration;
    Statement::new(sql, [parameter(bytes(organisation)), parameter(plan.as_str().as_bytes())])
}

fn add_key(key: &KeyRecord) -> Statement<'_> {
    let KeyRecord { id, digest, organisation, scopes, created_at, expires_at, revoked_at } = key;
    Statement::new(
        ADD_KEY,
        [
            parameter(bytes(organisation)),
            parameter(id.to_bytes().to_vec()),
            parameter(digest.as_bytes().as_slice()),
            parameter(scopes.to_string()),
            parameter(created_at.unix_seconds()),
            parameter(expires_at.map(Timestamp::unix_seconds)),
            parameter(revoked_at.map(Timestamp::unix_seconds)),
        ],
    )
}

fn purged(answers: &[Vec<Row>]) -> Result<Purged, Fault> {
    Ok(Purged { answers: count(answers, 0)?, events: count(answers, 1)? })
}

/// The number that a statement returned.
fn count(answers: &[Vec<Row>], index: usize) -> Result<u64, Fault> {
    let row = answers.get(index).and_then(|rows| rows.first());
    row.map_or(Ok(0), |row| unsigned(column(row, 0)?))
}
