//! Changes of registrations and API keys, and admissions of requests.

use custom_models_core::store::{AccessChange, AccessOutcome, admit};
use rusqlite::Connection;

use crate::error::WriteError;
use crate::rows::admissions::{Admissions, LastAdmissions};
use crate::rows::{access, admissions};

/// Decides a change within a transaction, and makes it.
pub(crate) fn apply(
    connection: &Connection,
    last_admissions: &mut LastAdmissions,
    change: &AccessChange,
) -> Result<AccessOutcome, WriteError> {
    let done_or = |is_done, otherwise| if is_done { AccessOutcome::Done } else { otherwise };
    Ok(match change {
        AccessChange::Register(registration) => {
            let is_new = access::register(connection, registration)?;
            done_or(is_new, AccessOutcome::Taken)
        }
        AccessChange::SetPlan(registration) => {
            let is_there = access::set_plan(connection, registration)?;
            done_or(is_there, AccessOutcome::NotFound)
        }
        AccessChange::AddKey(key) => {
            if access::registration(connection, &key.organisation)?.is_none() {
                return Ok(AccessOutcome::NotFound);
            }
            done_or(access::add_key(connection, key)?, AccessOutcome::Taken)
        }
        AccessChange::RevokeKey { id, at } => {
            done_or(access::revoke(connection, *id, *at)?, AccessOutcome::NotFound)
        }
        AccessChange::Admit { window, limit, now } => {
            admit(&mut Admissions { connection, last_admissions }, window, *limit, *now)?
        }
        AccessChange::SweepWindows { longest, now, limit } => {
            last_admissions.clear();
            let until = now.earlier(*longest);
            AccessOutcome::Swept(admissions::sweep(connection, until, *now, *limit)?)
        }
    })
}
