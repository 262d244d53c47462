//! Links between the pages of the project.

use std::collections::BTreeSet;

use super::Finding;
use crate::tree::Tree;

/// Finds links in Markdown pages that lead to no file, folder or heading of the project.
///
/// Addresses outside the project are not followed: the check needs no network.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (page, text) in tree.with_extension("md") {
        for (line, target) in links(text) {
            if let Some(what) = broken(tree, page, &target) {
                found.push(Finding::at(
                    page,
                    line,
                    what,
                    "correct the link, or remove it",
                ));
            }
        }
    }
    found
}

fn broken(tree: &Tree, page: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() {
        Some(page.to_owned())
    } else {
        resolve(page, path)
    };
    let Some(file) = file.filter(|file| tree.has(file)) else {
        return Some(format!("the link `{target}` leads to no file"));
    };
    if heading.is_empty() || !file.ends_with(".md") {
        return None;
    }
    let known = tree
        .text(&file)
        .is_some_and(|text| anchors(text).contains(heading));
    (!known).then(|| format!("the link `{target}` leads to no heading of {file}"))
}

/// The path from the root that `path`, written in `page`, means; none if it leaves the project.
fn resolve(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The targets of `[text](target)` and `[text]: target`, with their lines, code left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        for (at, _) in prose.match_indices("](") {
            let rest = &prose[at + 2..];
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            found.push((line, rest[..end].trim_matches(['<', '>']).to_owned()));
        }
        if let Some((_, target)) = prose
            .strip_prefix('[')
            .and_then(|definition| definition.split_once("]: "))
        {
            found.push((
                line,
                target.split(' ').next().unwrap_or_default().to_owned(),
            ));
        }
    }
    found
}

/// The lines outside fenced code, counted from one, without what stands in backquotes.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence {
            return None;
        }
        let outside: Vec<_> = line.split('`').step_by(2).collect();
        Some((index + 1, outside.join("`")))
    })
}

/// The anchors that the headings of a page get where pages are usually read.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let twin = (1..)
            .map(|n| format!("{slug}-{n}"))
            .find(|name| !found.contains(name));
        let unused = if found.contains(&slug) {
            twin.unwrap_or(slug)
        } else {
            slug
        };
        found.insert(unused);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    #[test]
    fn links_to_nowhere_are_found() {
        let readme = "\
[a](docs/gone.md) and [b](docs/there.md#not-a-heading)
[c](../outside.md) [d](#nowhere)

[e]: docs/also-gone.md
";
        let tree = Tree::of(&[("README.md", readme), ("docs/there.md", "# Heading\n")]);
        insta::assert_snapshot!(lines(&check(&tree)), @r"
        README.md:1: the link `docs/gone.md` leads to no file; correct the link, or remove it
        README.md:1: the link `docs/there.md#not-a-heading` leads to no heading of docs/there.md; correct the link, or remove it
        README.md:2: the link `../outside.md` leads to no file; correct the link, or remove it
        README.md:2: the link `#nowhere` leads to no heading of README.md; correct the link, or remove it
        README.md:4: the link `docs/also-gone.md` leads to no file; correct the link, or remove it
        ");
    }

    #[test]
    fn links_that_lead_somewhere_and_code_are_fine() {
        let page = "\
# The `serve` command: options & more
## Twice
## Twice
[a](../README.md \"title\") [b](#the-serve-command-options--more) [c](#twice-1) [d](.)
[e](https://example.org/x) [f](mailto:a@example.org) `[g](gone)`
```
[h](gone)
```
";
        let tree = Tree::of(&[("README.md", ""), ("docs/page.md", page)]);
        assert_eq!(lines(&check(&tree)), "");
    }
}
