//! The lists of cases, and how each becomes a test.

/// A test of every case for a log. `$open` is a function without arguments; it answers, later, an `Arc<dyn EventLog>`
/// over a fresh store and whatever has to live as long, or `None` to skip the case for want of a server.
#[macro_export]
macro_rules! conformance_suite {
    ($open:path) => {
        $crate::conformance_suite! { $open;
            appends::events_are_appended_to_new_and_known_streams,
            appends::a_stale_append_is_refused_and_leaves_nothing,
            appends::a_version_from_the_future_is_refused,
            appends::an_append_to_several_streams_is_all_or_nothing,
            appends::a_stream_can_be_written_without_being_read,
            appends::a_decision_without_events_commits_at_the_head,
            appends::a_decision_without_events_on_a_stale_read_is_refused,
            appends::a_too_large_event_refuses_the_whole_batch,
            appends::the_largest_event_is_appended,
            appends::of_many_writers_with_one_expectation_one_wins,
            appends::a_caller_that_goes_away_leaves_no_half_transaction,
            batches::an_empty_batch_has_no_verdicts,
            batches::a_conflict_does_not_fail_its_neighbours,
            batches::a_later_transaction_builds_on_an_earlier_one,
            batches::what_is_built_on_a_conflict_is_a_conflict,
            batches::a_conflict_passes_on_through_what_is_built_on_it,
            batches::a_refusal_that_read_a_lost_write_is_a_conflict,
            batches::what_is_built_on_a_repeated_command_is_a_conflict,
            batches::positions_are_dense_across_batches_and_conflicts,
            batches::a_large_batch_is_appended_in_order,
            idempotency::a_repeated_command_gets_its_stored_answer,
            idempotency::a_repeated_command_is_answered_whatever_it_read,
            idempotency::another_request_under_the_same_id_is_told_so,
            idempotency::a_refusal_is_not_remembered,
            idempotency::a_conflict_is_not_remembered,
            idempotency::a_command_twice_in_one_batch_has_one_effect,
            idempotency::another_request_under_the_same_id_in_one_batch_is_told_so,
            idempotency::an_answer_without_events_is_remembered,
            intents::an_intent_opens_and_closes_with_its_append,
            intents::a_conflict_opens_and_closes_no_intent,
            intents::closing_what_is_not_open_is_harmless,
            intents::an_intent_opened_and_closed_in_one_batch_is_not_open,
            intents::an_intent_opened_again_keeps_its_first_payload,
            intents::open_intents_come_oldest_first,
            loads::commands_and_streams_are_loaded_in_one_go,
            loads::what_is_unknown_loads_empty,
            loads::a_load_sees_one_moment,
            loads::a_snapshot_saves_reading_what_it_folds,
            loads::a_snapshot_of_another_schema_is_not_used,
            loads::an_older_snapshot_never_replaces_a_newer_one,
            loads::a_snapshot_ahead_of_its_stream_is_not_used,
            reads::an_empty_log_has_no_events,
            reads::an_event_comes_back_as_it_was_appended,
            reads::events_of_one_transaction_share_their_metadata,
            reads::the_log_is_contiguous_from_any_position_and_limit,
            reads::reading_on_gives_every_event_once_in_order,
            reads::texts_come_back_whatever_is_in_them,
            reads::a_stream_is_read_from_any_version_and_limit,
            reads::the_head_wakes_its_watchers,
            reads::a_batch_without_events_does_not_move_the_head,
            reads::a_slow_reader_misses_no_event_while_writers_commit,
        }
    };
    ($open:path; $($group:ident::$case:ident),+ $(,)?) => { $(
        #[tokio::test]
        async fn $case() {
            let Some((log, _kept)) = $open().await else {
                return;
            };
            $crate::conformance::$group::$case(&*log).await;
        }
    )+ };
}

/// A test of every case for a log that outlives its process. `$place` is a function without arguments; it answers a
/// fresh [`Place`](crate::conformance::durability::Place), or `None` to skip the case.
#[macro_export]
macro_rules! durable_conformance_suite {
    ($place:path) => {
        $crate::durable_conformance_suite! { $place;
            a_log_keeps_its_identity,
            two_logs_have_different_identities,
            everything_committed_is_there_after_a_crash,
            a_repeated_command_is_answered_after_a_crash,
            positions_go_on_after_a_crash,
        }
    };
    ($place:path; $($case:ident),+ $(,)?) => { $(
        #[tokio::test]
        async fn $case() {
            let Some(place) = $place() else { return };
            $crate::conformance::durability::$case(&place).await;
        }
    )+ };
}

/// A test of every case for a store of keys. `$open` is a function without arguments; it answers, later, an
/// `Arc<dyn KeyStore>` over a fresh store and whatever has to live as long, or `None` to skip the case.
#[macro_export]
macro_rules! key_store_conformance_suite {
    ($open:path) => {
        $crate::key_store_conformance_suite! { $open;
            nobody_has_a_key_at_first,
            the_first_key_of_a_person_stays,
            candidates_at_the_same_time_agree_on_one_key,
            an_erased_person_has_no_key_and_gets_none,
            a_person_without_a_key_can_be_erased,
            the_first_erasure_counts,
            an_erasure_leaves_others_alone,
            everyone_erased_has_a_tombstone,
            what_is_sealed_opens_again,
            what_is_sealed_for_an_erased_person_opens_nowhere,
            any_key_is_the_key_of_somebody_who_has_one,
            the_first_check_of_the_master_key_stays,
            another_master_key_is_refused_and_changes_nothing,
            a_store_with_keys_and_no_check_refuses_another_master_key,
            how_far_erasures_were_applied_is_noted,
            what_erasures_were_applied_is_noted_only_from_where_it_stands,
        }
    };
    ($open:path; $($case:ident),+ $(,)?) => { $(
        #[tokio::test]
        async fn $case() {
            let Some((keys, _kept)) = $open().await else {
                return;
            };
            $crate::conformance::keys::$case(keys).await;
        }
    )+ };
}
