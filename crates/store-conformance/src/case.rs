use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::verdict::{Checked, Stop};
use crate::{Builder, Failure, Report, Verdict};

/// A test case for every store.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    module: &'static str,
    check: fn(&dyn Builder) -> Checked,
}

impl Case {
    /// All cases, in the only list of them.
    pub const ALL: &'static [Case] = crate::for_every_case!(case_table);

    /// Returns the name, which begins with the rule that the case tests, if there is one.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the name of the case's file, without its extension.
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// Runs the case on a store of the builder's kind. A panic is a failure.
    pub fn check(&self, builder: &dyn Builder) -> Verdict {
        match catch_unwind(AssertUnwindSafe(|| (self.check)(builder))) {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Stop::Untested(ability))) if builder.untested().contains(&ability) => {
                Verdict::Untested(ability)
            }
            Ok(Err(Stop::Untested(ability))) => Verdict::Failed(Failure::new(format!(
                "{ability}, which the builder does not declare"
            ))),
            Ok(Err(Stop::Failed(failure))) => Verdict::Failed(failure),
            Err(panic) => Verdict::Failed(Failure::new(format!("panic: {}", text_of(&*panic)))),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs all cases.
pub fn run(builder: &dyn Builder) -> Report {
    let verdicts = Case::ALL.iter().map(|case| (*case, case.check(builder))).collect();
    Report::new(verdicts)
}

/// Runs the case with this name, and fails if it fails: [`conformance_tests!`](crate::conformance_tests) calls
/// this.
pub fn pass(name: &str, builder: &dyn Builder) -> Result<(), Failure> {
    let case = Case::ALL
        .iter()
        .find(|case| case.name == name)
        .ok_or_else(|| Failure::new(format!("there is no case `{name}`")))?;
    match case.check(builder) {
        Verdict::Passed | Verdict::Untested(_) => Ok(()),
        Verdict::Failed(failure) => Err(failure),
    }
}

pub(crate) fn text_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "of an unknown kind",
    }
}

/// Generates a `#[test]` for every case, for the stores of a [`Builder`](crate::Builder).
///
/// Takes an expression for the builder, which each test evaluates once. No case can be left out.
#[macro_export]
macro_rules! conformance_tests {
    ($builder:expr $(,)?) => {
        $crate::for_every_case! { case_tests, $builder }
    };
}

/// Passes the list of all cases to another macro of this crate. A function that is missing in the list is
/// dead code, and a name without a function does not resolve: neither compiles.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_case {
    ($callback:ident $(, $argument:expr)?) => {
        $crate::$callback! { ($($argument)?)
            texts:
                name_5_every_name_comes_back_as_it_was_sent,
                desc_4_every_description_comes_back_and_empty_is_not_none,
                model_4_every_moment_comes_back,
                lang_4_base_4_every_language_and_base_model_comes_back;
            ids:
                model_1_ids_grow_over_all_organisations,
                model_1_ids_of_writes_in_one_burst_differ,
                model_1_an_id_is_not_given_again_after_a_delete,
                model_1_an_id_is_not_given_again_after_a_delete_and_a_reopen,
                model_1_the_last_id_is_given_and_then_none,
                model_1_exhausted_ids_refuse_nothing_but_creates,
                model_1_an_import_never_lowers_the_last_id;
            quota:
                quota_1_no_limit_and_the_largest_limit_admit,
                quota_2_a_delete_frees_its_place_at_once,
                quota_3_a_refused_create_leaves_no_trace,
                quota_4_the_limit_is_exact,
                quota_4_a_limit_of_zero_refuses_every_create,
                quota_4_organisations_do_not_share_a_limit,
                quota_5_a_lowered_limit_keeps_models_and_refuses_creates;
            bursts:
                quota_3_a_refusal_in_a_burst_undoes_only_itself,
                quota_4_a_burst_of_creates_fills_exactly_the_limit;
            deletes:
                edit_4_a_delete_that_expects_another_revision_changes_nothing,
                edit_5_the_second_delete_finds_nothing,
                edit_5_an_unknown_id_is_not_found,
                auth_3_another_organisations_model_is_not_found,
                auth_3_organisations_of_similar_names_do_not_see_each_other;
            lists:
                read_1_every_selection_shows_what_it_says,
                read_1_pages_by_cursor_show_every_model_once,
                read_1_an_organisation_without_models_has_an_empty_list;
            races:
                quota_4_threads_fill_exactly_the_limit,
                quota_4_threads_that_also_delete_stay_within_the_limit,
                edit_5_one_of_many_deletes_of_a_model_wins,
                model_1_an_id_is_larger_than_every_one_acknowledged_before,
                read_1_reads_during_writes_see_whole_changes;
            order:
                a_write_after_an_answer_is_made_after_it,
                a_write_of_another_thread_after_an_answer_is_made_after_it,
                a_read_after_an_answer_sees_its_change,
                every_write_of_a_burst_is_answered_once;
            closing:
                a_closed_store_does_nothing,
                a_closed_store_tells_of_no_life,
                close_waits_until_all_that_is_queued_is_answered,
                close_among_writers_answers_every_write;
            openings:
                two_openings_of_a_place_share_it_or_one_is_locked,
                two_openings_of_a_new_place_share_it_or_one_is_locked;
            faults:
                a_record_that_cannot_be_read_is_told_and_not_dropped,
                model_6_what_a_failing_disk_did_not_take_is_not_acknowledged,
                log_1_a_write_that_failed_leaves_no_gap,
                idem_1_a_write_that_failed_keeps_no_answer;
            durability:
                model_6_acknowledged_models_survive_a_close,
                model_6_acknowledged_models_survive_a_dropped_store,
                model_6_acknowledged_models_survive_a_kill,
                model_6_every_answer_is_durable_when_it_is_heard,
                model_6_what_a_refusal_rests_on_is_durable_when_it_is_heard,
                a_dropped_store_answers_what_was_submitted;
            updates:
                edit_4_an_edit_that_expects_another_revision_changes_nothing,
                edit_4_words_of_a_worker_change_no_revision,
                edit_3_an_update_replaces_what_it_says_and_nothing_else,
                auth_3_an_update_of_anothers_model_is_not_found,
                edit_4_updates_of_many_models_in_a_burst_all_count,
                edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another,
                edit_4_acknowledged_updates_survive_a_close,
                edit_4_an_update_survives_a_kill_when_it_is_heard;
            edits:
                edit_4_many_edits_of_one_model_at_once_are_all_made,
                edit_4_one_of_many_edits_that_expect_a_revision_is_made,
                edit_4_a_refused_edit_leaves_no_trace,
                data_6_one_of_many_who_remove_a_pair_hears_of_it;
            trainings:
                train_1_every_course_comes_back,
                train_3_metrics_beside_the_five_come_back_to_the_bit,
                read_1_lists_by_status_follow_the_course,
                train_3_every_step_of_a_training_survives_a_kill_when_it_is_heard;
            claims:
                train_3_those_that_have_waited_longest_are_shown_first,
                train_3_what_waits_follows_every_change_at_once,
                train_4_one_of_many_workers_has_each_training,
                train_4_a_worker_whose_lease_ran_out_changes_nothing,
                train_5_a_sweep_fails_what_was_claimed_three_times,
                train_5_the_next_claim_fails_what_was_claimed_three_times;
            events:
                log_1_positions_are_dense_whoever_writes,
                log_1_an_event_is_there_exactly_when_its_change_is,
                log_1_reads_see_a_change_with_its_event_or_neither,
                log_1_the_order_is_that_of_the_answers,
                log_1_pages_show_every_event_once,
                log_1_a_history_without_events_has_its_ends,
                log_1_organisations_have_histories_of_their_own,
                log_1_every_kind_of_event_comes_back,
                log_1_events_survive_a_close,
                log_1_an_event_survives_a_kill_when_its_change_is_heard;
            data:
                data_4_every_pair_comes_back_as_it_was,
                data_4_pairs_come_back_under_the_largest_numbers,
                data_6_pairs_are_read_in_parts,
                data_6_a_pair_that_was_removed_is_gone,
                edit_5_the_data_of_a_model_goes_with_it,
                auth_3_another_organisation_sees_no_data,
                data_4_a_refused_change_leaves_the_data_as_it_is,
                data_4_reads_see_a_pair_with_its_change_or_neither,
                data_4_data_survives_a_close,
                data_4_a_pair_survives_a_kill_when_its_change_is_heard;
            answers:
                idem_1_a_repeat_hears_the_first_answer_byte_for_byte,
                idem_1_an_answer_survives_a_kill_when_its_change_is_heard,
                idem_1_a_repeat_is_judged_before_its_change,
                idem_1_what_differs_in_a_part_of_its_key_is_another_request,
                idem_1_of_many_at_the_same_time_one_is_done,
                idem_1_after_24_hours_it_is_a_new_request,
                idem_1_a_refused_change_keeps_no_answer;
            purges:
                log_1_a_purge_forgets_only_the_beginning_of_a_history,
                log_1_a_purge_forgets_no_more_than_its_limit,
                log_1_positions_go_on_when_all_events_are_forgotten,
                idem_1_a_purge_forgets_answers_until_a_moment,
                log_1_a_purge_survives_a_kill_when_it_is_heard;
            archives:
                everything_is_brought_to_another_store_and_goes_on_there,
                an_import_begins_in_an_empty_store_and_once,
                an_imported_record_replaces_the_one_with_its_key,
                an_organisation_is_erased_and_others_stay,
                an_export_is_of_one_moment,
                what_is_imported_and_what_is_erased_survives_a_kill,
                a_closed_store_shows_and_takes_nothing,
                an_export_ends_with_the_error_of_whoever_takes_it;
            exports:
                an_export_is_in_order,
                a_submit_does_not_wait_for_an_export;
            summaries:
                place_2_a_store_keeps_its_identity_and_no_other_has_it,
                place_2_a_summary_counts_what_ever_was_and_never_falls,
                place_2_a_summary_survives_a_kill_when_its_change_is_heard,
                log_1_an_export_says_where_a_history_begins,
                a_closed_store_has_no_summary,
                a_store_that_was_only_written_to_has_no_damage;
            lineages:
                place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there,
                place_2_of_many_that_replace_an_identity_one_does,
                place_2_an_identity_survives_a_kill_when_it_is_replaced;
            random:
                random_operations_are_answered_as_by_the_reference;
            access:
                auth_2_an_organisation_is_registered_once_and_changes_its_plan,
                auth_1_every_key_comes_back_with_its_organisations_plan,
                auth_1_an_id_and_a_digest_are_taken_once,
                auth_1_digests_are_compared_to_their_last_byte,
                auth_1_a_key_is_revoked_once,
                auth_1_keys_and_plans_survive_a_close,
                auth_1_a_revocation_survives_a_kill_when_it_is_heard,
                a_closed_store_lets_nobody_in;
            admissions:
                rate_1_the_window_is_exact_to_the_millisecond,
                rate_1_admissions_of_one_millisecond_all_count,
                rate_1_keys_and_operations_have_windows_of_their_own,
                rate_1_the_key_of_a_window_is_1_to_64_bytes,
                rate_1_those_that_have_left_the_window_do_not_count,
                rate_5_under_a_lowered_limit_enough_have_to_leave,
                rate_1_a_sweep_deletes_what_no_window_counts,
                rate_1_a_sweep_takes_what_lies_in_the_future_to_be_of_now,
                rate_1_the_admissions_of_an_erased_key_go_with_it,
                rate_1_threads_are_admitted_exactly_as_often_as_the_limit_says,
                rate_3_refusals_leave_no_trace,
                rate_3_an_admission_in_a_burst_counts_beside_refused_creates,
                rate_4_the_window_survives_a_close,
                rate_4_an_admission_survives_a_kill_when_it_is_heard;
            long_windows:
                rate_1_a_window_of_many_admissions_is_judged_by_their_times;
            limited:
                rate_3_an_admission_and_its_change_are_one_write,
                rate_3_a_refused_change_keeps_its_admission,
                rate_3_the_window_is_judged_between_a_repeat_and_the_model,
                rate_5_a_key_comes_with_the_window_that_is_its_own,
                rate_3_limited_creates_of_many_threads_are_as_many_as_the_window_takes,
                rate_3_an_admission_survives_a_kill_with_its_change_when_it_is_heard;
            random_access:
                random_changes_of_access_are_judged_as_by_the_reference;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! case_table {
    (() $($module:ident: $($case:ident),+;)+) => {
        &[$($($crate::Case {
            name: stringify!($case),
            module: stringify!($module),
            check: $crate::cases::$module::$case,
        },)+)+]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! case_tests {
    (($builder:expr) $($module:ident: $($case:ident),+;)+) => {
        $($(
            #[test]
            fn $case() -> ::std::result::Result<(), $crate::Failure> {
                $crate::pass(stringify!($case), &$builder)
            }
        )+)+
    };
}
