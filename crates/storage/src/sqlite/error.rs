//! The one place where the driver's errors become the port's.

use std::fmt::Display;

use dev2prod_engine::ports::{StoreError, is_full};
use dev2prod_model::id::TenantId;

/// Says what was attempted, for `map_err`.
pub(super) fn to(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |error| store_error(error, doing)
}

/// A value in a table that this program cannot have written.
pub(super) fn corrupt(place: &str, why: &dyn Display) -> StoreError {
    StoreError::Corrupt {
        place: place.to_owned(),
        why: why.to_string(),
    }
}

/// What a caller asked for that cannot be: a fault of ours.
pub(super) fn refused(doing: &'static str, why: &'static str) -> StoreError {
    StoreError::Refused {
        doing,
        cause: why.into(),
    }
}

/// What was to be kept is a tenant's that is not there any more.
pub(super) fn tenant_gone(tenant: &TenantId) -> StoreError {
    StoreError::Gone(format!("tenant {tenant}"))
}

fn store_error(error: sqlx::Error, doing: &'static str) -> StoreError {
    enum Answer {
        Full,
        Unavailable,
        Corrupt,
        Refused,
    }
    let answer = match &error {
        sqlx::Error::Database(database) => {
            // The extended code; its lowest byte is the primary one.
            let code = database.code().and_then(|code| code.parse::<i32>().ok());
            // Where space runs out for the index of the log, that is an error of its own.
            const SHMSIZE: i32 = 10 | 19 << 8;
            match code.map(|code| code & 0xff) {
                _ if code == Some(SHMSIZE) => Answer::Full,
                Some(13) => Answer::Full,                     // SQLITE_FULL
                Some(5 | 6 | 10 | 14) => Answer::Unavailable, // BUSY, LOCKED, IOERR, CANTOPEN
                Some(11 | 26) => Answer::Corrupt,             // CORRUPT, NOTADB
                _ => Answer::Refused,
            }
        }
        sqlx::Error::Io(error) if is_full(error) => Answer::Full,
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Answer::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Answer::Corrupt,
        _ => Answer::Refused,
    };
    match answer {
        Answer::Full => StoreError::Full {
            doing,
            cause: error.into(),
        },
        Answer::Unavailable => StoreError::Unavailable {
            doing,
            cause: error.into(),
        },
        Answer::Corrupt => corrupt("the database", &error),
        Answer::Refused => StoreError::Refused {
            doing,
            cause: error.into(),
        },
    }
}
