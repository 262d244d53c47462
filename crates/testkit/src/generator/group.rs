//! An entity type and all that belongs to one: fields, forms, a workflow, records, files, labels.

use dev2prod_model::digest::sha256;
use serde_json::{Value, json};

use super::Content;

/// Fields of a type before it gets one more.
const FIELDS: u64 = 7;
/// Records of a type.
const RECORDS: u64 = 6;
/// The most items that a type has before a release.
pub(super) const ITEMS_MAX: usize = 42;

const WORDS: [&str; 16] = [
    "access",
    "approval",
    "budget",
    "café",
    "device",
    "Größe",
    "handover",
    "incident",
    "laptop",
    "notice",
    "office",
    "priority",
    "queue",
    "review",
    "supplier",
    "配送先",
];

/// A number for a purpose: the same for the same (FNV-1a, then the end of SplitMix64).
fn draw(seed: u64, purpose: &str) -> u64 {
    let mut z = seed ^ 0xCBF2_9CE4_8422_2325;
    for byte in purpose.bytes() {
        z = (z ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn words(seed: u64, purpose: &str, count: usize) -> String {
    let drawn = draw(seed, purpose);
    let words: Vec<_> = (0..count)
        .map(|place| WORDS[usize::try_from(drawn >> (4 * place) & 15).unwrap_or(0)])
        .collect();
    words.join(" ")
}

/// A number that only exact readers keep.
fn fraction(seed: u64, purpose: &str) -> f64 {
    f64::from(u32::try_from(draw(seed, purpose) >> 32).unwrap_or(0)) / 3e3
}

fn type_name(seed: u64, number: u64) -> String {
    format!("Type{seed}x{number}_c")
}

/// Whether the content has the type of this number.
pub(super) fn is_in(content: &Content, seed: u64, number: u64) -> bool {
    content.items.contains_key(&(0, type_name(seed, number)))
}

/// Takes all away that belongs to a type. Nothing of another type refers to it.
pub(super) fn remove(content: &mut Content, seed: u64, number: u64) {
    let name = type_name(seed, number);
    content
        .items
        .retain(|(_, key), _| !key.split(['/', '.', '-']).any(|part| part == name));
}

/// Adds items that nothing refers to, until there are `count`.
pub(super) fn fill_up(content: &mut Content, seed: u64, count: usize) {
    let mut number = 0;
    while content.items.len() < count {
        let key = format!("toggle-{number}");
        let body = json!({"name": key, "note": words(seed, &key, 4)});
        content.put("featureInstances", key, body, Vec::new());
        number += 1;
    }
}

/// Writes a type. Of `revision` 1 a third of its items are worded anew; of 2 it has a field more.
pub(super) fn write(content: &mut Content, seed: u64, number: u64, revision: u64) {
    let group = Group {
        name: type_name(seed, number),
        seed,
        revision,
        fields: FIELDS + u64::from(revision == 2),
    };
    let mut items = Vec::new();
    group.configuration(&mut items);
    group.notifications_and_settings(&mut items);
    content.files.push(group.records(&mut items));
    for (place, (section, key, mut body)) in items.into_iter().enumerate() {
        let note = words(seed, &key, 5);
        let anew = revision == 1 && place % 3 == 0;
        body["note"] = json!(if anew {
            format!("{note}, reworded")
        } else {
            note
        });
        body["weight"] = json!(fraction(seed, &key));
        let label = key.strip_prefix("saw_metadata_messages/");
        let labelled = label.and_then(|label| label.strip_suffix(".label"));
        let references = labelled.map(|field| ("metadata", field.to_owned()));
        content.put(section, key, body, references.into_iter().collect());
    }
}

type Items = Vec<(&'static str, String, Value)>;

struct Group {
    name: String,
    seed: u64,
    revision: u64,
    fields: u64,
}

impl Group {
    fn field(&self, number: u64) -> String {
        format!("F{number}_c")
    }

    fn words(&self, purpose: &str, count: usize) -> String {
        words(self.seed, &format!("{} {purpose}", self.name), count)
    }

    fn configuration(&self, items: &mut Items) {
        let name = self.name.clone();
        let list = format!("enum/{name}");
        let values: Vec<_> = (0..3)
            .map(|n| json!({"name": format!("Value{n}_c")}))
            .collect();
        items.push((
            "metadata",
            name.clone(),
            json!({"name": name, "system": false}),
        ));
        items.push(("metadata", list, json!({"name": name, "values": values})));
        let relation =
            json!({"name": format!("{name}Link"), "first_entity": name, "second_entity": name});
        items.push(("metadata", format!("relation/{name}"), relation));
        for number in 0..self.fields {
            let field = self.field(number);
            let label = format!("{name}.{field}.label");
            let body = json!({
                "name": field, "entity": name, "logical_type": "ENUM", "reference_name": name,
                "localized_label_key": label, "id": format!("{number}-{name}"),
            });
            items.push(("metadata", format!("{name}.{field}"), body));
            let texts = json!({"en": self.words(&label, 2), "de": self.words(&field, 2)});
            let body =
                json!({"BundleName": "saw_metadata_messages", "Key": label, "Values": texts});
            items.push((
                "resourceBundles",
                format!("saw_metadata_messages/{label}"),
                body,
            ));
        }
        let placed: Vec<_> = (0..self.fields)
            .map(|number| json!({"modelAttribute": self.field(number), "fieldSize": "MEDIUM"}))
            .collect();
        let form = json!({
            "id": format!("form-{name}"), "name": "new", "entityType": name,
            "sections": [{"name": "Details", "fields": placed}],
        });
        items.push(("formLayouts", format!("{name}.new"), form));
        let rule = json!({"id": "r1", "Parameters": [
            {"Name": "dsl", "Value": "${entity.F0_c}"},
            {"Name": "templateName", "Value": format!("{name}/closed")},
        ]});
        let workflow = json!({
            "EntityType": name, "RuleDefinitions": [rule],
            "Processes": [{"id": "normal", "Phases": [{"id": "Log"}, {"id": "Close"}]}],
        });
        items.push(("workflow", name.clone(), workflow));
        let action = json!({"entityType": name, "condition": format!("${{enum.{name}.Value1_c}}")});
        items.push(("customAction", format!("{name}/open"), action));
        let index = json!({"entityType": name, "fields": [{"name": "F1_c"}, {"name": "F2_c"}]});
        items.push(("indexConfiguration", name.clone(), index));
        let grid = json!({"entityType": name, "columns": [{"field": "F0_c"}, {"field": "F3_c"}]});
        items.push(("uiComponentConfig", format!("grid-{name}"), grid));
    }

    fn notifications_and_settings(&self, items: &mut Items) {
        let name = self.name.clone();
        let template = format!("{name}/closed");
        let definition = json!({"name": template, "entityType": name});
        items.push((
            "notificationTemplateDefinitions",
            template.clone(),
            definition,
        ));
        for locale in ["de", "en"] {
            let message = format!("<p>${{{name}.F0_c}} {}</p>", self.words(locale, 3));
            let body = json!({
                "name": template, "communication_channel": "MAIL", "locale": locale,
                "notification_content": {"mail_notification_content": {"message": message}},
            });
            items.push((
                "notificationTemplateBodies",
                format!("{template}/MAIL/{locale}"),
                body,
            ));
        }
        let feature = json!({"name": name, "settings": {"limit": draw(self.seed, &name) % 100}});
        items.push(("featureInstances", format!("feature-{name}"), feature));
        let target =
            json!({"priority": format!("{name}.Value0_c"), "hours": fraction(self.seed, &name)});
        let setting = json!({"entityType": name, "targets": [target]});
        items.push(("SLTTenantSetting", format!("slt-{name}"), setting.clone()));
        items.push(("customAppSltSettings", format!("app-{name}"), setting));
        let rule = json!({
            "owner": name, "rule_id": "1", "entity_type": name, "condition": "${entity.F2_c}",
        });
        items.push(("rulesInEntity", format!("{name}/1"), rule));
        let option = json!({
            "offering": format!("{name}/Record 0"), "logical_type": "ENUM", "reference_name": name,
        });
        items.push(("userOptionMetadata", format!("{name}/option"), option));
    }

    /// Records in a ring, each with the one before; a file that the first shows; links. The bytes of
    /// the file are returned.
    fn records(&self, items: &mut Items) -> Vec<u8> {
        let name = self.name.clone();
        let record = |number: u64| format!("{name}/Record {number}");
        let file = format!("{name}/terms.txt");
        for number in 0..RECORDS {
            let mut body = json!({"entity_type": name, "properties": {
                "Id": (draw(self.seed, &record(number)) % 100_000).to_string(),
                "DisplayLabel": self.words(&record(number), 2),
                "Parent": record((number + RECORDS - 1) % RECORDS),
                "Template": json!({"Next": record((number + 1) % RECORDS)}).to_string(),
            }});
            if number == 0 {
                body["attachments"] = json!([file]);
            }
            items.push(("data", record(number), body));
        }
        for number in 1..RECORDS {
            let (first, second) = (record(0), record(number));
            let link = json!({"relation": name, "first": first, "second": second});
            items.push(("many2manyRelations", format!("{name}/{number}"), link));
        }
        let bytes = format!(
            "{name}, edition {}: {}",
            self.revision / 2,
            self.words("terms", 12)
        );
        let body = json!({
            "Name": "terms.txt", "ContentType": "text/plain", "ContentLength": bytes.len(),
            "Sha256": sha256(bytes.as_bytes()).to_string(),
        });
        items.push(("attachments", file, body));
        bytes.into_bytes()
    }
}
