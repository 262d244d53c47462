//! Paths that exist on one machine only.

use super::Finding;
use crate::tree::Tree;

/// Folders in the root of a machine under which people keep their own files.
const PRIVATE_FOLDERS: [&str; 4] = ["home", "root", "work", "Users"];

/// Finds absolute paths into somebody's own folders, in any text of the project.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.texts()
        .flat_map(|(file, text)| check_text(file, text))
        .collect()
}

fn check_text(file: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in PRIVATE_FOLDERS {
            let path = format!("/{folder}/");
            if line
                .match_indices(&path)
                .any(|(at, _)| starts_a_path(&line[..at]))
            {
                found.push(Finding::at(
                    file,
                    number + 1,
                    format!("an absolute path below /{folder}"),
                    "name it relative to the project, or as an example such as /srv/dev2prod",
                ));
            }
        }
    }
    found
}

/// Whether a slash after this text begins an absolute path and does not go on with a relative one.
fn starts_a_path(before: &str) -> bool {
    !before.chars().next_back().is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '*' | '}' | ')')
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    #[test]
    fn absolute_paths_into_private_folders_are_found() {
        // Put together here, because this file is checked as well.
        let slash = "/";
        let text = format!("see {slash}home/ann/x\nok\n\"{slash}work/a\" {slash}root/b\n");
        let found = check_text("docs/a.md", &text);
        insta::assert_snapshot!(lines(&found), @r"
        docs/a.md:1: an absolute path below /home; name it relative to the project, or as an example such as /srv/dev2prod
        docs/a.md:3: an absolute path below /root; name it relative to the project, or as an example such as /srv/dev2prod
        docs/a.md:3: an absolute path below /work; name it relative to the project, or as an example such as /srv/dev2prod
        ");
    }

    #[test]
    fn relative_paths_and_other_roots_are_fine() {
        let text = "crates/home/x ~/home/y ./work/z {base}/root/ /var/lib/dev2prod /workflow/Key";
        assert_eq!(check_text("docs/a.md", text), []);
    }
}
