//! What is weak about a server, in plain words.

use sqlx::PgConnection;

const SETTINGS: &str = "SELECT current_setting('fsync'), current_setting('synchronous_commit'),
    current_setting('full_page_writes')";

/// What an operator should know about the server's promise to keep what it has committed; empty when all is well.
pub async fn weaknesses(connection: &mut PgConnection) -> Result<Vec<&'static str>, sqlx::Error> {
    let (fsync, commit, pages): (String, String, String) =
        sqlx::query_as(SETTINGS).fetch_one(connection).await?;
    let off = |setting: &str| setting == "off";
    let found = [
        (
            off(&fsync),
            "fsync is off: a crash of the database's machine can lose or damage everything",
        ),
        (off(&commit), "synchronous_commit is off: a crash loses commits that were acknowledged"),
        (
            off(&pages),
            "full_page_writes is off: a crash of the database's machine can leave torn pages, unless its file \
             system rules them out",
        ),
    ];
    Ok(found.into_iter().filter_map(|(weak, said)| weak.then_some(said)).collect())
}

#[cfg(test)]
mod tests {
    use crate::postgres::{PostgresPool, PostgresSettings};

    #[tokio::test]
    async fn what_is_weak_about_a_server_is_said() {
        // The server of the tests has no need to survive a crash of the machine.
        let Some(database) = test_servers::database() else { return };
        let settings = PostgresSettings::new(&database.url(), "a test").unwrap();
        let weak = |settings| async move {
            PostgresPool::new(&settings).call(super::weaknesses).await.unwrap().len()
        };
        assert_eq!(weak(settings.clone()).await, 1);
        assert_eq!(weak(settings.session("synchronous_commit", "off")).await, 2);
    }
}
