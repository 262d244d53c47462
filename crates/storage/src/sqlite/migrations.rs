//! Brings a database up to date: numbered steps, forward only, each in one transaction.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::NOW_MS;
use crate::VERSION;

/// All steps in order; the first is number 1. A step that was released is never changed.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    (
        "0001_start",
        include_str!("../../migrations/sqlite/0001_start.sql"),
    ),
    (
        "0002_delivered_versions",
        include_str!("../../migrations/sqlite/0002_delivered_versions.sql"),
    ),
    (
        "0003_sealed_plans",
        include_str!("../../migrations/sqlite/0003_sealed_plans.sql"),
    ),
    (
        "0004_tenant_settings",
        include_str!("../../migrations/sqlite/0004_tenant_settings.sql"),
    ),
    (
        "0005_reviews",
        include_str!("../../migrations/sqlite/0005_reviews.sql"),
    ),
    (
        "0006_history",
        include_str!("../../migrations/sqlite/0006_history.sql"),
    ),
    (
        "0007_audit",
        include_str!("../../migrations/sqlite/0007_audit.sql"),
    ),
    (
        "0008_trusted_servers",
        include_str!("../../migrations/sqlite/0008_trusted_servers.sql"),
    ),
    (
        "0009_canceled_and_followed",
        include_str!("../../migrations/sqlite/0009_canceled_and_followed.sql"),
    ),
    (
        "0010_pruned",
        include_str!("../../migrations/sqlite/0010_pruned.sql"),
    ),
    (
        "0011_bindings_and_secrets",
        include_str!("../../migrations/sqlite/0011_bindings_and_secrets.sql"),
    ),
    (
        "0012_content_sums",
        include_str!("../../migrations/sqlite/0012_content_sums.sql"),
    ),
];

/// Why a database is not brought up to date.
pub(super) enum MigrateError {
    /// A later program changed it.
    Newer {
        /// Which version of the program.
        program: String,
        /// The last step it made.
        found: i64,
    },
    /// It has tables, but none of ours.
    NotOurs,
    /// The driver refuses.
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// The number of the last step.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Makes the steps that are missing, or refuses and changes nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let done = last_step(connection).await?;
    for (number, (name, sql)) in (1..)
        .zip(MIGRATIONS)
        .skip_while(|(number, _)| *number <= done)
    {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*sql).execute(&mut *transaction).await?;
        let note = format!("INSERT INTO migration VALUES (?1, ?2, ?3, {NOW_MS})");
        sqlx::query(AssertSqlSafe(note))
            .bind(number)
            .bind(*name)
            .bind(VERSION)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn last_step(connection: &mut SqliteConnection) -> Result<i64, MigrateError> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut *connection)
        .await?;
    if tables.is_empty() {
        sqlx::raw_sql(
            "CREATE TABLE migration (
                number  INTEGER PRIMARY KEY,
                name    TEXT    NOT NULL,
                program TEXT    NOT NULL,
                at_ms   INTEGER NOT NULL
            )",
        )
        .execute(&mut *connection)
        .await?;
    } else if !tables.iter().any(|table| table == "migration") {
        return Err(MigrateError::NotOurs);
    }
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT number, program FROM migration ORDER BY number DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    match last {
        Some((found, program)) if found > known() => Err(MigrateError::Newer { program, found }),
        Some((number, _)) => Ok(number),
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_step_in_its_place() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let steps: Vec<_> = MIGRATIONS
            .iter()
            .map(|(name, _)| format!("{name}.sql"))
            .collect();
        assert_eq!(files, steps);
        for (number, (name, _)) in (1..).zip(MIGRATIONS) {
            assert!(name.starts_with(&format!("{number:04}_")), "{name}");
        }
    }

    #[tokio::test]
    async fn how_far_versions_were_pruned_is_taken_from_the_notes_that_were_deleted_with_them() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for (name, sql) in MIGRATIONS {
            if name.ends_with("_pruned") {
                // One tenant whose first revisions were pruned, one that has them all.
                let before = "
                    INSERT INTO tenant (no, id, origin, name, kind, revision, maintenance,
                            created_ms, catalogue, package_last, stage_fence, stage_until_ms, stage_stale)
                        VALUES (1, '1', x'01', 'a', 'Production', 7, 0, 0, x'00', 0, 0, 0, 0),
                            (2, '2', x'02', 'b', 'Production', 1, 0, 0, x'00', 0, 0, 0, 0);
                    INSERT INTO revision (tenant, revision, at_ms)
                        VALUES (1, 5, 0), (1, 6, 0), (1, 7, 0), (2, 0, 0), (2, 1, 0);";
                sqlx::raw_sql(before)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            sqlx::raw_sql(*sql).execute(&mut connection).await.unwrap();
        }
        let pruned: Vec<i64> = sqlx::query_scalar("SELECT pruned_rev FROM tenant ORDER BY no")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert_eq!(pruned, [5, 0]);
    }
}
