//! What every store keeps to, told as stories over the ports.
//!
//! An adapter's tests run each story on a store that holds nothing: [`for_each_store_story`] and
//! [`for_each_blob_story`] name them all. Nothing here knows what the store is made of.
//!
//! [`for_each_store_story`]: crate::for_each_store_story
//! [`for_each_blob_story`]: crate::for_each_blob_story

#![expect(
    clippy::unwrap_used,
    reason = "stories are tests: what fails ends them"
)]

pub mod accounts;
pub mod audit;
pub mod baselines;
pub mod blobs;
pub mod cancels;
pub mod content;
pub mod files;
pub mod lookups;
pub mod moves;
pub mod operations;
pub mod own;
pub mod packages;
pub mod pruning;
pub mod queue;
pub mod random;
pub mod redaction;
pub mod reviews;
pub mod settings;
pub mod stages;
pub mod staging;
pub mod tenants;
pub mod trust;
mod world;

/// Hands every story over a `&dyn Store` to a macro, as `group { story story ... } ...`.
#[macro_export]
macro_rules! for_each_store_story {
    ($tests:ident) => {
        $tests! {
            tenants {
                an_id_is_taken_once
                a_new_tenant_has_its_package_and_administrator
                a_change_changes_only_what_it_names
                a_deleted_tenant_leaves_nothing_behind
                a_large_tenant_is_deleted_whole
                another_catalogue_is_found_until_the_digests_are_its_own
                revisions_are_dated_by_the_clock_of_the_store
                a_store_answers
            }
            accounts {
                the_first_user_comes_only_once
                a_caller_is_known_with_all_its_roles
                a_login_is_taken_once
                a_password_is_replaced
                the_last_system_administrator_stays
                a_deleted_user_leaves_no_role_and_no_token
                tokens_belong_to_their_owner
                a_token_is_found_by_its_digest
                a_token_of_a_deleted_tenant_opens_nothing
                the_signing_key_is_the_first_one
            }
            audit {
                a_tenant_sees_what_is_about_it
                an_audit_trail_is_read_in_pages
                failures_of_a_kind_are_one_entry
                an_audit_trail_outlives_its_tenant
                old_audit_entries_are_pruned
            }
            content {
                pages_neither_split_nor_lose_items
                a_prefix_finds_only_what_begins_with_it
                a_page_of_items_ends_by_bytes
                items_come_back_as_they_were_put
                a_thousand_items_are_found_at_once
                references_and_referrers_follow_the_revision
                counts_follow_the_revision
                tenants_are_apart
                bytes_that_an_item_names_are_in_use
            }
            lookups {
                pages_of_referrers_neither_split_nor_lose_any
                versions_are_found_by_their_digests
                what_a_revision_touched_is_listed
                what_was_delivered_is_kept_until_the_next_delivery
            }
            staging {
                readers_never_see_a_stage
                an_abort_restores_what_was
                clearing_keeps_the_right
                the_later_change_of_an_item_counts
                repeating_a_batch_is_harmless
                what_was_staged_is_read_back_in_order
                a_stage_knows_what_it_replaces
                a_flip_keeps_what_the_content_comes_to
                references_that_would_dangle_are_named
                a_large_stage_is_aborted_whole
                a_flip_ends_the_operation
                a_flip_checks_both_fences
            }
            stages {
                one_writer_at_a_time
                a_closed_tenant_has_no_writer
                a_resumed_operation_ends_its_earlier_hold
                a_stage_that_ended_writes_nothing
                a_lease_that_ended_is_cleared_and_given
                a_lease_is_kept_by_renewing
                abandoned_stages_are_reaped
                a_living_operation_keeps_what_it_staged
            }
            baselines {
                baselines_move_with_the_flip
                all_origins_of_a_key_come_in_one_page
                what_differs_from_its_delivery_is_listed
                a_baseline_outlives_its_item
                a_thousand_baselines_are_found_at_once
                an_abort_restores_baselines
                the_later_move_of_a_baseline_counts
                a_baseline_ends
            }
            pruning {
                pruning_keeps_what_readers_at_the_limit_see
                pruning_keeps_what_was_last_delivered
                pruning_stops_at_what_is_staged
                pruning_goes_on_where_it_stopped
            }
            operations {
                an_operation_is_kept_as_it_is
                the_oldest_is_claimed_first
                one_import_of_a_tenant_at_a_time
                a_pending_import_says_what_it_waits_for
                an_operation_is_taken_over_when_its_lease_ends
                a_renewed_claim_is_not_taken_over
                an_operation_handed_back_waits
                an_end_is_written_once
                a_plan_is_used_by_what_completed
                a_restart_ends_all_leases
                old_plans_are_let_go_unless_somebody_waits_for_them
                old_operations_are_forgotten_with_their_reviews
                a_promise_holds_until_it_ends
                operations_are_listed_newest_first
                operations_of_a_deleted_tenant_are_nobodys
            }
            queue {
                operations_of_one_moment_are_claimed_as_they_came
                an_import_waits_for_one_that_came_before_it_in_the_same_moment
            }
            cancels {
                what_waits_is_canceled_at_once
                what_nobody_holds_is_canceled_at_once
                what_is_held_ends_as_canceled_and_in_no_other_way
                what_is_over_is_not_canceled
                who_takes_it_over_knows_what_was_asked
            }
            moves {
                every_change_that_shows_is_told_in_order
                open_ones_are_told_by_themselves
                a_promise_is_found_while_it_holds
            }
            own {
                bindings_hold_from_their_flip_on
                secrets_hold_from_their_flip_on
                pruning_forgets_secrets_of_the_past
                what_was_a_deleted_tenants_own_is_gone
            }
            redaction {
                what_is_redacted_is_given_by_no_call
                what_was_delivered_is_redacted
                the_past_is_read_in_pages
                what_a_stage_ends_is_not_of_the_past
            }
            packages {
                numbers_are_never_given_again
                a_number_can_be_asked_for
                a_package_is_replaced_and_deleted
                the_largest_number_stops_nobody
            }
            trust {
                a_trusted_server_is_kept_by_name
                no_more_servers_are_trusted_than_may_be
                the_key_of_bundles_is_the_first_one
                an_origin_is_here_if_its_tenant_is
                a_deleted_tenant_s_trust_goes_with_it
            }
            files {
                a_file_is_kept_as_it_is
                files_are_found_by_their_bytes
                expired_files_are_forgotten
                bytes_in_use_do_not_expire
                a_file_is_forgotten_whoever_names_it
                the_bundle_of_what_is_not_over_does_not_expire
                plans_are_known_while_an_operation_names_them
                the_first_record_of_a_bundle_stays
            }
            reviews {
                the_first_review_stays
                reviews_are_read_together
                reviews_go_with_their_tenant
            }
            settings {
                a_new_tenant_asks_nothing
                settings_are_kept_as_they_are
                an_import_waits_for_its_tenants_time_and_holds_up_nobody
                new_settings_let_imports_begin
                a_postponed_import_is_as_if_it_had_not_begun
            }
            random {
                a_store_is_a_map_of_versions
            }
        }
    };
}

/// Hands every story over a `&dyn BlobStore` to a macro, as `group { story story ... } ...`.
#[macro_export]
macro_rules! for_each_blob_story {
    ($tests:ident) => {
        $tests! {
            blobs {
                a_blob_appears_whole
                a_blob_given_up_leaves_nothing
                a_finished_blob_replaces_the_one_before
                a_part_of_a_blob_is_read
                a_local_file_becomes_a_blob
                a_blob_is_read_as_a_local_file
                a_deleted_blob_is_gone
                a_blob_written_anew_is_not_deleted_for_an_old_one
                all_blobs_are_listed
                unfinished_blobs_are_swept
                a_store_of_blobs_answers
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    macro_rules! names {
        ($($group:ident { $($story:ident)* })*) => {
            vec![$($((stringify!($group), stringify!($story))),*),*]
        };
    }

    #[test]
    fn no_story_is_forgotten() {
        let mut listed: Vec<(&str, &str)> = crate::for_each_store_story!(names);
        listed.extend(crate::for_each_blob_story!(names));
        let listed: BTreeSet<_> = listed
            .into_iter()
            .map(|(group, story)| (group.to_owned(), story.to_owned()))
            .collect();
        let mut told = BTreeSet::new();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/conformance");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let group = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("pub async fn ") {
                    let story = rest.split('(').next().unwrap();
                    told.insert((group.clone(), story.to_owned()));
                }
            }
        }
        assert_eq!(listed, told);
    }
}
