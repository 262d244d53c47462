//! From the catalogue as it is written to rules that are asked, or to what is wrong with it.

use std::collections::BTreeMap;

use regex_lite::Regex;

use super::local::{LocalField, LocalFields, Only};
use super::pointer::Pointer;
use super::rule::{Condition, Rule};
use super::source::{
    BesideSource, ConditionSource, OneOrMore, RuleSource, SecretSource, SectionSource, Source,
};
use super::template::{Place, Template};
use super::{Catalogue, CatalogueError, SectionRules};
use crate::digest::sha256;
use crate::item::Digest;
use crate::json;
use crate::section::Section;

/// The alternatives that patterns name.
type Names = BTreeMap<String, Vec<String>>;

pub(super) fn compile(source: &Source) -> Result<Catalogue, CatalogueError> {
    let fingerprint = fingerprint(source)?;
    let import_order = import_order(&source.import_order)?;
    let mut sections = Vec::with_capacity(Section::ALL.len());
    for (index, expected) in Section::ALL.into_iter().enumerate() {
        let path = format!("section[{index}]");
        match source.section.get(index) {
            Some(section) if section.name == expected.name() => {
                sections.push(rules(section, &path, &source.names)?);
            }
            other => {
                let found = other.map_or("nothing", |section| &section.name);
                let message = format!("expected {expected}, found {found}");
                return Err(CatalogueError::invalid(format!("{path}.name"), message));
            }
        }
    }
    if source.section.len() > sections.len() {
        return Err(CatalogueError::invalid(
            "section[17]",
            "there are 17 sections",
        ));
    }
    Ok(Catalogue {
        fingerprint,
        import_order,
        sections,
    })
}

fn fingerprint(source: &Source) -> Result<Digest, CatalogueError> {
    let value = serde_json::to_value(source)
        .map_err(|error| CatalogueError::invalid("", error.to_string()))?;
    Ok(sha256(json::canonical(&value).as_bytes()))
}

fn import_order(names: &[String]) -> Result<Vec<Section>, CatalogueError> {
    let mut order = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = format!("import_order[{index}]");
        let section = section_named(name, &path)?;
        if order.contains(&section) {
            return Err(CatalogueError::invalid(
                path,
                format!("{section} occurs twice"),
            ));
        }
        order.push(section);
    }
    match Section::ALL
        .into_iter()
        .find(|section| !order.contains(section))
    {
        Some(missing) => Err(CatalogueError::invalid(
            "import_order",
            format!("{missing} is missing"),
        )),
        None => Ok(order),
    }
}

fn section_named(name: &str, path: &str) -> Result<Section, CatalogueError> {
    name.parse()
        .map_err(|error: crate::section::UnknownSection| {
            CatalogueError::invalid(path, error.to_string())
        })
}

fn rules(
    source: &SectionSource,
    path: &str,
    names: &Names,
) -> Result<SectionRules, CatalogueError> {
    let mut identity = Vec::new();
    for (array, member) in &source.identity {
        identity.push((pointer(array, &format!("{path}.identity"))?, member.clone()));
    }
    let mut never = LocalFields::default();
    for (index, field) in source.never_travels.iter().enumerate() {
        let path = format!("{path}.never_travels[{index}]");
        never.push(local_field(field, None, &path, &identity)?);
    }
    let mut secret = LocalFields::default();
    for (index, field) in source.secret.iter().enumerate() {
        let path = format!("{path}.secret[{index}]");
        let (at, only) = match field {
            SecretSource::Always(at) => (at, None),
            SecretSource::Beside(field) => {
                let BesideSource { member, is } = &field.beside;
                let (member, is) = (member.clone(), is.clone());
                (&field.at, Some(Only { member, is }))
            }
        };
        secret.push(local_field(at, only, &path, &identity)?);
    }
    let local = never.clone().and(&secret);
    let bytes = source
        .bytes
        .as_deref()
        .map(Pointer::parse_plain)
        .transpose();
    let bytes =
        bytes.map_err(|message| CatalogueError::invalid(format!("{path}.bytes"), message))?;
    let mut references = Vec::new();
    for (index, reference) in source.reference.iter().enumerate() {
        references.push(rule(
            reference,
            &format!("{path}.reference[{index}]"),
            names,
        )?);
    }
    Ok(SectionRules {
        local,
        never,
        secret,
        identity,
        bytes,
        references,
    })
}

/// A field that stays with its tenant, wherever it is or only beside something.
fn local_field(
    at: &str,
    only: Option<Only>,
    path: &str,
    identity: &[(Pointer, String)],
) -> Result<LocalField, CatalogueError> {
    let field = LocalField::new(&pointer(at, path)?, identity);
    let field = field.and_then(|field| match only {
        None => Ok(field),
        Some(only) => field.only(only),
    });
    field.map_err(|message| CatalogueError::invalid(path, message))
}

fn rule(source: &RuleSource, path: &str, names: &Names) -> Result<Rule, CatalogueError> {
    let pattern = source
        .pattern
        .as_deref()
        .map(|pattern| regex(pattern, &format!("{path}.pattern"), names))
        .transpose()?;
    let groups = pattern
        .as_ref()
        .map_or(0, |pattern| pattern.captures_len() - 1);
    let (mut of_body, mut of_near) = (Vec::new(), Vec::new());
    for (index, condition) in source.conditions.iter().enumerate() {
        let condition = self::condition(condition, &format!("{path}.where[{index}]"), names)?;
        match condition.at {
            Place::Body(_) => of_body.push(condition),
            Place::Near(..) => of_near.push(condition),
        }
    }
    if source.inner.is_some() && !source.json {
        return Err(CatalogueError::invalid(
            format!("{path}.inner"),
            "it needs json = true",
        ));
    }
    let everywhere = OneOrMore::One("/**".to_owned());
    let inner = source.inner.as_ref().unwrap_or(&everywhere);
    Ok(Rule {
        at: pointers(&source.at, &format!("{path}.at"))?,
        to: section_named(&source.to, &format!("{path}.to"))?,
        key: template(source, path, groups)?,
        pattern,
        contains: source.contains.clone(),
        of_body,
        of_near,
        inner: if source.json {
            pointers(inner, &format!("{path}.inner"))?
        } else {
            Vec::new()
        },
        except: source.except.clone(),
    })
}

fn template(source: &RuleSource, path: &str, groups: usize) -> Result<Template, CatalogueError> {
    let (name, template) = match (&source.key, &source.key_parts) {
        (Some(key), None) => ("key", Template::whole(key, groups)),
        (None, Some(parts)) => ("key_parts", Template::composite(parts, groups)),
        (Some(_), Some(_)) => (
            "key",
            Err("there is key_parts too; one of them is enough".into()),
        ),
        (None, None) => ("key", Err("it is missing, and so is key_parts".into())),
    };
    template.map_err(|message| CatalogueError::invalid(format!("{path}.{name}"), message))
}

fn condition(
    source: &ConditionSource,
    path: &str,
    names: &Names,
) -> Result<Condition, CatalogueError> {
    if source.is.is_none() && source.matches.is_none() && source.exists.is_none() {
        return Err(CatalogueError::invalid(
            path,
            "it needs one of is, matches and exists",
        ));
    }
    let at = Place::parse(&source.at)
        .map_err(|message| CatalogueError::invalid(format!("{path}.at"), message))?;
    let matches = source
        .matches
        .as_deref()
        .map(|pattern| regex(pattern, &format!("{path}.matches"), names))
        .transpose()?;
    Ok(Condition {
        at,
        is: source.is.clone(),
        matches,
        exists: source.exists,
    })
}

fn pointers(source: &OneOrMore, path: &str) -> Result<Vec<Pointer>, CatalogueError> {
    source
        .each(path)
        .into_iter()
        .map(|(path, text)| pointer(text, &path))
        .collect()
}

fn pointer(text: &str, path: &str) -> Result<Pointer, CatalogueError> {
    Pointer::parse(text).map_err(|message| CatalogueError::invalid(path, message))
}

fn regex(pattern: &str, path: &str, names: &Names) -> Result<Regex, CatalogueError> {
    let mut expanded = pattern.to_owned();
    for (name, alternatives) in names {
        let alternatives = format!("(?:{})", alternatives.join("|"));
        expanded = expanded.replace(&format!("<{name}>"), &alternatives);
    }
    if let Some((_, rest)) = expanded.split_once('<') {
        let name = rest.split_once('>').map_or(rest, |(name, _)| name);
        let message = format!("[names] has no '{name}'");
        return Err(CatalogueError::invalid(path, message));
    }
    Regex::new(&expanded).map_err(|error| CatalogueError::invalid(path, error.to_string()))
}
