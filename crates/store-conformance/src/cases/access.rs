//! Organisations with their plans, and API keys.

use custom_models_core::access::{
    KeyDigest, KeyId, KeyRecord, Operation, RateLimit, Scope, Scopes, Window,
};
use custom_models_core::store::{AccessChange, AccessOutcome, Grant, StoreErrorKind};
use custom_models_core::time::{Timestamp, UnixMillis};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, fresh};
use crate::sample::{key, moment, organisation, registration};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

pub(crate) fn auth_2_an_organisation_is_registered_once_and_changes_its_plan(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let gold = registration("acme", "Gold")?;
    let odd = registration("acme", "a plan of é語😀, 'quoted' \"twice\"")?;
    ensure_eq!(store.registration(&gold.organisation)?, None, "before it is registered");
    let refused = store.access(AccessChange::SetPlan(gold.clone()))?;
    ensure_eq!(refused, AccessOutcome::NotFound, "the plan of nobody");
    store.done(AccessChange::Register(gold.clone()))?;
    ensure_eq!(store.registration(&gold.organisation)?, Some(gold.clone()), "registered");
    let refused = store.access(AccessChange::Register(odd.clone()))?;
    ensure_eq!(refused, AccessOutcome::Taken, "registered again");
    ensure_eq!(store.registration(&gold.organisation)?, Some(gold), "registered again");
    store.done(AccessChange::SetPlan(odd.clone()))?;
    ensure_eq!(store.registration(&odd.organisation)?, Some(odd.clone()), "on another plan");
    let others = [registration("ACME", "Gold")?, registration("acme-2", "Gold")?];
    for other in &others {
        store.done(AccessChange::Register(other.clone()))?;
    }
    let [upper, longer] = others;
    ensure_eq!(store.registrations()?, [upper, odd, longer], "all of them");
    Ok(())
}

/// Returns keys that differ in every field.
fn various_keys() -> Checked<Vec<KeyRecord>> {
    let moments = [
        (None, None),
        (Some(moment(1_800_000_000)?), None),
        (None, Some(Timestamp::MIN)),
        (Some(Timestamp::MAX), Some(moment(-1)?)),
    ];
    let mut keys = Vec::new();
    for (number, set) in (0..8_u8).zip([0_u8, 1, 2, 3, 4, 5, 6, 7]) {
        let in_set = |scope: &(u8, Scope)| set & (1 << scope.0) > 0;
        let scopes: Scopes = (0..).zip(Scope::ALL).filter(in_set).map(|(_, scope)| scope).collect();
        let (expires_at, revoked_at) =
            moments.get(usize::from(number) % 4).copied().unwrap_or_default();
        let organisation = if number < 5 { "acme" } else { "zebra" };
        keys.push(KeyRecord { scopes, expires_at, revoked_at, ..key(number, organisation)? });
    }
    Ok(keys)
}

fn with_keys(store: &Client, keys: &[KeyRecord]) -> Checked {
    store.done(AccessChange::Register(registration("acme", "Gold")?))?;
    store.done(AccessChange::Register(registration("zebra", "Silver")?))?;
    // In another order than that of their ids.
    for key in keys.iter().rev() {
        store.done(AccessChange::AddKey(key.clone()))?;
    }
    Ok(())
}

/// Checks that the store has these keys, by digest and in its lists.
#[track_caller]
fn expect_keys(store: &Client, keys: &[KeyRecord]) -> Checked {
    for key in keys {
        let plan = store.registration(&key.organisation)?.map(|registration| registration.plan);
        let found = store.key(&key.digest)?;
        let grant = plan.map(|plan| Grant { key: key.clone(), plan });
        ensure_eq!(found, grant, "the key {}", key.id);
    }
    for name in ["acme", "zebra", "nobody"] {
        let organisation = organisation(name)?;
        let of = keys.iter().filter(|key| key.organisation == organisation);
        ensure_eq!(store.keys(&organisation)?, of.cloned().collect::<Vec<_>>(), "keys of {name}");
    }
    Ok(())
}

pub(crate) fn auth_1_every_key_comes_back_with_its_organisations_plan(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let keys = various_keys()?;
    let homeless = store.access(AccessChange::AddKey(key(1, "acme")?))?;
    ensure_eq!(homeless, AccessOutcome::NotFound, "a key of nobody");
    ensure_eq!(store.key(&key(1, "acme")?.digest)?, None, "a key of nobody");
    with_keys(&store, &keys)?;
    expect_keys(&store, &keys)?;
    let unknown = KeyDigest::from_bytes([7; 32]);
    ensure_eq!(store.key(&unknown)?, None, "an unknown digest");
    store.done(AccessChange::SetPlan(registration("acme", "Platinum")?))?;
    expect_keys(&store, &keys)
}

pub(crate) fn auth_1_an_id_and_a_digest_are_taken_once(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let keys = [key(1, "acme")?, key(2, "zebra")?];
    with_keys(&store, &keys)?;
    let other_id = KeyId::from_bytes([9; 6]);
    let other_digest = KeyDigest::from_bytes([9; 32]);
    let scopes: Scopes = Scope::ALL.into_iter().collect();
    for taken in [
        KeyRecord { digest: other_digest, scopes, ..key(1, "zebra")? },
        KeyRecord { id: other_id, scopes, ..key(1, "acme")? },
        key(2, "zebra")?,
    ] {
        let refused = store.access(AccessChange::AddKey(taken))?;
        ensure_eq!(refused, AccessOutcome::Taken, "a key that is there");
    }
    ensure_eq!(store.key(&other_digest)?, None, "a refused key");
    expect_keys(&store, &keys)
}

pub(crate) fn auth_1_a_key_is_revoked_once(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let [mut first, second] = [key(1, "acme")?, key(2, "acme")?];
    with_keys(&store, &[first.clone(), second.clone()])?;
    let unknown = AccessChange::RevokeKey { id: KeyId::from_bytes([9; 6]), at: moment(5)? };
    ensure_eq!(store.access(unknown)?, AccessOutcome::NotFound, "an unknown key");
    first.revoked_at = Some(moment(7)?);
    for at in [7, 8, 6] {
        store.done(AccessChange::RevokeKey { id: first.id, at: moment(at)? })?;
        expect_keys(&store, &[first.clone(), second.clone()])?;
    }
    Ok(())
}

pub(crate) fn auth_1_keys_and_plans_survive_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let mut keys = various_keys()?;
    with_keys(&store, &keys)?;
    for key in keys.iter_mut().filter(|key| key.revoked_at.is_none()).take(2) {
        store.done(AccessChange::RevokeKey { id: key.id, at: moment(3)? })?;
        key.revoked_at = Some(moment(3)?);
        store.done(AccessChange::SetPlan(registration("acme", key.id.to_string().as_str())?))?;
        let registered = store.registrations()?;
        store = store.reopen(&*place)?;
        ensure_eq!(store.registrations()?, registered, "after a close");
    }
    expect_keys(&store, &keys)
}

pub(crate) fn auth_1_a_revocation_survives_a_kill_when_it_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let mut keys = various_keys()?;
    with_keys(&store, &keys)?;
    for key in keys.iter_mut().take(2) {
        store.done(AccessChange::RevokeKey { id: key.id, at: moment(3)? })?;
        key.revoked_at = key.revoked_at.or(Some(moment(3)?));
        let (_place, store) = killed(&*place)?;
        let found = store.key(&key.digest)?.map(|grant| grant.key);
        ensure_eq!(found.as_ref(), Some(&*key), "a revoked key after a kill");
    }
    let (_place, store) = killed(&*place)?;
    expect_keys(&store, &keys)
}

pub(crate) fn a_closed_store_lets_nobody_in(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let key = key(1, "acme")?;
    with_keys(&store, std::slice::from_ref(&key))?;
    store.close()?;
    let change = AccessChange::RevokeKey { id: key.id, at: key.created_at };
    let window = Window { key: key.id.into(), operation: Operation::Create };
    let answers = [
        store.key(&key.digest).err(),
        store.keys(&key.organisation).err(),
        store.registration(&key.organisation).err(),
        store.registrations().err(),
        store.window(&window, RateLimit::CREATE, UnixMillis::from_unix_millis(0)).err(),
        store.apply_access(change).err(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let kind = answer.ok_or_else(|| Stop::failed(format!("call {number} was answered")))?;
        ensure!(kind.kind() == StoreErrorKind::Closed, "call {number} heard {kind}");
    }
    Ok(())
}

pub(crate) fn auth_1_digests_are_compared_to_their_last_byte(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let mut keys = Vec::new();
    for number in 0..4 {
        let mut digest = [7; 32];
        *digest.last_mut().unwrap_or(&mut 0) = number;
        keys.push(KeyRecord { digest: KeyDigest::from_bytes(digest), ..key(number, "acme")? });
    }
    with_keys(&store, &keys)?;
    let store = store.reopen(&*place)?;
    for key in keys {
        let found = store.key(&key.digest)?.map(|grant| grant.key);
        ensure_eq!(found, Some(key), "the key of a digest");
    }
    ensure_eq!(
        store.key(&KeyDigest::from_bytes([7; 32]))?,
        None,
        "a digest that only begins alike"
    );
    Ok(())
}
