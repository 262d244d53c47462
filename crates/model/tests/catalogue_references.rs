//! Each of the 17 sections in its shape, with all that it refers to; and what is no reference
//! although it looks like one.

#![cfg(test)]

use std::sync::LazyLock;

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::section::Section;
use serde_json::{Value, json};

/// Checks what a body refers to.
#[track_caller]
fn check(section: Section, body: &Value, expected: &[&str]) {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::standard);
    let catalogue = &*CATALOGUE;
    let found = catalogue.references(section, body);
    let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(texts, expected, "{section} {body}");
    assert!(found.is_sorted());
}

#[test]
fn a_field_refers_to_its_entity_type_and_what_its_kind_needs() {
    let field = |kind: &str, reference: &str| {
        json!({
            "name": "TicketSource_c", "entity": "Request", "domain": "customization",
            "system": false, "localized_label_key": "Request.TicketSource_c.label",
            "logical_type": kind, "reference_name": reference, "searchable": false,
            "sortable": true, "required": false, "readOnly": false, "hidden": false,
            "unique": false, "tags": [], "presentation_id": "DropDownList"
        })
    };
    let label = "resourceBundles saw_metadata_messages/Request.TicketSource_c.label";
    for kind in ["ENUM", "ENUM_SET"] {
        check(
            Section::Metadata,
            &field(kind, "TicketSource_c"),
            &["metadata Request", "metadata enum/TicketSource_c", label],
        );
    }
    check(
        Section::Metadata,
        &field("ENTITY_LINK", "Person"),
        &["metadata Person", "metadata Request", label],
    );
    for kind in ["SMALL_TEXT", "COMPLEX_TYPE", "DATE_TIME"] {
        check(
            Section::Metadata,
            &field(kind, "Anything"),
            &["metadata Request", label],
        );
    }
    let mut link = field("ENTITY_LINK", "Request");
    link["relation"] = json!("RequestCausesRequest");
    check(
        Section::Metadata,
        &link,
        &[
            "metadata Request",
            "metadata relation/RequestCausesRequest",
            label,
        ],
    );
}

#[test]
fn enumerations_entity_types_and_relations_refer_to_labels_and_types() {
    check(
        Section::Metadata,
        &json!({"name": "TicketSource_c", "domain": "customization", "system": false, "values": [
            {"name": "Event_c", "localized_label_key": "TicketSource_c.Event_c.label", "ordinal_number": 1},
            {"name": "Mail_c", "localized_label_key": "TicketSource_c.Mail_c.label", "ordinal_number": 2}
        ]}),
        &[
            "resourceBundles saw_metadata_messages/TicketSource_c.Event_c.label",
            "resourceBundles saw_metadata_messages/TicketSource_c.Mail_c.label",
        ],
    );
    check(
        Section::Metadata,
        &json!({"name": "Incident", "system": true, "localized_label_key": "Incident.label"}),
        &["resourceBundles saw_metadata_messages/Incident.label"],
    );
    check(
        Section::Metadata,
        &json!({"name": "PersonToLocation", "first_entity": "Person", "second_entity": "Location"}),
        &["metadata Location", "metadata Person"],
    );
}

#[test]
fn a_workflow_refers_to_fields_values_templates_and_labels() {
    check(
        Section::Workflow,
        &json!({
            "EntityType": "Request", "DefaultProcessId": "normal",
            "RuleDefinitions": [
                {"id": "r1", "Type": "action", "TemplateId": "setField", "Parameters": [
                    {"Name": "dsl", "Value": "${entity.TicketSource_c} = ${enum.TicketSource_c.Event_c}"}
                ]},
                {"id": "r2", "Type": "action", "TemplateId": "sendNotification", "Parameters": [
                    {"Name": "templateName", "Value": "RequestClosed"},
                    {"Name": "to", "Value": "${entity.RequestedByPerson.Email}"}
                ]}
            ],
            "EventHandlers": {"AFTER_COMMIT": [{"Enabled": true, "RuleId": "r1"}]},
            "Processes": [{"id": "normal", "FirstPhaseId": "Log",
                "Phases": [
                    {"id": "Log", "localized_label_key": "Request.Log.label"},
                    {"id": "Classify"}
                ],
                "Transitions": [{"id": "LogToClassify", "FromPhaseId": "Log", "ToPhaseId": "Classify",
                    "IsAutomatic": true, "Condition": "${entity.Category} != null && ${entity.Impact} > 1"}]
            }]
        }),
        &[
            "metadata Request",
            "metadata Request.Category",
            "metadata Request.Impact",
            "metadata Request.RequestedByPerson",
            "metadata Request.TicketSource_c",
            "metadata enum/TicketSource_c",
            "notificationTemplateDefinitions RequestClosed",
            "resourceBundles saw_metadata_messages/Request.Log.label",
        ],
    );
}

#[test]
fn a_form_refers_to_its_type_its_fields_and_the_labels_of_its_sections() {
    check(
        Section::FormLayouts,
        &json!({"id": "51", "name": "new", "entityType": "Incident", "sections": [
            {"name": "Details", "resourceKey": "detailSection", "isOpen": true, "fields": [
                {"modelAttribute": "Category", "editorType": "EntityPicker", "fieldSize": "MEDIUM", "readOnly": false},
                {"modelAttribute": "ContactPerson.Location.Name", "editorType": "Text"}
            ]}
        ]}),
        &[
            "metadata Incident",
            "metadata Incident.Category",
            "metadata Incident.ContactPerson",
            "resourceBundles saw_metadata_messages/detailSection",
        ],
    );
}

#[test]
fn actions_searches_and_components_refer_to_their_type_and_fields() {
    check(
        Section::CustomAction,
        &json!({"name": "openInMonitoring", "entityType": "Incident", "type": "URL",
            "localized_label_key": "Incident.openInMonitoring.label",
            "url": "https://monitoring.example.com/?node=${entity.AffectedNode_c}",
            "condition": "${entity.Source} == ${enum.IncidentSource.Monitoring}",
            "parameters": [{"name": "note", "value": "${entity.Title}"}]}),
        &[
            "metadata Incident",
            "metadata Incident.AffectedNode_c",
            "metadata Incident.Source",
            "metadata Incident.Title",
            "metadata enum/IncidentSource",
            "resourceBundles saw_metadata_messages/Incident.openInMonitoring.label",
        ],
    );
    check(
        Section::IndexConfiguration,
        &json!({"entityType": "Incident", "fields": [{"name": "Title", "weight": 3}, {"name": "OwnedByPerson.Name"}]}),
        &[
            "metadata Incident",
            "metadata Incident.OwnedByPerson",
            "metadata Incident.Title",
        ],
    );
    check(
        Section::UiComponentConfig,
        &json!({"name": "incidentGrid", "type": "GRID", "entityType": "Incident",
            "localized_label_key": "grid.incident",
            "columns": [{"field": "Title", "width": 300}, {"field": "Priority"}],
            "tabs": [{"name": "tasks", "entityType": "Task", "localized_label_key": "tab.tasks",
                "columns": [{"field": "Title"}, {"field": "Owner.Name"}]}]}),
        &[
            "metadata Incident",
            "metadata Incident.Priority",
            "metadata Incident.Title",
            "metadata Task",
            "metadata Task.Owner",
            "metadata Task.Title",
            "resourceBundles saw_metadata_messages/grid.incident",
            "resourceBundles saw_metadata_messages/tab.tasks",
        ],
    );
    check(
        Section::FeatureInstances,
        &json!({"name": "smartTicket", "enabled": true}),
        &[],
    );
}

#[test]
fn templates_refer_to_their_type_definition_and_fields() {
    check(
        Section::NotificationTemplateDefinitions,
        &json!({"name": "ChangeClosed", "entityType": "Change", "event": "CLOSED"}),
        &["metadata Change"],
    );
    let body = |text: &str| {
        json!({"name": "ChangeClosed", "communication_channel": "MAIL", "locale": "en",
            "notification_content": {"mail_notification_content": {
                "subject": text, "message": "<p>Done and/or closed</p>",
                "from_label": "Service desk", "from_email": "desk@example.com"}}})
    };
    check(
        Section::NotificationTemplateBodies,
        &body("Change ${Change.DisplayLabel} of ${Visit_c.Host_c}"),
        &[
            "metadata Change.DisplayLabel",
            "metadata Visit_c.Host_c",
            "notificationTemplateDefinitions ChangeClosed",
        ],
    );
    let mut with_type = body("${entity.DisplayLabel}: ${sender.name}");
    check(
        Section::NotificationTemplateBodies,
        &with_type,
        &["notificationTemplateDefinitions ChangeClosed"],
    );
    with_type["entity_type"] = json!("Change");
    check(
        Section::NotificationTemplateBodies,
        &with_type,
        &[
            "metadata Change.DisplayLabel",
            "notificationTemplateDefinitions ChangeClosed",
        ],
    );
}

#[test]
fn service_level_settings_refer_to_their_type_and_priorities() {
    let body = json!({"name": "incidentResponse", "entityType": "Incident", "targets": [
        {"priority": "Priority.High", "respondMinutes": 15}, {"priority": "Priority.Low", "respondMinutes": 480}
    ]});
    for section in [Section::SltTenantSetting, Section::CustomAppSltSettings] {
        check(
            section,
            &body,
            &["metadata Incident", "metadata enum/Priority"],
        );
    }
}

#[test]
fn a_record_refers_to_others_by_key_wherever_the_key_hides() {
    check(
        Section::Data,
        &json!({"entity_type": "Offering",
            "properties": {
                "DisplayLabel": "New laptop", "Service": "ActualService/Workplace",
                "TemplateValues": "{\"Category\":\"Category/Hardware\",\"More\":\"[\\\"Vehicle_c/B 12\\\"]\"}",
                "Approvers": ["Person/ann@example.com", "PersonGroup/Buyers~1Asia"],
                "Picture": "attachments/offerings/laptop.png",
                "Layout": {"Left": "Location/Basel"}
            },
            "related_properties": {"Owner": "Person/bob"},
            "attachments": ["offerings/terms.pdf"]}),
        &[
            "data ActualService/Workplace",
            "data Category/Hardware",
            "data Location/Basel",
            "data Person/ann@example.com",
            "data Person/bob",
            "data PersonGroup/Buyers~1Asia",
            "data Vehicle_c/B 12",
            "attachments offerings/laptop.png",
            "attachments offerings/terms.pdf",
        ],
    );
}

#[test]
fn free_text_of_a_record_is_no_reference() {
    for text in [
        "TCP/IP",
        "and/or",
        "N/A",
        "24/7",
        "see Person/ann for details",
        "Person/",
        "Person/ ann",
        "Location/Basel/Tower 1",
        "https://example.com/Person/ann",
        "/Person/ann",
        "person/ann",
        "Persons/ann",
        "I/O error",
        "c/o",
        "{\"broken\": \"Person/ann\"",
        "{Person/ann}",
        "Person",
        "attachments",
        "_c/x",
    ] {
        check(
            Section::Data,
            &json!({"entity_type": "Article", "properties": {"Value": text}}),
            &[],
        );
    }
    let prose = json!({"entity_type": "Article", "properties": {
        "Title": "Change/Release", "Description": "Request/Approval",
        "Values": "{\"Name\":\"Person/ann\"}"}});
    check(Section::Data, &prose, &[]);
}

#[test]
fn what_hangs_on_records_refers_to_them() {
    check(
        Section::UserOptionMetadata,
        &json!({"name": "ram_c", "offering": "Offering/New laptop", "logical_type": "ENUM",
            "reference_name": "RamSize_c", "localized_label_key": "Offering.ram_c.label"}),
        &[
            "metadata enum/RamSize_c",
            "data Offering/New laptop",
            "resourceBundles saw_metadata_messages/Offering.ram_c.label",
        ],
    );
    check(
        Section::UserOptionMetadata,
        &json!({"name": "for_c", "offering": "Offering/New laptop", "logical_type": "ENTITY_LINK",
            "reference_name": "Person"}),
        &["metadata Person", "data Offering/New laptop"],
    );
    let rule = |owner: &str| {
        json!({"rule_id": "r7", "owner": owner, "entity_type": "Request", "Type": "action",
            "TemplateId": "setField", "condition": "${entity.Urgency} > 2",
            "Parameters": [{"Name": "dsl", "Value": "${entity.TicketSource_c} = ${enum.TicketSource_c.Event_c}"}]})
    };
    let fields = [
        "metadata Request",
        "metadata Request.TicketSource_c",
        "metadata Request.Urgency",
    ];
    let values = "metadata enum/TicketSource_c";
    check(
        Section::RulesInEntity,
        &rule("Request"),
        &[&fields[..], &[values]].concat(),
    );
    check(
        Section::RulesInEntity,
        &rule("Offering/New laptop"),
        &[&fields[..], &[values, "data Offering/New laptop"]].concat(),
    );
    check(
        Section::Many2manyRelations,
        &json!({"relation": "PersonToLocation", "first": "Person/ann", "second": "Location/Basel"}),
        &[
            "metadata relation/PersonToLocation",
            "data Location/Basel",
            "data Person/ann",
        ],
    );
}

#[test]
fn a_label_refers_to_what_it_labels_where_its_key_says_so_for_certain() {
    let label = |key: &str| json!({"BundleName": "saw_metadata_messages", "Key": key, "Values": {"en": "Source", "de": "Quelle"}});
    check(
        Section::ResourceBundles,
        &label("Request.TicketSource_c.label"),
        &["metadata Request.TicketSource_c"],
    );
    check(
        Section::ResourceBundles,
        &label("Request.label"),
        &["metadata Request"],
    );
    check(
        Section::ResourceBundles,
        &json!({"Locale": "de", "Key": "Request.TicketSource_c.label", "Value": "Quelle"}),
        &["metadata Request.TicketSource_c"],
    );
    // An enumeration's value, or the field of an entity type that a customer made.
    check(
        Section::ResourceBundles,
        &label("TicketSource_c.Event_c.label"),
        &[],
    );
    check(
        Section::ResourceBundles,
        &label("Priority.Urgent_c.label"),
        &[],
    );
    check(Section::ResourceBundles, &label("detailSection"), &[]);
}

#[test]
fn shapes_that_are_not_known_refer_to_nothing() {
    let body = json!({
        "active": true, "description": "Plan and/or deposit.", "id": "1bd219a0", "name": "a.b_000001",
        "label": {"de-DE": "Größe"}, "uses": ["field/product.expense_000000"], "tags": ["phone"],
        "columns": ["Name"], "fields": [{"field": "Name", "name": "Type"}], "url": "https://example.com/",
        "parts": [{"field": "x", "name": "y", "type": "reference", "visible_if": {"field": "Person/ann"}}],
        "properties": {"a": "Person/ann"}, "values": [{"field": "IsActive__c", "value": "Account/x"}]
    });
    for section in Section::ALL {
        check(section, &body, &[]);
        check(section, &json!({}), &[]);
    }
}
