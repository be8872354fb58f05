//! Random changes of access, whose outcomes are compared with those of the reference store.

use custom_models_core::MemoryStore;
use custom_models_core::access::{KeyRecord, Operation, RateLimit, Scope, Window};
use custom_models_core::store::{AccessChange, AccessOutcome, AccessStore, StoreError};
use custom_models_core::time::UnixMillis;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::client::{Client, fresh};
use crate::sample::{key, moment, registration};
use crate::verdict::{Checked, Stop, ensure_eq};
use crate::{Builder, Failure};

/// The same number as in the other random case, for the same reason.
const SEQUENCES: u32 = 32;

const ORGANISATIONS: [&str; 2] = ["acme", "zebra"];

#[derive(Clone, Debug)]
enum Step {
    Register { of: &'static str, plan: &'static str },
    SetPlan { of: &'static str, plan: &'static str },
    AddKey { number: u8, digest_of: u8, of: &'static str, scopes: Vec<Scope> },
    Revoke { number: u8, at: i64 },
    Admit { number: u8, operation: Operation, limit: RateLimit, later: i64 },
    Reopen,
}

pub(crate) fn random_changes_of_access_are_judged_as_by_the_reference(
    builder: &dyn Builder,
) -> Checked {
    let mut config =
        Config { failure_persistence: None, max_shrink_iters: 512, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let outcome = TestRunner::new(config).run(&vec(step(), 1..60), |steps| {
        agree(builder, &steps).map_err(|stop| TestCaseError::fail(Failure::from(stop).to_string()))
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, steps)) => {
            Err(Stop::failed(format!("{reason}\nafter {steps:#?}")))
        }
        Err(TestError::Abort(reason)) => Err(Stop::failed(reason.to_string())),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let of = || select(ORGANISATIONS.to_vec());
    let plan = || select(vec!["Gold", "Enterprise", "Silver"]);
    let number = || 0..4_u8;
    let seconds = prop_oneof![Just(1_u64), Just(2), Just(60)];
    let limit = (1..4_u32, seconds).prop_filter_map("a limit", |(requests, seconds)| {
        RateLimit::new(requests, std::time::Duration::from_secs(seconds)).ok()
    });
    let operation = select(Operation::ALL.to_vec());
    // Time mostly increases, sometimes within one millisecond, and sometimes a clock is set back.
    let later = prop_oneof![3 => 0..900_i64, 2 => Just(0_i64), 1 => -1500..0_i64];
    prop_oneof![
        2 => (of(), plan()).prop_map(|(of, plan)| Step::Register { of, plan }),
        1 => (of(), plan()).prop_map(|(of, plan)| Step::SetPlan { of, plan }),
        3 => (number(), number(), of(), subsequence(Scope::ALL.to_vec(), 0..=3)).prop_map(
            |(number, digest_of, of, scopes)| Step::AddKey { number, digest_of, of, scopes }
        ),
        1 => (number(), 0..9_i64).prop_map(|(number, at)| Step::Revoke { number, at }),
        6 => (0..2_u8, operation, limit, later).prop_map(|(number, operation, limit, later)| {
            Step::Admit { number, operation, limit, later }
        }),
        1 => Just(Step::Reopen),
    ]
}

fn agree(builder: &dyn Builder, steps: &[Step]) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let reference = MemoryStore::new();
    let mut now = 1_700_000_000_000;
    for step in steps {
        let Some(change) = change(step, &mut now)? else {
            store = store.reopen(&*place)?;
            expect_same(&store, &reference)?;
            continue;
        };
        let right: Result<AccessOutcome, StoreError> = reference.apply_access(change.clone());
        let shown = format!("{change:?}");
        ensure_eq!(store.access(change)?, right?, "{shown}");
    }
    expect_same(&store, &reference)
}

/// Returns the change of a step; `None` if the store is to be reopened.
fn change(step: &Step, now: &mut i64) -> Checked<Option<AccessChange>> {
    let id = |number| key(number, "acme").map(|key| key.id);
    Ok(Some(match step {
        Step::Register { of, plan } => AccessChange::Register(registration(of, plan)?),
        Step::SetPlan { of, plan } => AccessChange::SetPlan(registration(of, plan)?),
        Step::AddKey { number, digest_of, of, scopes } => AccessChange::AddKey(KeyRecord {
            digest: key(*digest_of, of)?.digest,
            scopes: scopes.iter().copied().collect(),
            ..key(*number, of)?
        }),
        Step::Revoke { number, at } => {
            AccessChange::RevokeKey { id: id(*number)?, at: moment(*at)? }
        }
        Step::Admit { number, operation, limit, later } => {
            *now += later;
            AccessChange::Admit {
                window: Window { key: id(*number)?.into(), operation: *operation },
                limit: *limit,
                now: UnixMillis::from_unix_millis(*now),
            }
        }
        Step::Reopen => return Ok(None),
    }))
}

fn expect_same(store: &Client, reference: &MemoryStore) -> Checked {
    ensure_eq!(store.registrations()?, reference.registrations()?, "registrations");
    for name in ORGANISATIONS {
        let registration = registration(name, "Gold")?;
        let organisation = &registration.organisation;
        ensure_eq!(store.keys(organisation)?, reference.keys(organisation)?, "keys of {name}");
    }
    for number in 0..4 {
        let key = key(number, "acme")?;
        ensure_eq!(store.key(&key.digest)?, reference.key(&key.digest)?, "the key {number}");
    }
    Ok(())
}
