//! Draws an OpenAPI document as a page.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation with where it is.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    body: &'a Value,
}

/// The document as HTML, with this style in it.
pub(super) fn render(document: &Value, style: &str) -> String {
    let mut page = String::new();
    let title = text(&document["info"]["title"]);
    let version = text(&document["info"]["version"]);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{0} {1}</title><style>{style}</style></head><body>\
         <h1>{0} <span class=\"dim\">{1}</span></h1>{2}\
         <p>The same for programs: <a href=\"/openapi.json\">openapi.json</a></p>",
        escaped(title),
        escaped(version),
        prose(text(&document["info"]["description"])),
    );
    let operations = operations(document);
    contents(&mut page, document, &operations);
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        let _ = write!(
            page,
            "<h2>{}</h2>{}",
            escaped(name),
            prose(text(&tag["description"]))
        );
        for operation in operations.iter().filter(|operation| operation.is_of(name)) {
            operation.draw(&mut page);
        }
    }
    page.push_str("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _ = write!(
            page,
            "<h3 id=\"schema-{0}\"><code>{0}</code></h3>",
            escaped(name)
        );
        draw_schema(&mut page, schema);
    }
    page.push_str("</body></html>\n");
    page
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = members(&document["paths"]);
    paths
        .flat_map(|(path, item)| {
            METHODS.into_iter().filter_map(move |method| {
                Some(Operation {
                    method,
                    path,
                    body: item.get(method)?,
                })
            })
        })
        .collect()
}

fn contents(page: &mut String, document: &Value, operations: &[Operation<'_>]) {
    page.push_str("<nav>");
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        let _ = write!(page, "<h4>{}</h4><ul>", escaped(name));
        for operation in operations.iter().filter(|operation| operation.is_of(name)) {
            let _ = write!(
                page,
                "<li><a href=\"#{}\"><span class=\"method\">{}</span> {}</a></li>",
                escaped(text(&operation.body["operationId"])),
                operation.method.to_ascii_uppercase(),
                escaped(operation.path),
            );
        }
        page.push_str("</ul>");
    }
    page.push_str("</nav>");
}

impl Operation<'_> {
    fn is_of(&self, tag: &str) -> bool {
        list(&self.body["tags"]).any(|name| text(name) == tag)
    }

    fn draw(&self, page: &mut String) {
        let body = self.body;
        let _ = write!(
            page,
            "<h3 id=\"{}\"><span class=\"method\">{}</span> <code>{}</code></h3><p>{}</p>{}",
            escaped(text(&body["operationId"])),
            self.method.to_ascii_uppercase(),
            escaped(self.path),
            inline(text(&body["summary"])),
            prose(text(&body["description"])),
        );
        let parameters = list(&body["parameters"]).map(|parameter| {
            let required = if parameter["required"] == true {
                ""
            } else {
                ", optional"
            };
            let head = format!(
                "<code>{}</code> <span class=\"dim\">{}{required}, {}</span>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                kind(&parameter["schema"]),
            );
            (head, text(&parameter["description"]))
        });
        draw_table(page, "Parameters", parameters);
        let bodies = members(&body["requestBody"]["content"]).map(|(media_type, content)| {
            let head = format!(
                "<code>{}</code> {}",
                escaped(media_type),
                kind(&content["schema"])
            );
            (head, text(&body["requestBody"]["description"]))
        });
        draw_table(page, "Body", bodies);
        let replies = members(&body["responses"]).map(|(status, reply)| {
            let kinds: Vec<_> = members(&reply["content"])
                .map(|(media_type, content)| {
                    format!(
                        "<code>{}</code> {}",
                        escaped(media_type),
                        kind(&content["schema"])
                    )
                })
                .collect();
            (
                format!("<code>{status}</code> {}", kinds.join(", ")),
                text(&reply["description"]),
            )
        });
        draw_table(page, "Replies", replies);
    }
}

fn draw_table<'a>(page: &mut String, head: &str, rows: impl Iterator<Item = (String, &'a str)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    if !head.is_empty() {
        let _ = write!(page, "<h4>{head}</h4>");
    }
    page.push_str("<table>");
    for (name, about) in rows {
        let _ = write!(page, "<tr><td>{name}</td><td>{}</td></tr>", inline(about));
    }
    page.push_str("</table>");
}

fn draw_schema(page: &mut String, schema: &Value) {
    page.push_str(&prose(text(&schema["description"])));
    let words: Vec<_> = words(schema).collect();
    if !words.is_empty() {
        let _ = write!(page, "<p>{}</p>", words.join(" "));
    } else if schema.get("properties").is_none() {
        let _ = write!(page, "<p class=\"dim\">{}</p>", kind(schema));
    }
    let required: Vec<_> = list(&schema["required"]).map(text).collect();
    let rows = members(&schema["properties"]).map(|(name, member)| {
        let optional = if required.contains(&name) {
            ""
        } else {
            ", optional"
        };
        let head = format!(
            "<code>{}</code> <span class=\"dim\">{}{optional}</span>",
            escaped(name),
            kind(member)
        );
        (head, about(member))
    });
    draw_table(page, "", rows);
}

fn about(schema: &Value) -> &str {
    let own = text(&schema["description"]);
    if !own.is_empty() {
        return own;
    }
    list(&schema["oneOf"])
        .map(|one| text(&one["description"]))
        .find(|t| !t.is_empty())
        .unwrap_or("")
}

/// What a value of a schema is, in a few words, as HTML.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|link| link.rsplit('/').next())
    {
        let name = escaped(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for group in ["oneOf", "allOf", "anyOf"] {
        let kinds: Vec<_> = list(&schema[group]).map(kind).collect();
        if !kinds.is_empty() {
            return kinds.join(" or ");
        }
    }
    let words: Vec<_> = words(schema).collect();
    if !words.is_empty() {
        return words.join(" ");
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let name = if types == [""] {
        "any".to_owned()
    } else {
        types.join(" or ")
    };
    match schema.get("items") {
        Some(items) if types.contains(&"array") => format!("{name} of {}", kind(items)),
        _ => escaped(&name),
    }
}

fn words(schema: &Value) -> impl Iterator<Item = String> {
    list(&schema["enum"]).map(|word| format!("<code>{}</code>", escaped(text(word))))
}

/// Paragraphs and lists of the little Markdown that descriptions are written in.
fn prose(markdown: &str) -> String {
    let mut html = String::new();
    for block in markdown
        .split("\n\n")
        .filter(|block| !block.trim().is_empty())
    {
        if block.starts_with("- ") {
            html.push_str("<ul>");
            for item in block.split("\n- ") {
                let _ = write!(html, "<li>{}</li>", inline(item.trim_start_matches("- ")));
            }
            html.push_str("</ul>");
        } else {
            let _ = write!(html, "<p>{}</p>", inline(block));
        }
    }
    html
}

/// A line of text in which `…` is code.
fn inline(markdown: &str) -> String {
    let mut html = String::new();
    for (index, part) in markdown.split('`').enumerate() {
        if index % 2 == 0 {
            html.push_str(&escaped(part));
        } else {
            let _ = write!(html, "<code>{}</code>", escaped(part));
        }
    }
    html
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flat_map(Map::iter)
        .map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_document_is_taken_for_html() {
        assert_eq!(
            prose("a `<b>` & c\n\n- one\n- two"),
            "<p>a <code>&lt;b&gt;</code> &amp; c</p><ul><li>one</li><li>two</li></ul>"
        );
    }
}
