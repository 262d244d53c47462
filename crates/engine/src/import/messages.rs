//! What a plan says to people of an item: what is so, and what to do about it.

use std::collections::BTreeSet;

use dev2prod_model::binding::WithoutValue;
use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::{NOTICES_MAX, Notice};
use dev2prod_model::plan::{Action, Entry, Reason};

/// What is so, and what to do about it.
pub(super) fn message(entry: &Entry) -> String {
    let item = &entry.item;
    match entry.reason {
        Reason::Conflict
        | Reason::MergedInvalid
        | Reason::Merged
        | Reason::DeliveredByOther
        | Reason::ConflictOverwritten => both_changed(entry),
        Reason::OlderThanDelivered => format!(
            "this package is older than what its tenant last delivered of {item}: export again, \
             or take it back with AllowOlder true"
        ),
        Reason::FirstDelivery if entry.action == Action::Failed => format!(
            "{item} was never delivered before and the target has another version: choose with \
             FirstDelivery Take or Keep"
        ),
        Reason::FirstDelivery => {
            format!("{item} was never delivered before; the target's own version is replaced")
        }
        Reason::ManyRemovals => format!(
            "{item} would be removed with more than a tenth of its section: check the package, \
             then allow the number with RemovalsMax"
        ),
        Reason::StillReferenced => format!(
            "{item} is to be removed, but is still referred to by {}: change those first, or \
             leave removals out with Removals Skip",
            list(&entry.references)
        ),
        Reason::MissingReference => format!(
            "{item} refers to what is neither in the target nor in the package: {}; add it to \
             the package or to the target",
            list(&entry.references)
        ),
        Reason::MissingAttachment => format!(
            "neither the bundle nor the target holds the bytes that {item} names: upload the file \
             to the source and export again"
        ),
        Reason::RemovalShared => {
            format!("{item} is gone from the source but stays: another tenant delivers it too")
        }
        Reason::RemovalSystem => {
            format!("{item} is gone from the source but stays: it is shipped with the application")
        }
        Reason::RemovalNotDelivered => format!(
            "{item} is gone from the package but stays: the target's version was not delivered by it"
        ),
        Reason::BindingWithoutValue | Reason::SecretMissing => required(entry),
        Reason::Unchanged
        | Reason::Adopted
        | Reason::Binding
        | Reason::New
        | Reason::SourceChanged
        | Reason::SourceRemoved
        | Reason::FirstDeliveryKept
        | Reason::TargetKept
        | Reason::ConflictKept
        | Reason::LeftOut
        | Reason::Present
        | Reason::RemovalOff
        | Reason::RemovalUntrusted
        | Reason::AlreadyRemoved => format!("{item}: {}", entry.reason.code()),
    }
}

/// A warning of answers to what nobody asked; none where every answer is about an item of the plan.
pub(super) fn resolutions_unused(items: &BTreeSet<ItemRef>) -> Option<Notice> {
    let named: Vec<_> = items.iter().cloned().collect();
    if named.is_empty() {
        return None;
    }
    Some(Notice {
        key: None,
        code: "resolution_unused".to_owned(),
        message: format!(
            "Resolutions has answers for items of which this plan asks and changes nothing: {}; \
             look for a mistyped PackageName or Key",
            list(&named)
        ),
        references: named.into_iter().take(NOTICES_MAX).collect(),
    })
}

/// Of an item that lacks a value of the target's own which must be there.
fn required(entry: &Entry) -> String {
    let own = entry.own.as_deref().cloned().unwrap_or_default();
    match entry.reason {
        Reason::SecretMissing => secret_missing(&entry.item, &own.secrets_missing, true),
        _ => without_value(&entry.item, &own.without_value, true),
    }
}

/// Of fields that a binding keeps and the target has no value for.
pub(super) fn without_value(item: &ItemRef, fields: &[WithoutValue], required: bool) -> String {
    let fields = pointers(fields, required);
    if required {
        format!(
            "the target has no value of its own for {fields} of {item}, which a binding requires: \
             write it in the target, or take Required off the binding"
        )
    } else {
        format!(
            "the target has no value of its own for {fields} of {item}, which a binding keeps: \
             left out, and not taken from the package"
        )
    }
}

/// Of secrets that the target has no value for.
pub(super) fn secret_missing(item: &ItemRef, secrets: &[WithoutValue], required: bool) -> String {
    let secrets = pointers(secrets, required);
    if required {
        format!(
            "the target has no secret at {secrets} of {item}, which a binding requires, and secrets \
             do not travel: write the item with it in the target, or take Required off the binding"
        )
    } else {
        format!(
            "{item} comes without its secret at {secrets}, for secrets do not travel: write it in \
             the target after the import"
        )
    }
}

fn pointers(fields: &[WithoutValue], required: bool) -> String {
    let fields = fields.iter().filter(|field| field.required == required);
    list(&fields.map(|field| &field.pointer).collect::<Vec<_>>())
}

/// Of an item that source and target both have changed.
fn both_changed(entry: &Entry) -> String {
    let item = &entry.item;
    match entry.reason {
        Reason::Conflict if entry.package.is_none() => format!(
            "the source removed {item}, and the target's version is its own: kept when it was last \
             delivered, or changed since; choose with Conflicts Overwrite, which removes it, or Keep"
        ),
        Reason::Conflict => {
            let what = conflicting(entry).map_or(item.to_string(), |at| format!("{at} of {item}"));
            format!(
                "source and target both changed {what} since the last delivery, differently: \
                 choose with Resolutions, or for all with Conflicts Overwrite or Keep"
            )
        }
        Reason::MergedInvalid => format!(
            "{item} with the changes of both source and target would be no valid item: choose one \
             with Resolutions, or for all with Conflicts Overwrite or Keep"
        ),
        Reason::Merged => merged(entry),
        Reason::DeliveredByOther => format!(
            "another tenant delivered {item}, and the target differs from this package: \
             choose with Conflicts Overwrite or Keep"
        ),
        Reason::ConflictOverwritten if entry.package.is_none() => {
            format!("the target's own version of {item} is removed, as the request says")
        }
        Reason::ConflictOverwritten => match conflicting(entry) {
            None => format!("the target's own version of {item} gives way, as the request says"),
            Some(at) => format!(
                "the target's own {at} of {item} gives way, as the request says; what else it \
                 changed stays"
            ),
        },
        other => format!("{item}: {}", other.code()),
    }
}

pub(super) fn summary(reason: Reason, count: u64) -> String {
    let items = if count == 1 {
        "1 item".to_owned()
    } else {
        format!("{count} items")
    };
    match reason {
        Reason::TargetKept => format!(
            "{items} changed in the target and not in the source since the last delivery: the \
             target keeps its own"
        ),
        Reason::ConflictKept => {
            format!("{items} changed on both sides: the target keeps its own, as the request says")
        }
        Reason::FirstDeliveryKept => {
            format!("{items} never delivered before: the target keeps its own, as the request says")
        }
        Reason::RemovalOff => format!(
            "{items} gone from the source and left in the target: removals are off for this section; \
             Removals All includes it"
        ),
        Reason::RemovalUntrusted => format!(
            "{items} gone from the package and left in the target: nobody whom this tenant trusts \
             signed it, and it comes in the name of a tenant elsewhere; trust its server to remove them"
        ),
        other => format!("{items}: {}", other.code()),
    }
}

/// The same of an item whose import is undone.
pub(super) fn undo_message(entry: &Entry) -> String {
    let item = &entry.item;
    match entry.reason {
        Reason::Conflict if entry.package.is_none() => format!(
            "the import brought {item}, and it was changed since: choose with Conflicts Overwrite \
             (it goes) or Keep"
        ),
        Reason::Conflict => {
            let what = conflicting(entry).map_or(item.to_string(), |at| format!("{at} of {item}"));
            format!(
                "{what} was changed again since that import: choose with Resolutions, or for all \
                 with Conflicts Overwrite (as before the import) or Keep"
            )
        }
        Reason::Merged => {
            format!("{item} was changed since that import: what was changed since stays")
        }
        Reason::MergedInvalid => format!(
            "{item} as before the import, with what was changed since, would be no valid item: \
             choose one with Resolutions, or for all with Conflicts Overwrite or Keep"
        ),
        Reason::ConflictOverwritten => {
            format!("what was changed of {item} since that import gives way, as the request says")
        }
        Reason::StillReferenced => format!(
            "the import brought {item}, and {} refers to it now: change that first, or leave \
             removals out with Removals Skip",
            list(&entry.references)
        ),
        Reason::MissingReference => format!(
            "{item} as before the import refers to what is not in the target any more: {}",
            list(&entry.references)
        ),
        Reason::MissingAttachment => format!(
            "the bytes that {item} named before the import are not kept any more: upload the file \
             to the target first"
        ),
        _ => message(entry),
    }
}

/// The same of items whose import is undone.
pub(super) fn undo_summary(reason: Reason, count: u64) -> String {
    let items = if count == 1 {
        "1 item".to_owned()
    } else {
        format!("{count} items")
    };
    match reason {
        Reason::TargetKept => {
            format!("{items} changed since, and not by that import: they stay as they are")
        }
        Reason::ConflictKept => {
            format!("{items} changed since that import: they stay, as the request says")
        }
        Reason::RemovalOff => {
            format!("{items} brought by that import stay: the request leaves removals out")
        }
        other => summary(other, count),
    }
}

/// The fields that both sides changed, if a merge found any; the item as a whole is none.
fn conflicting(entry: &Entry) -> Option<String> {
    let merge = entry.merge.as_deref()?;
    let whole = merge.conflicts.iter().all(String::is_empty);
    (!whole).then(|| list(&merge.conflicts))
}

/// What came from which side.
fn merged(entry: &Entry) -> String {
    let merge = entry.merge.as_deref().cloned().unwrap_or_default();
    let side = |pointers: &[String]| match pointers {
        [] => "no field of its body".to_owned(),
        pointers => list(pointers),
    };
    format!(
        "source and target both changed {}: the source's {} and the target's {} are put together",
        entry.item,
        side(&merge.taken),
        side(&merge.kept)
    )
}

/// At most five of these, and how many more.
pub(super) fn list(items: &[impl ToString]) -> String {
    let mut text: Vec<_> = items.iter().take(5).map(ToString::to_string).collect();
    if items.len() > 5 {
        text.push(format!("and {} more", items.len() - 5));
    }
    text.join(", ")
}
