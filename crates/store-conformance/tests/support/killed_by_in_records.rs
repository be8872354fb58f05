//! The mutants in the records of models after creation, and the cases that must kill them.

use super::mutant::Mutant;

/// Every mutant with the cases that must fail because of it. Others may fail too.
pub(crate) const KILLED_BY_IN_RECORDS: &[(Mutant, &[&str])] = &[
    (
        Mutant::EditsIgnoreWhatIsExpected,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "edit_4_a_delete_that_expects_another_revision_changes_nothing",
            "edit_4_one_of_many_edits_that_expect_a_revision_is_made",
            "edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another",
        ],
    ),
    (
        Mutant::RefusalsLeaveEvents,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "auth_3_an_update_of_anothers_model_is_not_found",
            "log_1_an_event_is_there_exactly_when_its_change_is",
            "log_1_positions_are_dense_whoever_writes",
        ],
    ),
    (
        Mutant::RefusalsKeepAnswers,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "edit_4_a_refused_edit_leaves_no_trace",
            "idem_1_a_refused_change_keeps_no_answer",
        ],
    ),
    (
        Mutant::RefusedEditsChangeData,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "data_4_a_refused_change_leaves_the_data_as_it_is",
        ],
    ),
    (
        Mutant::EditsAreDecidedOnAnOldRead,
        &[
            "edit_4_many_edits_of_one_model_at_once_are_all_made",
            "edit_4_one_of_many_edits_that_expect_a_revision_is_made",
            "train_4_one_of_many_workers_has_each_training",
            "train_4_a_worker_whose_lease_ran_out_changes_nothing",
        ],
    ),
    (Mutant::RemovedPairsAreNotTold, &["data_6_one_of_many_who_remove_a_pair_hears_of_it"]),
    (Mutant::BeatsCountAsRevisions, &["edit_4_words_of_a_worker_change_no_revision"]),
    (
        Mutant::RevisionsHave32Bits,
        &["edit_4_an_edit_that_expects_another_revision_changes_nothing"],
    ),
    (
        Mutant::UpdatesKeepOldDescriptions,
        &["edit_3_an_update_replaces_what_it_says_and_nothing_else"],
    ),
    (Mutant::UpdatesIgnoreTheOrganisation, &["auth_3_an_update_of_anothers_model_is_not_found"]),
    (Mutant::EveryTenthUpdateIsLost, &["edit_4_updates_of_many_models_in_a_burst_all_count"]),
    (
        Mutant::UpdatesOfNothingCreate,
        &[
            "auth_3_an_update_of_anothers_model_is_not_found",
            "edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another",
        ],
    ),
    (
        Mutant::ForgetsTheLastWriteWhenClosed,
        &[
            "edit_4_acknowledged_updates_survive_a_close",
            "log_1_events_survive_a_close",
            "data_4_data_survives_a_close",
        ],
    ),
    (
        Mutant::SavesWithTheNextWrite,
        &[
            "edit_4_an_update_survives_a_kill_when_it_is_heard",
            "train_3_every_step_of_a_training_survives_a_kill_when_it_is_heard",
            "log_1_an_event_survives_a_kill_when_its_change_is_heard",
            "data_4_a_pair_survives_a_kill_when_its_change_is_heard",
            "idem_1_an_answer_survives_a_kill_when_its_change_is_heard",
            "log_1_a_purge_survives_a_kill_when_it_is_heard",
        ],
    ),
    (Mutant::FiguresHaveFewDigits, &["train_1_every_course_comes_back"]),
    (Mutant::KeepsTheFiveMetrics, &["train_3_metrics_beside_the_five_come_back_to_the_bit"]),
    (Mutant::ZerosHaveNoSign, &["train_3_metrics_beside_the_five_come_back_to_the_bit"]),
    (Mutant::StatusIsThatOfTheCreate, &["read_1_lists_by_status_follow_the_course"]),
    (
        Mutant::ClaimableIgnoresTheOrganisation,
        &["train_3_those_that_have_waited_longest_are_shown_first"],
    ),
    (Mutant::ClaimableInOrderOfIds, &["train_3_those_that_have_waited_longest_are_shown_first"]),
    (Mutant::ClaimableIgnoresItsLimit, &["train_3_those_that_have_waited_longest_are_shown_first"]),
    (
        Mutant::ClaimableBoundIsExclusive,
        &[
            "train_3_those_that_have_waited_longest_are_shown_first",
            "train_3_what_waits_follows_every_change_at_once",
            "train_5_a_sweep_fails_what_was_claimed_three_times",
            "train_5_the_next_claim_fails_what_was_claimed_three_times",
        ],
    ),
    (Mutant::BeatsDoNotMoveTheClaim, &["train_3_what_waits_follows_every_change_at_once"]),
    (
        Mutant::EveryTenthPositionIsSkipped,
        &["log_1_positions_are_dense_whoever_writes", "log_1_pages_show_every_event_once"],
    ),
    (Mutant::EveryTenthEventIsBeforeTheNinth, &["log_1_the_order_is_that_of_the_answers"]),
    (Mutant::PositionsOverAllOrganisations, &["log_1_organisations_have_histories_of_their_own"]),
    (Mutant::ActorsEndAt64Characters, &["log_1_every_kind_of_event_comes_back"]),
    (Mutant::EventsLagBehind, &["log_1_reads_see_a_change_with_its_event_or_neither"]),
    (Mutant::EmptyHistoriesBeginAtZero, &["log_1_a_history_without_events_has_its_ends"]),
    (Mutant::PagesBeginWithTheLastEventAgain, &["log_1_pages_show_every_event_once"]),
    (
        Mutant::EventsForgottenAtOpening,
        &["log_1_events_survive_a_close", "random_operations_are_answered_as_by_the_reference"],
    ),
    (Mutant::FileNamesEndAtNul, &["data_4_every_pair_comes_back_as_it_was"]),
    (Mutant::PairsInOrderOfTheirDigits, &["data_4_every_pair_comes_back_as_it_was"]),
    (Mutant::PairNumbersHave31Bits, &["data_4_pairs_come_back_under_the_largest_numbers"]),
    (Mutant::RemovesEarlierPairsToo, &["data_6_a_pair_that_was_removed_is_gone"]),
    (Mutant::DataStaysWithoutItsModel, &["edit_5_the_data_of_a_model_goes_with_it"]),
    (Mutant::DataBeginsWithTheLastOne, &["data_6_pairs_are_read_in_parts"]),
    (Mutant::DataIgnoresTheLimit, &["data_6_pairs_are_read_in_parts"]),
    (Mutant::DataIgnoresTheOrganisation, &["auth_3_another_organisation_sees_no_data"]),
    (Mutant::DataForgottenAtOpening, &["data_4_data_survives_a_close"]),
    (Mutant::DataLagsBehind, &["data_4_reads_see_a_pair_with_its_change_or_neither"]),
    (Mutant::RepeatsJudgedAfterTheChange, &["idem_1_a_repeat_is_judged_before_its_change"]),
    (Mutant::RepeatsRenewTheAnswer, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Mutant::BodiesAreAscii, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Mutant::AnswersForgottenAtOpening, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Mutant::AnswersLiveLonger, &["idem_1_after_24_hours_it_is_a_new_request"]),
    (Mutant::AnswersKeptWithTheNextWrite, &["idem_1_of_many_at_the_same_time_one_is_done"]),
    (Mutant::AnswersKeptByThread, &["idem_1_of_many_at_the_same_time_one_is_done"]),
    (
        Mutant::AnswersIgnoreTheOperation,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (
        Mutant::AnswersIgnoreTheTarget,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (
        Mutant::AnswersIgnoreTheOrganisation,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (Mutant::PurgesIgnoreTheirLimit, &["log_1_a_purge_forgets_no_more_than_its_limit"]),
    (Mutant::PurgesGoByTimeAlone, &["log_1_a_purge_forgets_only_the_beginning_of_a_history"]),
    (Mutant::PurgesSpareTheMoment, &["idem_1_a_purge_forgets_answers_until_a_moment"]),
    (Mutant::PositionsFollowWhatIsKept, &["log_1_positions_go_on_when_all_events_are_forgotten"]),
    (Mutant::ReadsAfterClose, &["a_closed_store_tells_of_no_life"]),
    (Mutant::AnswersAreNotShown, &["everything_is_brought_to_another_store_and_goes_on_there"]),
    (Mutant::ImportBeginsAnywhere, &["an_import_begins_in_an_empty_store_and_once"]),
    (Mutant::LastIdIsNotBrought, &["everything_is_brought_to_another_store_and_goes_on_there"]),
    (Mutant::ErasureKeepsCounters, &["an_organisation_is_erased_and_others_stay"]),
    (Mutant::ErasureTakesAllKeys, &["an_organisation_is_erased_and_others_stay"]),
    (Mutant::ErasureLeavesAnswers, &["an_organisation_is_erased_and_others_stay"]),
    (Mutant::ExportsInTwoParts, &["an_export_is_of_one_moment"]),
    (Mutant::ImportsAreSavedLater, &["what_is_imported_and_what_is_erased_survives_a_kill"]),
    (Mutant::ReadsAfterClose, &["a_closed_store_shows_and_takes_nothing"]),
    (Mutant::IdentityIsAlwaysTheSame, &["place_2_a_store_keeps_its_identity_and_no_other_has_it"]),
    (
        Mutant::IdentityIsDrawnAtOpening,
        &[
            "place_2_a_store_keeps_its_identity_and_no_other_has_it",
            "place_2_a_summary_survives_a_kill_when_its_change_is_heard",
        ],
    ),
    (
        Mutant::IdentityIsThatOfTheImport,
        &["place_2_a_store_keeps_its_identity_and_no_other_has_it"],
    ),
    (
        Mutant::IdentityIsReplacedByAnyone,
        &[
            "place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there",
            "place_2_of_many_that_replace_an_identity_one_does",
        ],
    ),
    (
        Mutant::LineageIsNotExpected,
        &["place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there"],
    ),
    (
        Mutant::LineageForgottenAtOpening,
        &[
            "place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there",
            "place_2_an_identity_survives_a_kill_when_it_is_replaced",
        ],
    ),
    (
        Mutant::LineageIsThatOfTheImport,
        &["place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there"],
    ),
    (Mutant::ImportsAreSavedLater, &["place_2_an_identity_survives_a_kill_when_it_is_replaced"]),
    (
        Mutant::LastIdIsThatOfTheNewestModel,
        &["place_2_a_summary_counts_what_ever_was_and_never_falls"],
    ),
    (Mutant::EventsFallWithAPurge, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (Mutant::EventsFallWithAnErasure, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (Mutant::DataIsSaidWhereItWas, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (
        Mutant::SavesWithTheNextWrite,
        &["place_2_a_summary_survives_a_kill_when_its_change_is_heard"],
    ),
    (Mutant::HistoriesAreSaidToBeWhole, &["log_1_an_export_says_where_a_history_begins"]),
    (Mutant::ReadsAfterClose, &["a_closed_store_has_no_summary"]),
    (Mutant::EverythingIsDamage, &["a_store_that_was_only_written_to_has_no_damage"]),
    (Mutant::ExportsGoOn, &["an_export_ends_with_the_error_of_whoever_takes_it"]),
];
