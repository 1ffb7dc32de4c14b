//! The keys in a PostgreSQL database.

use std::sync::Arc;

use chrono::DateTime;
use event_store::keys::postgres::PostgresKeys;
use event_store::keys::{DataKey, KeyState, KeyStore};
use event_store::postgres::PostgresLog;
use futures::future::join_all;
use test_servers::Database;

async fn open() -> Option<(Arc<dyn KeyStore>, Database)> {
    let database = test_servers::database()?;
    PostgresKeys::migrate(&database.url(), None).await.unwrap();
    let keys = PostgresKeys::open(&database.url()).await.unwrap();
    Some((Arc::new(keys), database))
}

event_store::key_store_conformance_suite!(open);

#[tokio::test]
async fn keys_and_log_can_live_in_one_database() {
    let Some((keys, database)) = open().await else { return };
    PostgresLog::migrate(&database.url(), None).await.unwrap();
    PostgresLog::open(&database.url()).await.unwrap();
    keys.erase("customer-1", DateTime::UNIX_EPOCH).await.unwrap();
}

#[tokio::test]
async fn two_processes_agree_on_one_key_for_each_person() {
    let Some((one, database)) = open().await else { return };
    let other: Arc<dyn KeyStore> = Arc::new(PostgresKeys::open(&database.url()).await.unwrap());
    let asked = (0..200_u8).map(|n| {
        let keys = if n % 2 == 0 { &one } else { &other };
        let person = format!("customer-{}", n % 20);
        async move {
            let key = keys.get_or_insert(&person, DataKey { wrapped: vec![n; 60] }).await.unwrap();
            (person, key)
        }
    });
    for (person, key) in join_all(asked).await {
        assert_eq!(one.find(&person).await.unwrap(), KeyState::Present(key));
    }
}
