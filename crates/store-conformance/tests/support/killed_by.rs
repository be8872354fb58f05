//! The mutants, and the cases that must kill them; those of records are in another file.

use super::mutant::Mutant;

/// Every mutant with the cases that must fail because of it. Others may fail too.
pub(crate) const KILLED_BY: &[(Mutant, &[&str])] = &[
    (Mutant::NamesEndAtNul, &["name_5_every_name_comes_back_as_it_was_sent"]),
    (
        Mutant::OpensTwice,
        &[
            "two_openings_of_a_place_share_it_or_one_is_locked",
            "two_openings_of_a_new_place_share_it_or_one_is_locked",
        ],
    ),
    (Mutant::DropsWhatItCannotRead, &["a_record_that_cannot_be_read_is_told_and_not_dropped"]),
    (
        Mutant::AcknowledgesWhatIsNotSaved,
        &["model_6_what_a_failing_disk_did_not_take_is_not_acknowledged"],
    ),
    (
        Mutant::FailuresStayInMemory,
        &["model_6_what_a_failing_disk_did_not_take_is_not_acknowledged"],
    ),
    (Mutant::FailuresTakeAPosition, &["log_1_a_write_that_failed_leaves_no_gap"]),
    (Mutant::FailuresTakeAPlace, &["model_6_what_a_failing_disk_did_not_take_is_not_acknowledged"]),
    (Mutant::FailuresKeepTheAnswer, &["idem_1_a_write_that_failed_keeps_no_answer"]),
    (Mutant::ImportLowersTheLastId, &["model_1_an_import_never_lowers_the_last_id"]),
    (Mutant::ExportsInOrderOfIds, &["an_export_is_in_order"]),
    (Mutant::SubmitWaitsForExports, &["a_submit_does_not_wait_for_an_export"]),
    (Mutant::ErasedKeysKeepTheirAdmissions, &["rate_1_the_admissions_of_an_erased_key_go_with_it"]),
    (Mutant::AnswersAreOfWholeSeconds, &["idem_1_after_24_hours_it_is_a_new_request"]),
    (Mutant::ImportsKeepWhatIsThere, &["an_imported_record_replaces_the_one_with_its_key"]),
    (Mutant::SizesAreFloats, &["data_4_pairs_come_back_under_the_largest_numbers"]),
    (Mutant::DigestsAreCutShort, &["auth_1_digests_are_compared_to_their_last_byte"]),
    (Mutant::ClaimableGoesBySeconds, &["train_3_those_that_have_waited_longest_are_shown_first"]),
    (Mutant::AnswersIgnoreCase, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Mutant::EventsGoWithTheirModel, &["log_1_every_kind_of_event_comes_back"]),
    (Mutant::TotalsIgnoreTheFilter, &["read_1_every_selection_shows_what_it_says"]),
    (Mutant::PurgesTakeOneOrganisation, &["log_1_a_purge_forgets_only_the_beginning_of_a_history"]),
    (
        Mutant::EmptyDescriptionIsNone,
        &["desc_4_every_description_comes_back_and_empty_is_not_none"],
    ),
    (Mutant::MomentsHave32Bits, &["model_4_every_moment_comes_back"]),
    (Mutant::OneLanguageIsAnother, &["lang_4_base_4_every_language_and_base_model_comes_back"]),
    (
        Mutant::IdsByOrganisation,
        &[
            "model_1_ids_grow_over_all_organisations",
            "model_1_an_id_is_larger_than_every_one_acknowledged_before",
        ],
    ),
    (Mutant::TwoOfAHundredShareAnId, &["model_1_ids_of_writes_in_one_burst_differ"]),
    (Mutant::NewestIdAgain, &["model_1_an_id_is_not_given_again_after_a_delete"]),
    (
        Mutant::NewestIdAgainAfterOpening,
        &["model_1_an_id_is_not_given_again_after_a_delete_and_a_reopen"],
    ),
    (Mutant::LastIdAgain, &["model_1_the_last_id_is_given_and_then_none"]),
    (Mutant::NothingGoesWithoutIds, &["model_1_exhausted_ids_refuse_nothing_but_creates"]),
    (Mutant::LimitIsSigned, &["quota_1_no_limit_and_the_largest_limit_admit"]),
    (Mutant::LimitIsOneMore, &["quota_4_the_limit_is_exact"]),
    (Mutant::LimitZeroIsNone, &["quota_4_a_limit_of_zero_refuses_every_create"]),
    (Mutant::LimitOverlookedByEveryTenth, &["quota_4_a_burst_of_creates_fills_exactly_the_limit"]),
    (Mutant::LimitMustBeMetExactly, &["quota_5_a_lowered_limit_keeps_models_and_refuses_creates"]),
    (Mutant::LimitCountedByThread, &["quota_4_threads_fill_exactly_the_limit"]),
    (Mutant::LimitIgnoresCase, &["quota_4_organisations_do_not_share_a_limit"]),
    (
        Mutant::PlaceKeptByDeletes,
        &[
            "quota_2_a_delete_frees_its_place_at_once",
            "quota_4_threads_that_also_delete_stay_within_the_limit",
        ],
    ),
    (Mutant::PlaceTakenByRefusals, &["quota_3_a_refused_create_leaves_no_trace"]),
    (Mutant::WriteLostAfterARefusal, &["quota_3_a_refusal_in_a_burst_undoes_only_itself"]),
    (
        Mutant::RevisionsHave32Bits,
        &["edit_4_a_delete_that_expects_another_revision_changes_nothing"],
    ),
    (
        Mutant::DeletesOfNothingSucceed,
        &[
            "edit_5_the_second_delete_finds_nothing",
            "edit_5_one_of_many_deletes_of_a_model_wins",
            "edit_5_an_unknown_id_is_not_found",
        ],
    ),
    (Mutant::DeletesIgnoreTheOrganisation, &["auth_3_another_organisations_model_is_not_found"]),
    (Mutant::ReadsIgnoreTheOrganisation, &["auth_3_another_organisations_model_is_not_found"]),
    (Mutant::ModelsOfOthersAreRefused, &["auth_3_another_organisations_model_is_not_found"]),
    (
        Mutant::OrganisationsArePrefixes,
        &["auth_3_organisations_of_similar_names_do_not_see_each_other"],
    ),
    (Mutant::SkipsBeforeFiltering, &["read_1_every_selection_shows_what_it_says"]),
    (Mutant::CursorShowsItsModel, &["read_1_pages_by_cursor_show_every_model_once"]),
    (Mutant::ListsIgnoreTheirLimit, &["read_1_every_selection_shows_what_it_says"]),
    (Mutant::NoModelsIsAnError, &["read_1_an_organisation_without_models_has_an_empty_list"]),
    (
        Mutant::ReadsLagBehind,
        &["a_read_after_an_answer_sees_its_change", "read_1_reads_during_writes_see_whole_changes"],
    ),
    (
        Mutant::WritesLagBehind,
        &[
            "a_write_after_an_answer_is_made_after_it",
            "a_write_of_another_thread_after_an_answer_is_made_after_it",
        ],
    ),
    (Mutant::RefusalsUnanswered, &["every_write_of_a_burst_is_answered_once"]),
    (Mutant::ReadsAfterClose, &["a_closed_store_does_nothing"]),
    (Mutant::ClosesBeforeTheQueue, &["close_waits_until_all_that_is_queued_is_answered"]),
    (Mutant::ForgetsTheQueueWhenDropped, &["a_dropped_store_answers_what_was_submitted"]),
    (
        Mutant::ForgetsTheLastWriteWhenClosed,
        &["model_6_acknowledged_models_survive_a_close", "close_among_writers_answers_every_write"],
    ),
    (
        Mutant::SavesOnlyWhenClosed,
        &[
            "model_6_acknowledged_models_survive_a_dropped_store",
            "model_6_acknowledged_models_survive_a_kill",
            "model_6_what_a_refusal_rests_on_is_durable_when_it_is_heard",
        ],
    ),
    (Mutant::SavesWithTheNextWrite, &["model_6_every_answer_is_durable_when_it_is_heard"]),
    (
        Mutant::RegistersAgain,
        &[
            "auth_2_an_organisation_is_registered_once_and_changes_its_plan",
            "random_changes_of_access_are_judged_as_by_the_reference",
        ],
    ),
    (Mutant::KeysNeverExpire, &["auth_1_every_key_comes_back_with_its_organisations_plan"]),
    (Mutant::KeysOfAllAreListed, &["auth_1_every_key_comes_back_with_its_organisations_plan"]),
    (Mutant::DigestsTakenTwice, &["auth_1_an_id_and_a_digest_are_taken_once"]),
    (Mutant::RevokesAgain, &["auth_1_a_key_is_revoked_once"]),
    (Mutant::KeysForgottenAtOpening, &["auth_1_keys_and_plans_survive_a_close"]),
    (Mutant::SavesOnlyWhenClosed, &["auth_1_a_revocation_survives_a_kill_when_it_is_heard"]),
    (Mutant::ReadsAfterClose, &["a_closed_store_lets_nobody_in"]),
    (Mutant::WindowEndsLate, &["rate_1_the_window_is_exact_to_the_millisecond"]),
    (Mutant::AdmissionsOfOneMomentMerge, &["rate_1_admissions_of_one_millisecond_all_count"]),
    (Mutant::OperationsShareAWindow, &["rate_1_keys_and_operations_have_windows_of_their_own"]),
    (
        Mutant::WindowCountedByThread,
        &["rate_1_threads_are_admitted_exactly_as_often_as_the_limit_says"],
    ),
    (Mutant::RefusalsCount, &["rate_3_refusals_leave_no_trace"]),
    (
        Mutant::AdmissionsCountUntilDeleted,
        &[
            "rate_1_those_that_have_left_the_window_do_not_count",
            "rate_1_a_window_of_many_admissions_is_judged_by_their_times",
        ],
    ),
    (Mutant::RetryWaitsForTheOldest, &["rate_5_under_a_lowered_limit_enough_have_to_leave"]),
    (Mutant::SweepsOfWindowsIgnoreTheirLimit, &["rate_1_a_sweep_deletes_what_no_window_counts"]),
    (Mutant::SweepsLeaveTheFuture, &["rate_1_a_sweep_takes_what_lies_in_the_future_to_be_of_now"]),
    (Mutant::WindowKeysEndAtOneByte, &["rate_1_the_key_of_a_window_is_1_to_64_bytes"]),
    (
        Mutant::AdmissionsForgottenAtOpening,
        &[
            "rate_3_an_admission_in_a_burst_counts_beside_refused_creates",
            "rate_4_the_window_survives_a_close",
        ],
    ),
    (
        Mutant::AdmissionsOfChangesAreLost,
        &[
            "rate_3_an_admission_and_its_change_are_one_write",
            "random_operations_are_answered_as_by_the_reference",
        ],
    ),
    (
        Mutant::WindowCountedByThread,
        &["rate_3_limited_creates_of_many_threads_are_as_many_as_the_window_takes"],
    ),
    (
        Mutant::RefusedChangesDoNotCount,
        &[
            "rate_3_a_refused_change_keeps_its_admission",
            "random_operations_are_answered_as_by_the_reference",
        ],
    ),
    (
        Mutant::KeysComeWithTheWindowOfCreates,
        &["rate_5_a_key_comes_with_the_window_that_is_its_own"],
    ),
    (Mutant::RepeatsCount, &["rate_3_the_window_is_judged_between_a_repeat_and_the_model"]),
    (Mutant::WindowsAreJudgedLast, &["rate_3_the_window_is_judged_between_a_repeat_and_the_model"]),
    (
        Mutant::SavesWithTheNextWrite,
        &["rate_3_an_admission_survives_a_kill_with_its_change_when_it_is_heard"],
    ),
    (Mutant::SavesWithTheNextWrite, &["rate_4_an_admission_survives_a_kill_when_it_is_heard"]),
];
