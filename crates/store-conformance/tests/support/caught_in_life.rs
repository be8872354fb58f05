//! The flaws in the life of models after creation, and the cases that must notice.

use super::flaw::Flaw;

/// Every flaw with the cases that must fail because of it. Others may fail too.
pub(crate) const CAUGHT_IN_LIFE: &[(Flaw, &[&str])] = &[
    (
        Flaw::EditsIgnoreWhatIsExpected,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "edit_4_a_delete_that_expects_another_revision_changes_nothing",
            "edit_4_one_of_many_edits_that_expect_a_revision_is_made",
            "edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another",
        ],
    ),
    (
        Flaw::RefusalsLeaveEvents,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "auth_3_an_update_of_anothers_model_is_not_found",
            "log_1_an_event_is_there_exactly_when_its_change_is",
            "log_1_positions_are_dense_whoever_writes",
        ],
    ),
    (
        Flaw::RefusalsKeepAnswers,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "edit_4_a_refused_edit_leaves_no_trace",
            "idem_1_a_refused_change_keeps_no_answer",
        ],
    ),
    (
        Flaw::RefusedEditsChangeData,
        &[
            "edit_4_an_edit_that_expects_another_revision_changes_nothing",
            "data_4_a_refused_change_leaves_the_data_as_it_is",
        ],
    ),
    (
        Flaw::EditsAreDecidedOnAnOldRead,
        &[
            "edit_4_many_edits_of_one_model_at_once_are_all_made",
            "edit_4_one_of_many_edits_that_expect_a_revision_is_made",
            "train_4_one_of_many_workers_has_each_training",
            "train_4_a_worker_whose_lease_ran_out_changes_nothing",
        ],
    ),
    (Flaw::RemovedPairsAreNotTold, &["data_6_one_of_many_who_remove_a_pair_hears_of_it"]),
    (Flaw::BeatsCountAsRevisions, &["edit_4_words_of_a_worker_change_no_revision"]),
    (Flaw::RevisionsHave32Bits, &["edit_4_an_edit_that_expects_another_revision_changes_nothing"]),
    (
        Flaw::UpdatesKeepOldDescriptions,
        &["edit_3_an_update_replaces_what_it_says_and_nothing_else"],
    ),
    (Flaw::UpdatesIgnoreTheOrganisation, &["auth_3_an_update_of_anothers_model_is_not_found"]),
    (Flaw::EveryTenthUpdateIsLost, &["edit_4_updates_of_many_models_in_a_burst_all_count"]),
    (
        Flaw::UpdatesOfNothingCreate,
        &[
            "auth_3_an_update_of_anothers_model_is_not_found",
            "edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another",
        ],
    ),
    (
        Flaw::ForgetsTheLastWriteWhenClosed,
        &[
            "edit_4_acknowledged_updates_survive_a_close",
            "log_1_events_survive_a_close",
            "data_4_data_survives_a_close",
        ],
    ),
    (
        Flaw::SavesWithTheNextWrite,
        &[
            "edit_4_an_update_survives_a_kill_when_it_is_heard",
            "train_3_every_step_of_a_training_survives_a_kill_when_it_is_heard",
            "log_1_an_event_survives_a_kill_when_its_change_is_heard",
            "data_4_a_pair_survives_a_kill_when_its_change_is_heard",
            "idem_1_an_answer_survives_a_kill_when_its_change_is_heard",
            "log_1_a_purge_survives_a_kill_when_it_is_heard",
        ],
    ),
    (Flaw::FiguresHaveFewDigits, &["train_1_every_course_comes_back"]),
    (Flaw::KeepsTheFiveMetrics, &["train_3_metrics_beside_the_five_come_back_to_the_bit"]),
    (Flaw::ZerosHaveNoSign, &["train_3_metrics_beside_the_five_come_back_to_the_bit"]),
    (Flaw::StatusIsThatOfTheCreate, &["read_1_lists_by_status_follow_the_course"]),
    (
        Flaw::ClaimableIgnoresTheOrganisation,
        &["train_3_those_that_have_waited_longest_are_shown_first"],
    ),
    (Flaw::ClaimableInOrderOfIds, &["train_3_those_that_have_waited_longest_are_shown_first"]),
    (Flaw::ClaimableIgnoresItsLimit, &["train_3_those_that_have_waited_longest_are_shown_first"]),
    (
        Flaw::ClaimableBoundIsExclusive,
        &[
            "train_3_those_that_have_waited_longest_are_shown_first",
            "train_3_what_waits_follows_every_change_at_once",
            "train_5_a_sweep_fails_what_was_claimed_three_times",
            "train_5_the_next_claim_fails_what_was_claimed_three_times",
        ],
    ),
    (Flaw::BeatsDoNotMoveTheClaim, &["train_3_what_waits_follows_every_change_at_once"]),
    (
        Flaw::EveryTenthPositionIsSkipped,
        &["log_1_positions_are_dense_whoever_writes", "log_1_pages_show_every_event_once"],
    ),
    (Flaw::EveryTenthEventIsBeforeTheNinth, &["log_1_the_order_is_that_of_the_answers"]),
    (Flaw::PositionsOverAllOrganisations, &["log_1_organisations_have_histories_of_their_own"]),
    (Flaw::ActorsEndAt64Characters, &["log_1_every_kind_of_event_comes_back"]),
    (Flaw::EventsLagBehind, &["log_1_reads_see_a_change_with_its_event_or_neither"]),
    (Flaw::EmptyHistoriesBeginAtZero, &["log_1_a_history_without_events_has_its_ends"]),
    (Flaw::PagesBeginWithTheLastEventAgain, &["log_1_pages_show_every_event_once"]),
    (
        Flaw::EventsForgottenAtOpening,
        &["log_1_events_survive_a_close", "random_operations_are_answered_as_by_the_reference"],
    ),
    (Flaw::FileNamesEndAtNul, &["data_4_every_pair_comes_back_as_it_was"]),
    (Flaw::PairsInOrderOfTheirDigits, &["data_4_every_pair_comes_back_as_it_was"]),
    (Flaw::PairNumbersHave31Bits, &["data_4_pairs_come_back_under_the_largest_numbers"]),
    (Flaw::RemovesEarlierPairsToo, &["data_6_a_pair_that_was_removed_is_gone"]),
    (Flaw::DataStaysWithoutItsModel, &["edit_5_the_data_of_a_model_goes_with_it"]),
    (Flaw::DataBeginsWithTheLastOne, &["data_6_pairs_are_read_in_parts"]),
    (Flaw::DataIgnoresTheLimit, &["data_6_pairs_are_read_in_parts"]),
    (Flaw::DataIgnoresTheOrganisation, &["auth_3_another_organisation_sees_no_data"]),
    (Flaw::DataForgottenAtOpening, &["data_4_data_survives_a_close"]),
    (Flaw::DataLagsBehind, &["data_4_reads_see_a_pair_with_its_change_or_neither"]),
    (Flaw::RepeatsJudgedAfterTheChange, &["idem_1_a_repeat_is_judged_before_its_change"]),
    (Flaw::RepeatsRenewTheAnswer, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Flaw::BodiesAreAscii, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Flaw::AnswersForgottenAtOpening, &["idem_1_a_repeat_hears_the_first_answer_byte_for_byte"]),
    (Flaw::AnswersLiveLonger, &["idem_1_after_24_hours_it_is_a_new_request"]),
    (Flaw::AnswersKeptWithTheNextWrite, &["idem_1_of_many_at_the_same_time_one_is_done"]),
    (Flaw::AnswersKeptByThread, &["idem_1_of_many_at_the_same_time_one_is_done"]),
    (
        Flaw::AnswersIgnoreTheOperation,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (
        Flaw::AnswersIgnoreTheTarget,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (
        Flaw::AnswersIgnoreTheOrganisation,
        &["idem_1_what_differs_in_a_part_of_its_key_is_another_request"],
    ),
    (Flaw::PurgesIgnoreTheirLimit, &["log_1_a_purge_forgets_no_more_than_its_limit"]),
    (Flaw::PurgesGoByTimeAlone, &["log_1_a_purge_forgets_only_the_beginning_of_a_history"]),
    (Flaw::PurgesSpareTheMoment, &["idem_1_a_purge_forgets_answers_until_a_moment"]),
    (Flaw::PositionsFollowWhatIsKept, &["log_1_positions_go_on_when_all_events_are_forgotten"]),
    (Flaw::ReadsAfterClose, &["a_closed_store_tells_of_no_life"]),
    (Flaw::AnswersAreNotShown, &["everything_is_brought_to_another_store_and_goes_on_there"]),
    (Flaw::ImportBeginsAnywhere, &["an_import_begins_in_an_empty_store_and_once"]),
    (Flaw::LastIdIsNotBrought, &["everything_is_brought_to_another_store_and_goes_on_there"]),
    (Flaw::ErasureKeepsCounters, &["an_organisation_is_erased_and_others_stay"]),
    (Flaw::ErasureTakesAllKeys, &["an_organisation_is_erased_and_others_stay"]),
    (Flaw::ErasureLeavesAnswers, &["an_organisation_is_erased_and_others_stay"]),
    (Flaw::ExportsInTwoParts, &["an_export_is_of_one_moment"]),
    (Flaw::ImportsAreSavedLater, &["what_is_imported_and_what_is_erased_survives_a_kill"]),
    (Flaw::ReadsAfterClose, &["a_closed_store_shows_and_takes_nothing"]),
    (Flaw::IdentityIsAlwaysTheSame, &["place_2_a_store_keeps_its_identity_and_no_other_has_it"]),
    (
        Flaw::IdentityIsDrawnAtOpening,
        &[
            "place_2_a_store_keeps_its_identity_and_no_other_has_it",
            "place_2_a_summary_survives_a_kill_when_its_change_is_heard",
        ],
    ),
    (Flaw::IdentityIsThatOfTheImport, &["place_2_a_store_keeps_its_identity_and_no_other_has_it"]),
    (
        Flaw::IdentityIsReplacedByAnyone,
        &[
            "place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there",
            "place_2_of_many_that_replace_an_identity_one_does",
        ],
    ),
    (
        Flaw::LineageIsNotExpected,
        &["place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there"],
    ),
    (
        Flaw::LineageForgottenAtOpening,
        &[
            "place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there",
            "place_2_an_identity_survives_a_kill_when_it_is_replaced",
        ],
    ),
    (
        Flaw::LineageIsThatOfTheImport,
        &["place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there"],
    ),
    (Flaw::ImportsAreSavedLater, &["place_2_an_identity_survives_a_kill_when_it_is_replaced"]),
    (
        Flaw::LastIdIsThatOfTheNewestModel,
        &["place_2_a_summary_counts_what_ever_was_and_never_falls"],
    ),
    (Flaw::EventsFallWithAPurge, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (Flaw::EventsFallWithAnErasure, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (Flaw::DataIsSaidWhereItWas, &["place_2_a_summary_counts_what_ever_was_and_never_falls"]),
    (Flaw::SavesWithTheNextWrite, &["place_2_a_summary_survives_a_kill_when_its_change_is_heard"]),
    (Flaw::HistoriesAreSaidToBeWhole, &["log_1_an_export_says_where_a_history_begins"]),
    (Flaw::ReadsAfterClose, &["a_closed_store_has_no_summary"]),
    (Flaw::EverythingIsDamage, &["a_store_that_was_only_written_to_has_no_damage"]),
    (Flaw::ExportsGoOn, &["an_export_ends_with_the_error_of_whoever_takes_it"]),
];
