//! Tests of the suite itself: a correct store passes every case, and every case detects a faulty store.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "stores with flaws, which cut numbers short on purpose"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use custom_models_store_conformance::{
    BoxError, Builder, Case, Comparison, Failure, MemoryBuilder, Operations, Place, Verdict, pass,
    run,
};
use support::QueuedBuilder;
use support::killed_by::KILLED_BY;
use support::killed_by_in_records::KILLED_BY_IN_RECORDS;
use support::mutant::Mutant;

/// One test per case, on a store with a writer thread and a state that survives a kill.
mod conformance {
    use super::QueuedBuilder;
    custom_models_store_conformance::conformance_tests!(QueuedBuilder(None));
}

#[test]
fn the_reference_passes_all_that_it_can_be_tested_for() {
    let report = run(&MemoryBuilder);
    let untested: Vec<_> = report.untested().collect();
    assert_eq!(
        untested,
        [
            "a_record_that_cannot_be_read_is_told_and_not_dropped",
            "model_6_what_a_failing_disk_did_not_take_is_not_acknowledged",
            "log_1_a_write_that_failed_leaves_no_gap",
            "idem_1_a_write_that_failed_keeps_no_answer",
            "model_6_acknowledged_models_survive_a_kill",
            "model_6_every_answer_is_durable_when_it_is_heard",
            "model_6_what_a_refusal_rests_on_is_durable_when_it_is_heard",
            "edit_4_an_update_survives_a_kill_when_it_is_heard",
            "train_3_every_step_of_a_training_survives_a_kill_when_it_is_heard",
            "log_1_an_event_survives_a_kill_when_its_change_is_heard",
            "data_4_a_pair_survives_a_kill_when_its_change_is_heard",
            "idem_1_an_answer_survives_a_kill_when_its_change_is_heard",
            "log_1_a_purge_survives_a_kill_when_it_is_heard",
            "what_is_imported_and_what_is_erased_survives_a_kill",
            "place_2_a_summary_survives_a_kill_when_its_change_is_heard",
            "place_2_an_identity_survives_a_kill_when_it_is_replaced",
            "auth_1_a_revocation_survives_a_kill_when_it_is_heard",
            "rate_4_an_admission_survives_a_kill_when_it_is_heard",
            "rate_3_an_admission_survives_a_kill_with_its_change_when_it_is_heard",
        ],
        "{report}"
    );
    assert_eq!(report.failed().count(), 0, "{report}");
    assert_eq!(report.passed().count(), Case::ALL.len() - untested.len(), "{report}");
}

/// A builder whose places lack an ability that it does not declare.
struct Undeclared;

impl Builder for Undeclared {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        MemoryBuilder.new_place()
    }
}

#[test]
fn an_ability_that_is_lacking_is_told_and_has_to_be_declared() {
    let name = "model_6_acknowledged_models_survive_a_kill";
    pass(name, &MemoryBuilder).unwrap();
    let report = run(&MemoryBuilder).to_string();
    assert!(report.contains(&format!("{name}: untested: a kill cannot be simulated\n")));
    let refused = pass(name, &Undeclared).unwrap_err().to_string();
    assert!(refused.contains("a kill cannot be simulated, which the builder"), "{refused}");
    let report = run(&Undeclared);
    assert!(report.untested().next().is_none());
    assert!(report.failed().any(|failed| failed == name));
}

#[test]
fn every_mutant_is_killed_by_the_cases_that_it_concerns() {
    let mut unnoticed = Vec::new();
    for (mutant, cases) in KILLED_BY.iter().chain(KILLED_BY_IN_RECORDS) {
        for name in *cases {
            let case = Case::ALL.iter().find(|case| case.name() == *name).unwrap();
            let verdict = case.check(&QueuedBuilder(Some(*mutant)));
            if !matches!(verdict, Verdict::Failed(_)) {
                unnoticed.push(format!("{mutant:?} in {name}: {verdict:?}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn every_case_kills_a_mutant() {
    let killed_by: BTreeSet<_> =
        KILLED_BY.iter().chain(KILLED_BY_IN_RECORDS).flat_map(|(_, cases)| *cases).collect();
    let blind: Vec<_> = Case::ALL.iter().filter(|case| !killed_by.contains(&case.name())).collect();
    assert!(blind.is_empty(), "no mutant makes these fail: {blind:?}");
}

/// Compares a store with the reference in many runs of random operations, as a fuzzer does.
fn compare(mutant: Option<Mutant>) -> Result<(), Failure> {
    let mut comparison = Comparison::new(&QueuedBuilder(mutant))?;
    let mut state = 1_u64;
    for _ in 0..100 {
        // A linear congruential generator; its low bits have short periods.
        let byte = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = (0..400).map(byte).collect();
        comparison.run(&Operations::read(&bytes))?;
    }
    Ok(())
}

#[test]
fn a_comparison_by_a_callers_bytes_finds_mutants_and_nothing_else() {
    assert!(compare(None).is_ok(), "{:?}", compare(None));
    let random = "random_operations_are_answered_as_by_the_reference";
    let all = KILLED_BY.iter().chain(KILLED_BY_IN_RECORDS);
    let told = all.filter(|(_, cases)| cases.contains(&random)).map(|(mutant, _)| *mutant);
    let others = [
        Mutant::LimitIsOneMore,
        Mutant::PlaceKeptByDeletes,
        Mutant::DeletesOfNothingSucceed,
        Mutant::EveryTenthUpdateIsLost,
        Mutant::IdsByOrganisation,
        Mutant::ListsIgnoreTheirLimit,
        Mutant::ReadsAfterClose,
    ];
    let missed: Vec<_> = told.chain(others).filter(|it| compare(Some(*it)).is_ok()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_report_with_a_failure_is_a_failure() {
    let (mutant, _) = KILLED_BY[0];
    let report = run(&QueuedBuilder(Some(mutant)));
    assert!(report.failed().next().is_some());
    let failure = report.into_result().unwrap_err().to_string();
    assert!(failure.contains("name_5_every_name_comes_back_as_it_was_sent: FAILED"), "{failure}");
    assert!(run(&QueuedBuilder(None)).into_result().is_ok());
}

#[test]
fn a_name_without_a_case_is_a_failure() {
    let refused = pass("no_such_case", &MemoryBuilder).unwrap_err().to_string();
    assert!(refused.contains("there is no case"), "{refused}");
}

#[test]
fn every_file_of_cases_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    let files: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    let modules: BTreeSet<_> = Case::ALL.iter().map(|case| case.module().to_owned()).collect();
    assert_eq!(files, modules);
}
