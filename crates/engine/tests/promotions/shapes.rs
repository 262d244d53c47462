//! Items of all 17 sections in their shapes: each thing that one refers to is missed by name where
//! it alone is not in the target.

use std::collections::BTreeSet;

use dev2prod_model::digest::sha256;
use dev2prod_model::section::Section;
use serde_json::{Value, json};

use crate::outcome::{line, plain};
use crate::world::World;

/// The key of every item in its shape: nothing that it refers to is called so.
const KEY: &str = "shape";

/// The bytes of all files.
const BYTES: &[u8] = b"a file";

/// A shape: its section, a body, and what that refers to, in item order.
type Shape = (&'static str, Value, &'static [&'static str]);

fn metadata() -> Vec<Shape> {
    let field = |kind: &str, reference: &str| {
        json!({
            "name": "TicketSource_c", "entity": "Request", "domain": "customization",
            "system": false, "localized_label_key": "Request.TicketSource_c.label",
            "logical_type": kind, "reference_name": reference, "searchable": false,
            "sortable": true, "required": false, "readOnly": false, "hidden": false,
            "unique": false, "tags": [], "presentation_id": "DropDownList",
        })
    };
    const LABEL: &str = "resourceBundles saw_metadata_messages/Request.TicketSource_c.label";
    let mut link = field("ENTITY_LINK", "Request");
    link["relation"] = json!("RequestCausesRequest");
    let enumeration = json!({
        "name": "TicketSource_c", "domain": "customization", "system": false,
        "values": [{"name": "Event_c", "localized_label_key": "TicketSource_c.Event_c.label",
            "ordinal_number": 1}],
    });
    vec![
        (
            "metadata",
            field("ENUM", "TicketSource_c"),
            &["metadata Request", "metadata enum/TicketSource_c", LABEL],
        ),
        (
            "metadata",
            field("ENTITY_LINK", "Person"),
            &["metadata Person", "metadata Request", LABEL],
        ),
        (
            "metadata",
            link,
            &[
                "metadata Request",
                "metadata relation/RequestCausesRequest",
                LABEL,
            ],
        ),
        (
            "metadata",
            enumeration,
            &["resourceBundles saw_metadata_messages/TicketSource_c.Event_c.label"],
        ),
        (
            "metadata",
            json!({"name": "Incident", "system": true, "localized_label_key": "Incident.label"}),
            &["resourceBundles saw_metadata_messages/Incident.label"],
        ),
        (
            "metadata",
            json!({"name": "PersonToLocation", "first_entity": "Person", "second_entity": "Location"}),
            &["metadata Location", "metadata Person"],
        ),
    ]
}

fn processes() -> Vec<Shape> {
    let workflow = json!({
        "EntityType": "Request", "DefaultProcessId": "normal",
        "RuleDefinitions": [
            {"id": "r1", "Type": "action", "TemplateId": "setField", "Parameters": [
                {"Name": "dsl", "Value": "${entity.TicketSource_c} = ${enum.TicketSource_c.Event_c}"}]},
            {"id": "r2", "Type": "action", "TemplateId": "sendNotification", "Parameters": [
                {"Name": "templateName", "Value": "RequestClosed"}]},
        ],
        "EventHandlers": {"AFTER_COMMIT": [{"Enabled": true, "RuleId": "r1"}]},
        "Processes": [{"id": "normal", "FirstPhaseId": "Log",
            "Phases": [{"id": "Log", "localized_label_key": "Request.Log.label"}, {"id": "Classify"}],
            "Transitions": [{"id": "LogToClassify", "FromPhaseId": "Log", "ToPhaseId": "Classify",
                "IsAutomatic": true, "Condition": "${entity.Impact} > 1"}]}],
    });
    let rule = json!({
        "rule_id": "r7", "owner": "Offering/New laptop", "entity_type": "Request", "Type": "action",
        "TemplateId": "setField", "condition": "${entity.Urgency} > 2",
        "Parameters": [{"Name": "dsl", "Value": "${entity.Source} = ${enum.TicketSource_c.Event_c}"}],
    });
    vec![
        (
            "workflow",
            workflow,
            &[
                "metadata Request",
                "metadata Request.Impact",
                "metadata Request.TicketSource_c",
                "metadata enum/TicketSource_c",
                "notificationTemplateDefinitions RequestClosed",
                "resourceBundles saw_metadata_messages/Request.Log.label",
            ],
        ),
        (
            "rulesInEntity",
            rule,
            &[
                "metadata Request",
                "metadata Request.Source",
                "metadata Request.Urgency",
                "metadata enum/TicketSource_c",
                "data Offering/New laptop",
            ],
        ),
    ]
}

fn faces() -> Vec<Shape> {
    let form = json!({
        "id": "51", "name": "new", "entityType": "Incident",
        "sections": [{"name": "Details", "resourceKey": "detailSection", "isOpen": true, "fields": [
            {"modelAttribute": "Category", "editorType": "EntityPicker", "readOnly": false},
            {"modelAttribute": "ContactPerson.Location.Name", "editorType": "Text"}]}],
    });
    let action = json!({
        "name": "openInMonitoring", "entityType": "Incident", "type": "URL",
        "localized_label_key": "Incident.openInMonitoring.label",
        "url": "https://monitoring.example.com/?node=${entity.AffectedNode_c}",
        "condition": "${entity.Source} == ${enum.IncidentSource.Monitoring}",
    });
    let component = json!({
        "name": "incidentGrid", "type": "GRID", "entityType": "Incident",
        "localized_label_key": "grid.incident", "columns": [{"field": "Title", "width": 300}],
        "tabs": [{"name": "tasks", "entityType": "Task", "columns": [{"field": "Owner.Name"}]}],
    });
    vec![
        (
            "formLayouts",
            form,
            &[
                "metadata Incident",
                "metadata Incident.Category",
                "metadata Incident.ContactPerson",
                "resourceBundles saw_metadata_messages/detailSection",
            ],
        ),
        (
            "customAction",
            action,
            &[
                "metadata Incident",
                "metadata Incident.AffectedNode_c",
                "metadata Incident.Source",
                "metadata enum/IncidentSource",
                "resourceBundles saw_metadata_messages/Incident.openInMonitoring.label",
            ],
        ),
        (
            "indexConfiguration",
            json!({"entityType": "Incident", "fields": [{"name": "Title", "weight": 3}]}),
            &["metadata Incident", "metadata Incident.Title"],
        ),
        (
            "uiComponentConfig",
            component,
            &[
                "metadata Incident",
                "metadata Incident.Title",
                "metadata Task",
                "metadata Task.Owner",
                "resourceBundles saw_metadata_messages/grid.incident",
            ],
        ),
        (
            "featureInstances",
            json!({"name": "smartTicket", "enabled": true}),
            &[],
        ),
    ]
}

fn words_and_settings() -> Vec<Shape> {
    let template = json!({
        "name": "ChangeClosed", "communication_channel": "MAIL", "locale": "en",
        "notification_content": {"mail_notification_content": {
            "subject": "Change ${Change.DisplayLabel}", "message": "<p>Done</p>",
            "from_label": "Service desk", "from_email": "desk@example.com"}},
    });
    let level = json!({"name": "incidentResponse", "entityType": "Incident",
        "targets": [{"priority": "Priority.High", "respondMinutes": 15}]});
    const LEVEL: &[&str] = &["metadata Incident", "metadata enum/Priority"];
    vec![
        (
            "notificationTemplateDefinitions",
            json!({"name": "ChangeClosed", "entityType": "Change", "event": "CLOSED"}),
            &["metadata Change"],
        ),
        (
            "notificationTemplateBodies",
            template,
            &[
                "metadata Change.DisplayLabel",
                "notificationTemplateDefinitions ChangeClosed",
            ],
        ),
        ("SLTTenantSetting", level.clone(), LEVEL),
        ("customAppSltSettings", level, LEVEL),
        (
            "resourceBundles",
            json!({"BundleName": "saw_metadata_messages", "Key": "Request.TicketSource_c.label",
                "Values": {"en": "Source", "de": "Quelle"}}),
            &["metadata Request.TicketSource_c"],
        ),
    ]
}

fn records() -> Vec<Shape> {
    let offering = json!({
        "entity_type": "Offering",
        "properties": {
            "DisplayLabel": "New laptop", "Service": "ActualService/Workplace",
            "TemplateValues": "{\"Category\":\"Category/Hardware\",\"More\":\"[\\\"Vehicle_c/B 12\\\"]\"}",
            "Approvers": ["PersonGroup/Buyers~1Asia"],
            "Picture": "attachments/offerings/laptop.png",
        },
        "attachments": ["offerings/terms.pdf"],
    });
    vec![
        (
            "data",
            offering,
            &[
                "data ActualService/Workplace",
                "data Category/Hardware",
                "data PersonGroup/Buyers~1Asia",
                "data Vehicle_c/B 12",
                "attachments offerings/laptop.png",
                "attachments offerings/terms.pdf",
            ],
        ),
        (
            "userOptionMetadata",
            json!({"name": "ram_c", "offering": "Offering/New laptop", "logical_type": "ENUM",
                "reference_name": "RamSize_c", "localized_label_key": "Offering.ram_c.label"}),
            &[
                "metadata enum/RamSize_c",
                "data Offering/New laptop",
                "resourceBundles saw_metadata_messages/Offering.ram_c.label",
            ],
        ),
        (
            "many2manyRelations",
            json!({"relation": "PersonToLocation", "first": "Person/ann", "second": "Location/Basel"}),
            &[
                "metadata relation/PersonToLocation",
                "data Location/Basel",
                "data Person/ann",
            ],
        ),
        ("attachments", file(), &[]),
    ]
}

fn file() -> Value {
    let sha256 = sha256(BYTES).to_string();
    json!({"Name": "x", "ContentType": "text/plain", "ContentLength": BYTES.len(), "Sha256": sha256})
}

/// Items of these names that refer to nothing.
fn stubs<'a>(references: impl Iterator<Item = &'a &'static str>) -> String {
    let lines = references.map(|reference| {
        let (section, key) = reference.split_once(' ').unwrap();
        let body = match section {
            "attachments" => file(),
            _ => json!({}),
        };
        line(section, key, body)
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_an_item_of_any_shape_refers_to_is_missed_by_its_name() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    for tenant in [&dev, &prod] {
        world.store_file(tenant, BYTES).await;
    }
    let shapes = [
        metadata(),
        processes(),
        faces(),
        words_and_settings(),
        records(),
    ]
    .concat();
    let sections: BTreeSet<Section> = shapes
        .iter()
        .map(|(section, ..)| section.parse().unwrap())
        .collect();
    assert_eq!(sections.len(), Section::ALL.len(), "every section has one");
    for (section, body, refers_to) in shapes {
        world.replace(&dev, &line(section, KEY, body)).await;
        let only = json!({"Mode": "Full", "Sections": [section], "Dependencies": "None"});
        let bundle = world.export_of(&dev, only).await;

        world.replace(&prod, &stubs(refers_to.iter())).await;
        let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
        let added = format!("Added new: {section} {KEY}\n");
        assert_eq!((tried.plan.as_str(), tried.errors().len()), (&*added, 0));
        for missing in refers_to {
            let others = refers_to.iter().filter(|other| *other != missing);
            world.replace(&prod, &stubs(others)).await;
            let refused = world.dry_run(&prod, &bundle, &plain()).await.done();
            let plan = format!("Failed missing_reference: {section} {KEY} <- {missing}\n");
            assert_eq!(refused.plan, plan);
            let [error] = refused.errors().try_into().unwrap();
            assert!(error.contains(missing), "{error}");
        }
    }
}
