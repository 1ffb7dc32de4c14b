//! Tables as a crash leaves them.

use chrono::{DateTime, Utc};
use storage::{Durability, Location, Store};

const TABLES: [&str; 3] = ["checkpoint", "deliveries", "attempts"];

/// The tables as they were at some time.
pub(crate) struct Kept(Store);

impl Kept {
    /// As they are now.
    pub(crate) async fn now(location: &Location) -> Self {
        let store = Store::open(location, Durability::Full, 1).await.unwrap();
        let mut keeping = store.begin().await.unwrap();
        for table in TABLES {
            let copy = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}").leak();
            keeping.query(&*copy).execute().await.unwrap();
        }
        keeping.commit().await.unwrap();
        Self(store)
    }

    /// The database lost all commits since.
    pub(crate) async fn outlives_the_rest(self) {
        let mut losing = self.0.begin().await.unwrap();
        for table in TABLES {
            let empty = format!("DELETE FROM {table}").leak();
            losing.query(&*empty).execute().await.unwrap();
            let refill = format!("INSERT INTO {table} SELECT * FROM kept_{table}").leak();
            losing.query(&*refill).execute().await.unwrap();
        }
        losing.commit().await.unwrap();
        self.0.close().await;
    }
}

/// Everything was taken to be told, by a commit of which its own process heard nothing; it is due again at this time.
pub(crate) async fn take_unheard(location: &Location, again_at: DateTime<Utc>) {
    let store = Store::open(location, Durability::Full, 1).await.unwrap();
    let mut taking = store.begin().await.unwrap();
    let take = "UPDATE deliveries SET state = 0, under_way = 1, settled_at = NULL, due_at = $1";
    taking.query(take).bind(again_at.timestamp_micros()).execute().await.unwrap();
    taking.commit().await.unwrap();
    store.close().await;
}
