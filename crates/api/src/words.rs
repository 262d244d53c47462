//! Schemas of the model's words, for the OpenAPI document only: nothing is ever of these types.

use std::borrow::Cow;

use dev2prod_model::access::Role as RoleWord;
use dev2prod_model::operation::{Phase as PhaseWord, Status as StatusWord};
use dev2prod_model::plan::Reason as ReasonWord;
use dev2prod_model::section::Section;
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn one_of(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    text().enum_values(Some(words.into_iter().collect::<Vec<_>>()))
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:expr;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = concat!($($doc),+).trim().to_owned();
                Schema::from($schema.description(Some(description)).build()).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            // The words that other words are made of.
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(("PackageName".to_owned(), PackageName::schema()));
                schemas.push(("Key".to_owned(), Key::schema()));
            }
        }
    )*};
}

words! {
    /// One of the 17 kinds of content.
    PackageName = one_of(Section::ALL.map(Section::name));
    /// Where an operation stands.
    Status = one_of(StatusWord::ALL.map(StatusWord::name));
    /// A step of an operation's work, in order.
    Phase = one_of(PHASES.map(phase_name));
    /// What an import does with an item.
    Action = one_of(["Added", "Modified", "Removed", "Skipped", "Failed"]);
    /// Why an item is treated as it is.
    Reason = one_of(ReasonWord::ALL.iter().map(|reason| reason.code()));
    /// A role in a tenant; each includes the one before.
    Role = one_of(RoleWord::ALL.map(RoleWord::name));
    /// A role that can be given: one of those that include each other, or `Approver`, which no other
    /// includes; alone it is given with `Viewer`.
    GrantedRole = one_of(["Viewer", "Promoter", "TenantAdmin", "Approver"]);
    /// Weekly times at which imports may begin, at most 50, by a clock that is `UtcOffset` ahead of
    /// UTC. A time is of one day, from `00:00` to `24:00`: what goes over midnight is two. Outside
    /// an import waits, or is refused.
    ImportWindow = ObjectBuilder::new()
        .property("Times", ArrayBuilder::new().min_items(Some(1)).max_items(Some(50)).items(
            ObjectBuilder::new()
                .property("Day", one_of(DAYS)).required("Day")
                .property("From", time_of_day()).required("From")
                .property("To", time_of_day()).required("To")
        )).required("Times")
        .property("UtcOffset", text().pattern(Some("^[+-][0-9]{2}:[0-9]{2}$")))
        .property("Outside", one_of(["Wait", "Refuse"]));
    /// What a tenant is used for; either kind may be source or target.
    TenantKind = one_of(["Development", "Production"]);
    /// How a package chooses: whole sections, or single items.
    Mode = one_of(["Full", "Granular"]);
    /// What happens to items that selected ones refer to: carried, carried but taken only where
    /// the target lacks them, or not carried.
    Dependencies = one_of(["Always", "IfMissing", "None"]);
    /// What happens where source and target both changed, differently.
    ConflictPolicy = one_of(["Fail", "Overwrite", "Keep"]);
    /// What happens where the target has another version of an item never delivered to it.
    FirstDelivery = one_of(["Take", "Fail", "Keep"]);
    /// Which items that are gone from the source are removed from the target: those of
    /// configuration sections, of all sections, or none.
    RemovalPolicy = one_of(["Apply", "All", "Skip"]);
    /// SHA-256 as 64 hexadecimal digits in lower case.
    Digest = text().pattern(Some("^[0-9a-f]{64}$"));
    /// The key of an item: 1 to 1,000 bytes of UTF-8 in normalization form C.
    Key = text().min_length(Some(1)).max_length(Some(1000));
    /// The id of an operation: 24 hexadecimal digits, the first eight its start in seconds.
    OperationId = text().pattern(Some("^[0-9a-f]{24}$"));
    /// The id of a file.
    FileId = text().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    /// The id of a tenant: 1 to 20 digits.
    TenantId = text().pattern(Some("^[0-9]{1,20}$"));
    /// A login: 1 to 100 characters.
    Login = text().min_length(Some(1)).max_length(Some(100));
    /// A moment in milliseconds since 1970, UTC.
    EpochMs = ObjectBuilder::new().schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    /// Names an item.
    ItemRef = item_ref();
    /// Whose version of an item, or of a field of it by `Path` with all below it, is taken. `Target`
    /// without `Path` leaves the item as it is, whatever was planned.
    Resolution = item_ref()
        .property("Path", text().max_length(Some(1000)))
        .property("Take", one_of(["Package", "Target"])).required("Take");
    /// The fields that a merge was about, the first 100 of each kind: those that only the package
    /// changed, those that only the target changed, and those that both changed, differently.
    FieldMerge = ObjectBuilder::new()
        .property("Taken", ArrayBuilder::new().items(text()))
        .property("Kept", ArrayBuilder::new().items(text()))
        .property("Conflicts", ArrayBuilder::new().items(text()));
    /// What of an item is the target's own: the fields that its bindings kept or set otherwise than
    /// they were wanted, the first 100; those to be kept, and the secrets, for which it has no value.
    OwnFields = ObjectBuilder::new()
        .property("Bound", ArrayBuilder::new().items(text()))
        .property("WithoutValue", ArrayBuilder::new().items(without_value()))
        .property("SecretsMissing", ArrayBuilder::new().items(without_value()));
    /// Names items of a section: one by `Key`, or many by `KeyGlob`, a pattern over whole keys in
    /// which `*` and `?` match any character.
    Selector = ObjectBuilder::new()
        .property("PackageName", reference("PackageName")).required("PackageName")
        .property("Key", reference("Key"))
        .property("KeyGlob", text().min_length(Some(1)).max_length(Some(1000)));
    /// The sections of a full package: a word, or a list of names.
    Sections = OneOfBuilder::new()
        .item(one_of(["Configuration", "All"]))
        .item(ArrayBuilder::new().items(reference("PackageName")));
    /// The body of an item: any JSON object, to 16 MiB and 64 levels.
    Body = ObjectBuilder::new().schema_type(Type::Object);
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn time_of_day() -> ObjectBuilder {
    text().pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"))
}

/// A field, and whether it must have a value: without one nothing is imported.
fn without_value() -> ObjectBuilder {
    ObjectBuilder::new()
        .property("Pointer", text())
        .required("Pointer")
        .property("Required", ObjectBuilder::new().schema_type(Type::Boolean))
}

fn item_ref() -> ObjectBuilder {
    ObjectBuilder::new()
        .property("PackageName", reference("PackageName"))
        .required("PackageName")
        .property("Key", reference("Key"))
        .required("Key")
}

const PHASES: [PhaseWord; 6] = [
    PhaseWord::Selecting,
    PhaseWord::Writing,
    PhaseWord::Verifying,
    PhaseWord::Planning,
    PhaseWord::Staging,
    PhaseWord::Checking,
];

const fn phase_name(phase: PhaseWord) -> &'static str {
    match phase {
        PhaseWord::Selecting => "Selecting",
        PhaseWord::Writing => "Writing",
        PhaseWord::Verifying => "Verifying",
        PhaseWord::Planning => "Planning",
        PhaseWord::Staging => "Staging",
        PhaseWord::Checking => "Checking",
    }
}
