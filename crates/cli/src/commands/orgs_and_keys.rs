//! The commands on organisations and their keys.

mod erase;

use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::access::{ApiKey, KeyId, KeyRecord, Scopes};
use custom_models_core::store::{
    AccessChange, AccessOutcome, OpenMode, Registration, Store, StoreError, StoreErrorKind,
};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{Organisation, Plan};
use serde::Serialize;

use crate::args::access::{KeyArgs, KeyCommand, OrgCommand};
use crate::config::global::Global;
use crate::config::settings::Settings;
use crate::output::failure::Failure;
use crate::output::report::Report;

/// Runs a command on organisations.
pub(crate) fn organisations(global: &Global, command: OrgCommand) -> Report {
    on_store(global, |store| {
        let settings = Settings::read(global.config.as_deref())?;
        let registration = |organisation| -> Result<Registration, Failure> {
            let plan = settings.plan(global.plan.as_deref())?;
            Ok(Registration { organisation, plan: name_of(&plan)? })
        };
        match command {
            OrgCommand::Add(args) => {
                let registration = registration(args.name)?;
                let shown = to_json(&ShownOrganisation::from(&registration))?;
                done(store(OpenMode::Create)?.apply_access(AccessChange::Register(registration))?)?;
                Ok(Some(shown))
            }
            OrgCommand::SetPlan(args) => {
                // Without --plan the plan would be Enterprise, which has no limit: too much for a forgotten option.
                if global.plan.is_none() {
                    let missing = "--plan has to name the organisation's new plan";
                    return Err(Failure::WrongUsage(missing.to_owned()));
                }
                let registration = registration(args.name)?;
                let shown = to_json(&ShownOrganisation::from(&registration))?;
                done(
                    store(OpenMode::Existing)?.apply_access(AccessChange::SetPlan(registration))?,
                )?;
                Ok(Some(shown))
            }
            OrgCommand::Delete(args) => erase::erase(global, args, store).map(Some),
            OrgCommand::List => {
                let registrations = store(OpenMode::ReadOnly)?.registrations()?;
                let shown: Vec<ShownOrganisation<'_>> =
                    registrations.iter().map(ShownOrganisation::from).collect();
                to_json(&shown).map(Some)
            }
        }
    })
}

/// Runs a command on keys.
pub(crate) fn keys(global: &Global, command: KeyCommand) -> Report {
    on_store(global, |store| match command {
        KeyCommand::Create(args) => {
            create_key(&*store(OpenMode::Existing)?, &global.org, &args).map(Some)
        }
        KeyCommand::List => {
            let keys = store(OpenMode::ReadOnly)?.keys(&global.org)?;
            let shown: Vec<ShownKey<'_>> = keys.iter().map(ShownKey::from).collect();
            to_json(&shown).map(Some)
        }
        KeyCommand::Revoke { id } => {
            // The argument is not repeated, because it may be a whole key.
            let unreadable = |_| {
                let reason = "an id is the 12 digits of 0-9 a-f between cm_ and the secret";
                Failure::WrongUsage(reason.to_owned())
            };
            let id: KeyId = id.parse().map_err(unreadable)?;
            revoke(&*store(OpenMode::Existing)?, &global.org, id).map(|()| None)
        }
    })
}

/// Revokes a key of the organisation.
fn revoke(store: &dyn Store, organisation: &Organisation, id: KeyId) -> Result<(), Failure> {
    if !store.keys(organisation)?.iter().any(|key| key.id == id) {
        return Err(no_key());
    }
    match store.apply_access(AccessChange::RevokeKey { id, at: now() })? {
        AccessOutcome::NotFound => Err(no_key()),
        outcome => done(outcome),
    }
}

/// Creates a key, and returns its text, which is stored nowhere.
pub(crate) fn create_key(
    store: &dyn Store,
    organisation: &Organisation,
    args: &KeyArgs,
) -> Result<String, Failure> {
    let scopes: Scopes = args.scopes.iter().copied().collect();
    let key = ApiKey::new(KeyId::from_bytes(random()?), random()?);
    let created_at = now();
    let record = KeyRecord {
        id: key.id(),
        digest: key.digest(),
        organisation: organisation.clone(),
        scopes,
        created_at,
        expires_at: args.expires_in.map(|span| span.after(created_at)),
        revoked_at: None,
    };
    done(store.apply_access(AccessChange::AddKey(record))?)?;
    Ok(key.expose().to_owned())
}

/// Returns the name of a plan as registrations have it.
pub(crate) fn name_of(plan: &Plan) -> Result<custom_models_core::tenant::PlanName, Failure> {
    plan.name().parse().map_err(|error| Failure::WrongUsage(format!("{error}")))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Failure> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::Store(StoreError::new(StoreErrorKind::Failed, error.to_string()))
    })?;
    Ok(bytes)
}

fn now() -> Timestamp {
    UnixMillis::from(SystemTime::now()).into()
}

/// Runs `work` with a function that opens the store, and closes the store afterwards.
fn on_store(
    global: &Global,
    work: impl FnOnce(
        &dyn Fn(OpenMode) -> Result<Arc<dyn Store>, Failure>,
    ) -> Result<Option<String>, Failure>,
) -> Report {
    let opened = std::cell::OnceCell::new();
    let open = |mode| -> Result<Arc<dyn Store>, Failure> {
        let open = global.store.opener(mode)?;
        Ok(Arc::clone(opened.get_or_init(open).as_ref().map_err(Clone::clone)?))
    };
    let report = match work(&open) {
        Ok(answer) => Report::answer(answer),
        Err(failure) => Report::failure(failure, &global.store),
    };
    match opened.get() {
        Some(Ok(store)) => match store.close() {
            Ok(()) => report,
            Err(fault) => report.and_not_closed(&fault, &global.store),
        },
        _ => report,
    }
}

/// An organisation as it is printed.
#[derive(Serialize)]
struct ShownOrganisation<'a> {
    organisation: &'a Organisation,
    plan: &'a str,
}

impl<'a> From<&'a Registration> for ShownOrganisation<'a> {
    fn from(registration: &'a Registration) -> Self {
        ShownOrganisation {
            organisation: &registration.organisation,
            plan: registration.plan.as_str(),
        }
    }
}

/// A key as it is printed: nothing of its secret, nor of the secret's digest.
#[derive(Serialize)]
struct ShownKey<'a> {
    id: KeyId,
    organisation: &'a Organisation,
    scopes: Scopes,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl<'a> From<&'a KeyRecord> for ShownKey<'a> {
    fn from(key: &'a KeyRecord) -> Self {
        ShownKey {
            id: key.id,
            organisation: &key.organisation,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

fn to_json(shown: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(shown)?)
}

/// Maps an outcome other than `Done` to a refusal.
fn done(outcome: AccessOutcome) -> Result<(), Failure> {
    match outcome {
        AccessOutcome::Done => Ok(()),
        AccessOutcome::Taken => Err(Failure::refused(
            "Conflict",
            "The organisation is registered already",
            "ORGANISATION_EXISTS",
        )),
        AccessOutcome::NotFound => Err(erase::no_organisation()),
        other => {
            let cause = format!("an outcome that this change cannot have: {other:?}");
            Err(Failure::Store(StoreError::new(StoreErrorKind::Damaged, cause)))
        }
    }
}

fn no_key() -> Failure {
    Failure::refused("Not Found", "There is no key of this id", "KEY_NOT_FOUND")
}
