//! Reading columns back into nouns, and writing many rows by one statement.

use std::fmt::{Display, Write as _};
use std::str::FromStr;

use dev2prod_engine::ports::{StoreError, StoreResult};
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::section::Section;
use serde::de::DeserializeOwned;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Sqlite as Driver, SqliteConnection, Type};
use uuid::Uuid;

use super::error::{corrupt, to};

/// A column by position; `place` is table and column, for the one who has to look.
pub(super) fn column<'r, T>(row: &'r SqliteRow, index: usize, place: &str) -> StoreResult<T>
where
    T: Decode<'r, Driver> + Type<Driver>,
    usize: ColumnIndex<SqliteRow>,
{
    row.try_get(index).map_err(|error| corrupt(place, &error))
}

/// A text that is parsed.
pub(super) fn parsed<T>(row: &SqliteRow, index: usize, place: &str) -> StoreResult<T>
where
    T: FromStr<Err: Display>,
{
    let text: &str = column(row, index, place)?;
    text.parse().map_err(|error| corrupt(place, &error))
}

/// A text of JSON.
pub(super) fn json<T: DeserializeOwned>(text: &str, place: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|error| corrupt(place, &error))
}

/// A digest.
pub(super) fn digest(row: &SqliteRow, index: usize, place: &str) -> StoreResult<Digest> {
    digest_of(column(row, index, place)?, place)
}

/// A digest from its bytes.
pub(super) fn digest_of(bytes: &[u8], place: &str) -> StoreResult<Digest> {
    let bytes = bytes
        .try_into()
        .map_err(|_| corrupt(place, &"it is not 32 bytes long"))?;
    Ok(Digest(bytes))
}

/// A UUID.
pub(super) fn uuid(row: &SqliteRow, index: usize, place: &str) -> StoreResult<Uuid> {
    let bytes: &[u8] = column(row, index, place)?;
    Uuid::from_slice(bytes).map_err(|error| corrupt(place, &error))
}

/// A size or count.
pub(super) fn unsigned(row: &SqliteRow, index: usize, place: &str) -> StoreResult<u64> {
    let number: i64 = column(row, index, place)?;
    u64::try_from(number).map_err(|error| corrupt(place, &error))
}

/// An item's name, in two columns.
pub(super) fn item_ref(row: &SqliteRow, index: usize, table: &str) -> StoreResult<ItemRef> {
    let fault = |column: &str, why: String| corrupt(&format!("{table}.{column}"), &why);
    let number: i64 = row
        .try_get(index)
        .map_err(|error| fault("section", error.to_string()))?;
    let section = u8::try_from(number)
        .ok()
        .and_then(Section::from_index)
        .ok_or_else(|| fault("section", format!("{number} is no section")))?;
    let key: String = row
        .try_get(index + 1)
        .map_err(|error| fault("key", error.to_string()))?;
    let key = Key::try_from(key).map_err(|error| fault("key", error.to_string()))?;
    Ok(ItemRef { section, key })
}

/// Items as SQL reads them with `json_each`: `[[section, key], ...]`.
pub(super) fn items_json<'a>(items: impl IntoIterator<Item = &'a ItemRef>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        let key = serde_json::Value::from(item.key.as_str());
        write!(text, "[{},{key}]", item.section.index()).expect("a string takes any text");
    }
    text.push(']');
    text
}

/// Versions of items as SQL reads them with `json_each`: `[[section, key, digest], ...]`, the digest
/// in hexadecimal.
pub(super) fn versions_json(versions: &[(ItemRef, Digest)]) -> String {
    let versions: Vec<_> = versions
        .iter()
        .map(|(item, digest)| {
            serde_json::json!([item.section.index(), item.key.as_str(), digest.to_string()])
        })
        .collect();
    serde_json::Value::from(versions).to_string()
}

/// A list as SQL reads it with `json_each`; bytes in hexadecimal.
pub(super) fn hex_json<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    serde_json::Value::from(texts).to_string()
}

/// An unsigned number in a signed column.
pub(super) fn signed(number: u64, doing: &'static str) -> StoreResult<i64> {
    i64::try_from(number).map_err(|error| StoreError::Refused {
        doing,
        cause: error.into(),
    })
}

/// A statement with the values bound so far.
pub(super) type Bound = Query<'static, Driver, SqliteArguments>;

/// Rows to be inserted by statements of many rows each: few round trips, few statements to prepare.
pub(super) struct Insert {
    /// The statement up to `VALUES`.
    pub(super) into: &'static str,
    /// How many columns.
    pub(super) columns: usize,
    /// What follows the rows.
    pub(super) tail: &'static str,
}

impl Insert {
    /// Statements of these sizes: four texts to keep prepared, whatever the number of rows. Each
    /// execution goes to the connection's thread and back, so that large ones are worth it.
    const ROWS: [usize; 4] = [500, 50, 5, 1];

    /// Inserts the rows, in order. While one statement is executed the next is bound.
    pub(super) async fn rows<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[R],
        doing: &'static str,
        bind: impl Fn(Bound, &R) -> Bound + Send + Sync,
    ) -> StoreResult<()>
    where
        R: Sync,
    {
        let mut left = rows;
        let mut bound = || {
            let size = *Self::ROWS.iter().find(|size| **size <= left.len())?;
            let (now, later) = left.split_at(size);
            left = later;
            let statement = sqlx::query(AssertSqlSafe(self.sql(size)));
            Some(now.iter().fold(statement, &bind))
        };
        let mut next = bound();
        while let Some(statement) = next {
            let execute = statement.execute(&mut *connection);
            let (executed, following) = futures::join!(execute, async { bound() });
            executed.map_err(to(doing))?;
            next = following;
        }
        Ok(())
    }

    fn sql(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!(
            "{} VALUES {} {}",
            self.into,
            vec![row; rows].join(","),
            self.tail
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_as_json() {
        let item = |section, key: &str| ItemRef::new(section, key.parse().unwrap());
        let items = [
            item(Section::Metadata, "a\"b\\c"),
            item(Section::Data, "é/1"),
        ];
        assert_eq!(items_json(&items), r#"[[0,"a\"b\\c"],[10,"é/1"]]"#);
        assert_eq!(items_json([]), "[]");
    }
}
