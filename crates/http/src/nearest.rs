//! What a mistyped name was probably meant to be.

/// The known name that takes the fewest changes to reach, whatever the case; `None` if none is
/// anywhere near.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = known
        .iter()
        .map(|known| (distance(&plain(name), &plain(known)), *known))
        .min_by_key(|(distance, _)| *distance)?;
    (distance * 2 <= nearest.chars().count().max(4)).then_some(nearest)
}

/// What an unknown name is answered: with the nearest known one, or else with all.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let shown: String = name.chars().take(100).collect();
    match nearest(name, known) {
        Some(nearest) => {
            format!("'{shown}' is no {what}; the nearest is '{nearest}'. Nothing was started")
        }
        None => format!(
            "'{shown}' is no {what}; those are {}. Nothing was started",
            known.join(", ")
        ),
    }
}

/// Letters and digits in lower case, so that `dry-run` and `DryRun` are one.
fn plain(name: &str) -> Vec<char> {
    name.chars()
        .take(100)
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The least number of letters to add, drop or replace (Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_the_one_that_was_meant() {
        let known = ["dryRun", "TENANTID", "Conflicts", "FileId"];
        for (name, meant) in [
            ("dry-run", Some("dryRun")),
            ("dryRnu", Some("dryRun")),
            ("tenant_id", Some("TENANTID")),
            ("Conflict", Some("Conflicts")),
            ("file", Some("FileId")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
    }

    #[test]
    fn a_distance_counts_letters() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (from, to, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(distance(&chars(from), &chars(to)), expected, "{from} {to}");
        }
    }
}
