//! Migrations run once on databases that we never see: they are numbered, and never change.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Finding;
use crate::tree::Tree;

/// Where the checksum of every migration is recorded, one `sha256  folder/NNNN_name.sql` a line.
pub(crate) const CHECKSUMS: &str = "crates/storage/migrations/checksums.txt";

const FOLDER: &str = "crates/storage/migrations/";

/// Finds gaps in the numbers, and migrations that are unrecorded, changed or gone.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = numbering(tree);
    let recorded = recorded(tree);
    for (name, text) in migrations(tree) {
        let file = format!("{FOLDER}{name}");
        match recorded.get(name) {
            None => found.push(Finding::at(
                &file,
                1,
                "the migration has no recorded checksum",
                "run `cargo xtask check --write` and commit checksums.txt with it",
            )),
            Some((checksum, _)) if *checksum != checksum_of(text) => found.push(Finding::at(
                &file,
                1,
                "a recorded migration was changed",
                "restore it and write a new one; if no database has run it yet, remove its line \
                 from checksums.txt and run `cargo xtask check --write`",
            )),
            Some(_) => {}
        }
    }
    for (name, (_, line)) in &recorded {
        if tree.text(&format!("{FOLDER}{name}")).is_none() {
            found.push(Finding::at(
                CHECKSUMS,
                *line,
                format!("{name} is recorded and not there"),
                "restore the file: databases that ran it expect it",
            ));
        }
    }
    found
}

/// Records the migrations that are new and returns their number; recorded ones are not touched.
pub(crate) fn write(root: &Path, tree: &Tree) -> Result<usize> {
    let recorded = recorded(tree);
    let mut lines: BTreeMap<_, _> = recorded
        .iter()
        .map(|(name, (checksum, _))| (*name, (*checksum).to_owned()))
        .collect();
    for (name, text) in migrations(tree) {
        lines.entry(name).or_insert_with(|| checksum_of(text));
    }
    let added = lines.len() - recorded.len();
    if added > 0 {
        let text: String = lines
            .iter()
            .map(|(name, checksum)| format!("{checksum}  {name}\n"))
            .collect();
        fs::write(root.join(CHECKSUMS), text).with_context(|| format!("writing {CHECKSUMS}"))?;
    }
    Ok(added)
}

/// Every migration by its path below the migrations' folder.
fn migrations(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.with_extension("sql")
        .filter_map(|(file, text)| Some((file.strip_prefix(FOLDER)?, text)))
}

fn recorded(tree: &Tree) -> BTreeMap<&str, (&str, usize)> {
    let text = tree.text(CHECKSUMS).unwrap_or_default();
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (checksum, name) = line.split_once("  ")?;
            Some((name, (checksum, index + 1)))
        })
        .collect()
}

fn numbering(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut expected: BTreeMap<&str, u32> = BTreeMap::new();
    for (name, _) in migrations(tree) {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let next = expected.entry(folder).or_insert(1);
        let prefix = format!("{next:04}_");
        if file.starts_with(&prefix) {
            *next += 1;
        } else {
            found.push(Finding::at(
                &format!("{FOLDER}{name}"),
                1,
                format!("expected the migration {prefix}….sql here"),
                "number migrations from 0001 without gaps, one file a number",
            ));
        }
    }
    found
}

fn checksum_of(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    const ONE: &str = "crates/storage/migrations/sqlite/0001_start.sql";
    const TWO: &str = "crates/storage/migrations/sqlite/0002_more.sql";

    #[test]
    fn gaps_changes_losses_and_unrecorded_migrations_are_found() {
        let checksums = format!(
            "{}  sqlite/0001_start.sql\n{}  sqlite/0007_lost.sql\n",
            checksum_of("create table a"),
            checksum_of("x")
        );
        let tree = Tree::of(&[
            (ONE, "create table a -- changed"),
            (
                "crates/storage/migrations/sqlite/0003_late.sql",
                "create table b",
            ),
            (CHECKSUMS, &checksums),
        ]);
        insta::assert_snapshot!(lines(&check(&tree)), @r"
        crates/storage/migrations/sqlite/0003_late.sql:1: expected the migration 0002_….sql here; number migrations from 0001 without gaps, one file a number
        crates/storage/migrations/sqlite/0001_start.sql:1: a recorded migration was changed; restore it and write a new one; if no database has run it yet, remove its line from checksums.txt and run `cargo xtask check --write`
        crates/storage/migrations/sqlite/0003_late.sql:1: the migration has no recorded checksum; run `cargo xtask check --write` and commit checksums.txt with it
        crates/storage/migrations/checksums.txt:2: sqlite/0007_lost.sql is recorded and not there; restore the file: databases that ran it expect it
        ");
    }

    #[test]
    fn two_migrations_of_one_number_are_found() {
        let twin = "crates/storage/migrations/sqlite/0001_twin.sql";
        assert_eq!(
            numbering(&Tree::of(&[(ONE, ""), (twin, ""), (TWO, "")])).len(),
            1
        );
    }

    #[test]
    fn writing_records_what_is_new_and_leaves_a_changed_one_a_finding() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join(FOLDER))?;
        let first = Tree::of(&[(ONE, "a")]);
        assert_eq!(write(folder.path(), &first)?, 1);
        let checksums = fs::read_to_string(folder.path().join(CHECKSUMS))?;
        assert_eq!(check(&Tree::of(&[(ONE, "a"), (CHECKSUMS, &checksums)])), []);

        let changed = Tree::of(&[(ONE, "a2"), (TWO, "b"), (CHECKSUMS, &checksums)]);
        assert_eq!(write(folder.path(), &changed)?, 1);
        let checksums = fs::read_to_string(folder.path().join(CHECKSUMS))?;
        let found = check(&Tree::of(&[
            (ONE, "a2"),
            (TWO, "b"),
            (CHECKSUMS, &checksums),
        ]));
        assert_eq!(found.len(), 1, "{}", lines(&found));
        Ok(())
    }
}
