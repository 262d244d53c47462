//! What the target's bindings make of a decision.
//!
//! An item with bound fields is decided by what is left of its versions without them: what the
//! target keeps or sets for itself looks neither like a change of the source nor like one of its
//! own. What is written has them again.

use super::decide::Row;
use super::entry::{Action, Decision, OwnFields, Reason, Settlement};
use crate::item::Digest;

/// A version of an item to which the target's bindings are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundVersion {
    /// Its digest.
    pub digest: Digest,
    /// What is the target's own in it.
    pub own: OwnFields,
}

/// A decision, with what the target holds afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundDecision {
    /// The decision.
    pub decision: Decision,
    /// The digest of what the target holds afterwards.
    pub result: Option<Digest>,
    /// What is the target's own in the item.
    pub own: OwnFields,
}

/// Makes a decision that was made without the bound fields one about the whole item.
///
/// `row` has the digests of the whole versions. `taken` is the package's version with the bindings
/// applied, `kept` the target's, if it has one. After what this decides is done, the same package
/// under the same bindings changes nothing more.
pub fn bind_decision(
    decision: Decision,
    row: &Row,
    taken: &BoundVersion,
    kept: Option<&BoundVersion>,
) -> BoundDecision {
    let target = row.target.map(|side| side.digest);
    let source = row.package.map(|side| side.digest);
    let stays = |own: OwnFields, decision: Decision| BoundDecision {
        decision,
        result: target,
        own,
    };
    let settles = |result: Option<Digest>| {
        decision.settles.map(|settlement| Settlement {
            source,
            result,
            ..settlement
        })
    };
    match (decision.action, decision.reason) {
        (Action::Added | Action::Modified, _) => BoundDecision {
            decision: Decision {
                settles: settles(Some(taken.digest)),
                ..decision
            },
            result: Some(taken.digest),
            own: taken.own.clone(),
        },
        (Action::Failed, _) => stays(taken.own.clone(), decision),
        (Action::Removed, _) | (_, Reason::LeftOut) => stays(OwnFields::default(), decision),
        (Action::Skipped, reason) => {
            let equal = matches!(reason, Reason::Unchanged | Reason::Adopted);
            let Some(version) = (if equal { Some(taken) } else { kept }) else {
                let settles = settles(None);
                return stays(
                    OwnFields::default(),
                    Decision {
                        settles,
                        ..decision
                    },
                );
            };
            let settles = settles(equal.then_some(version.digest));
            let changes = Some(version.digest) != target;
            BoundDecision {
                decision: Decision {
                    action: if changes {
                        Action::Modified
                    } else {
                        Action::Skipped
                    },
                    reason: if changes { Reason::Binding } else { reason },
                    settles,
                },
                result: Some(version.digest),
                own: version.own.clone(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decide::{Baseline, PackageSide, TargetSide, Terms, decide};
    use super::super::options::ImportOptions;
    use super::*;
    use crate::digest::sha256;
    use crate::item::Revision;

    fn digest(text: &str) -> Digest {
        sha256(text.as_bytes())
    }

    fn version(text: &str) -> BoundVersion {
        BoundVersion {
            digest: digest(text),
            own: OwnFields::default(),
        }
    }

    /// A row of versions that are written as `unbound/bound`, and the same without the bound part.
    fn rows(package: &str, target: Option<&str>, base: Option<[&str; 2]>) -> [Row; 2] {
        let part = |text: &str| text.split('/').next().unwrap_or_default().to_owned();
        let whole = |text: &str| text.to_owned();
        [&whole as &dyn Fn(&str) -> String, &part].map(|of| Row {
            package: Some(PackageSide {
                digest: digest(&of(package)),
                revision: Revision(2),
                if_missing: false,
            }),
            target: target.map(|target| TargetSide {
                digest: digest(&of(target)),
                system: false,
            }),
            baseline: base.map(|[source, result]| Baseline {
                source: Some(digest(&of(source))),
                source_revision: Revision(1),
                result: Some(digest(&of(result))),
            }),
            delivered_by_other: false,
            held_by_other: false,
        })
    }

    fn decided(
        rows: &[Row; 2],
        taken: &str,
        kept: Option<&str>,
    ) -> (Action, Reason, Option<Digest>) {
        let options = ImportOptions::default();
        let terms = Terms {
            options: &options,
            source_revision: Revision(2),
            covers: true,
            named_for_removal: false,
            configuration: true,
            removes: true,
        };
        let decision = decide(&rows[1], &terms).unwrap();
        let kept = kept.map(version);
        let bound = bind_decision(decision, &rows[0], &version(taken), kept.as_ref());
        if let Some(settles) = bound.decision.settles {
            assert_eq!(settles.source, rows[0].package.map(|side| side.digest));
        }
        (bound.decision.action, bound.decision.reason, bound.result)
    }

    #[test]
    fn what_differs_in_bound_fields_alone_stays() {
        let rows = rows("a/dev", Some("a/prod"), Some(["a/dev", "a/prod"]));
        assert_eq!(
            decided(&rows, "a/prod", Some("a/prod")),
            (Action::Skipped, Reason::Adopted, Some(digest("a/prod")))
        );
    }

    #[test]
    fn a_value_that_is_set_is_written_though_the_package_changes_nothing() {
        let rows = rows("a/dev", Some("a/old"), Some(["a/dev", "a/old"]));
        assert_eq!(
            decided(&rows, "a/set", Some("a/set")),
            (Action::Modified, Reason::Binding, Some(digest("a/set")))
        );
        // Also in the target's own version, where that one is kept.
        let rows = super::tests::rows("a/dev", Some("b/old"), Some(["a/dev", "a/old"]));
        assert_eq!(
            decided(&rows, "a/set", Some("b/set")),
            (Action::Modified, Reason::Binding, Some(digest("b/set")))
        );
    }

    #[test]
    fn a_change_of_the_source_comes_with_the_targets_own_fields() {
        let rows = rows("b/dev", Some("a/prod"), Some(["a/dev", "a/prod"]));
        assert_eq!(
            decided(&rows, "b/prod", Some("a/prod")),
            (
                Action::Modified,
                Reason::SourceChanged,
                Some(digest("b/prod"))
            )
        );
    }

    #[test]
    fn a_change_of_bound_fields_is_none_of_the_targets() {
        // The value that is kept was changed in production since: no conflict.
        let rows = rows("b/dev", Some("a/prod2"), Some(["a/dev", "a/prod"]));
        assert_eq!(
            decided(&rows, "b/prod2", Some("a/prod2")),
            (
                Action::Modified,
                Reason::SourceChanged,
                Some(digest("b/prod2"))
            )
        );
    }

    #[test]
    fn an_item_that_the_target_removed_stays_removed() {
        let rows = rows("a/dev", None, Some(["a/dev", "a/prod"]));
        let (action, _, result) = decided(&rows, "a/dev", None);
        assert_eq!((action, result), (Action::Skipped, None));
    }

    /// A version: what is left without the bound field, and the bound field.
    type Parts = (u8, u8);

    fn whole((rest, bound): Parts) -> Digest {
        digest(&format!("{rest}/{bound}"))
    }

    fn rest((rest, _): Parts) -> Digest {
        digest(&rest.to_string())
    }

    /// The tenant with one item: its version, and what was last delivered.
    #[derive(Clone, Debug)]
    struct Tenant {
        target: Option<Parts>,
        delivered: Option<(Parts, Option<Parts>, i64)>,
        /// The value that is set; `None`: its own is kept.
        set: Option<u8>,
    }

    impl Tenant {
        /// Takes the package's version of this revision; what was decided.
        fn import(&mut self, package: Parts, revision: i64, options: &ImportOptions) -> Decision {
            let row = |of: fn(Parts) -> Digest| Row {
                package: Some(PackageSide {
                    digest: of(package),
                    revision: Revision(revision),
                    if_missing: false,
                }),
                target: self.target.map(|target| TargetSide {
                    digest: of(target),
                    system: false,
                }),
                baseline: self.delivered.map(|(source, result, at)| Baseline {
                    source: Some(of(source)),
                    source_revision: Revision(at),
                    result: result.map(of),
                }),
                delivered_by_other: false,
                held_by_other: false,
            };
            let terms = Terms {
                options,
                source_revision: Revision(revision),
                covers: true,
                named_for_removal: false,
                configuration: true,
                removes: true,
            };
            let own = |wanted: u8| {
                let kept = self.target.map_or(wanted, |(_, bound)| bound);
                self.set.unwrap_or(kept)
            };
            let taken = (package.0, own(package.1));
            let kept = self.target.map(|target| (target.0, own(target.1)));
            let of = |parts: Parts| BoundVersion {
                digest: whole(parts),
                own: OwnFields::default(),
            };
            let decision = decide(&row(rest), &terms).unwrap();
            let bound = bind_decision(decision, &row(whole), &of(taken), kept.map(of).as_ref());
            let versions = [Some(taken), kept, self.target];
            let find = |digest: Option<Digest>| {
                let mut all = versions.into_iter().flatten();
                digest.map(|digest| all.find(|parts| whole(*parts) == digest).unwrap())
            };
            self.target = find(bound.result);
            if let Some(settles) = bound.decision.settles {
                let result = find(settles.result);
                self.delivered = Some((package, result, settles.source_revision.0));
            }
            bound.decision
        }
    }

    proptest! {
        /// The same package again changes nothing, and what is the target's own is never a reason
        /// to ask or to refuse.
        #[test]
        fn nothing_is_left_to_do_and_own_fields_are_no_change(
            first in (0..2_u8, 0..3_u8),
            own in prop::option::of((0..2_u8, 0..3_u8)),
            set in prop::option::of(3..5_u8),
            steps in prop::collection::vec(((0..2_u8, 0..3_u8), prop::option::of(0..3_u8)), 1..6),
        ) {
            let options = ImportOptions::default();
            let mut tenant = Tenant { target: own, delivered: None, set };
            tenant.import(first, 1, &options);
            for (revision, (package, changed)) in (2..).zip(steps) {
                // The target changes nothing but its own field.
                if let (Some(target), Some(changed)) = (&mut tenant.target, changed) {
                    target.1 = changed;
                }
                let decision = tenant.import(package, revision, &options);
                prop_assert_ne!(decision.action, Action::Failed, "{:?} {:?}", decision, tenant);
                prop_assert_eq!(tenant.target.map(|target| target.0), Some(package.0));
                if let Some(set) = set {
                    prop_assert_eq!(tenant.target.map(|target| target.1), Some(set));
                } else if let (Some(_), Some(changed)) = (own, changed) {
                    prop_assert_eq!(tenant.target.map(|target| target.1), Some(changed));
                }
                let before = tenant.target;
                let again = tenant.import(package, revision, &options);
                prop_assert!(!again.action.changes(), "{:?} {:?}", again, tenant);
                prop_assert_eq!(again.settles, None);
                prop_assert_eq!(tenant.target, before);
            }
        }
    }
}
