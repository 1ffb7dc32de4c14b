//! Whether a failure says that a SQLite file is damaged: then no later try succeeds, and nothing in it can be trusted. Or that
//! what it lies on does not take what is written.

use sqlx::Error;

/// SQLite's codes for a file whose structure is broken, and for one that SQLite never wrote.
const DAMAGED: [i32; 2] = [11, 26];

/// True when the file itself is broken.
pub fn is_damaged(error: &Error) -> bool {
    // The low byte of an extended code is the code itself.
    code(error).is_some_and(|code| DAMAGED.contains(&(code & 0xff)))
}

/// SQLite's codes for a file that can't be written: there is no right to, or no room; and, extended, for writing, syncing and
/// cutting that failed.
const UNWRITABLE: [i32; 2] = [8, 13];
const UNWRITABLE_EXTENDED: [i32; 5] = [778, 1034, 1290, 1546, 4874];

/// True when what the file lies on does not take what is written.
pub fn is_unwritable(error: &Error) -> bool {
    code(error).is_some_and(|code| {
        UNWRITABLE.contains(&(code & 0xff)) || UNWRITABLE_EXTENDED.contains(&code)
    })
}

/// The code, extended. PostgreSQL's have five places, and never mean a file of ours.
fn code(error: &Error) -> Option<i32> {
    let Error::Database(refusal) = error else { return None };
    refusal.code().filter(|code| code.len() < 5)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, Durability};

    #[tokio::test]
    async fn a_file_of_garbage_is_damaged_and_a_missing_table_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        let missing = sqlx::query("SELECT 1 FROM absent").execute(database.writer()).await;
        assert!(!is_damaged(&missing.unwrap_err()));
        database.close().await;
        std::fs::write(&path, [0x5a; 8192]).unwrap();
        let garbage = Database::open(&path, Durability::Full, 1).await;
        assert!(is_damaged(&garbage.unwrap_err()));
    }
}
