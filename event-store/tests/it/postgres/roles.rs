//! The role that runs the service can append, and can't change what was appended. Nor can the owner.

use event_store::keys::postgres::PostgresKeys;
use event_store::keys::{DataKey, KeyStore as _, MasterKey};
use event_store::postgres::PostgresLog;
use event_store::{EventLog as _, IntentChange, LoadRequest, Snapshot};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{place, writes};

/// SQLSTATE of a lack of rights.
const NO_RIGHT: &str = "42501";
/// That of our triggers.
const APPEND_ONLY: &str = "DK002";

const CHANGES: [&str; 8] = [
    "UPDATE events SET payload = '{}'",
    "DELETE FROM events",
    "TRUNCATE events",
    "UPDATE commands SET body = '{}'",
    "DELETE FROM commands",
    "TRUNCATE commands",
    "DELETE FROM keys",
    "TRUNCATE keys",
];

async fn state_of(connection: &mut PgConnection, statement: &'static str) -> String {
    let refused = sqlx::query(statement).execute(connection).await.unwrap_err();
    refused.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn the_service_appends_and_nobody_changes_or_deletes_an_event() {
    let Some(place) = place() else { return };
    let (owner, role) = (place.0.url(), format!("service_of_{}", place.0.name()));
    let mut owning = place.connection().await;
    let create = AssertSqlSafe(format!("CREATE ROLE {role} LOGIN"));
    sqlx::query(create).execute(&mut owning).await.unwrap();
    PostgresLog::migrate(&owner, Some(&role)).await.unwrap();
    PostgresKeys::migrate(&owner, Some(&role)).await.unwrap();
    let service = owner.replace("postgres@", &format!("{role}@"));
    PostgresLog::migrate(&service, None).await.expect("it sees that there is nothing to do");
    PostgresKeys::migrate(&service, None).await.expect("it sees that there is nothing to do");

    let log = PostgresLog::open(&service).await.unwrap();
    log.take_over().await.unwrap();
    let mut first = writes("1", &["a"]);
    first.intents = vec![IntentChange::Open { id: "1".into(), payload: "7".into() }];
    let mut second = writes("2", &["a"]);
    second.intents = vec![IntentChange::Close { id: "1".into() }];
    log.append(vec![first]).await.unwrap();
    log.append(vec![second]).await.unwrap();
    let snapshot = Snapshot { stream: "a".into(), version: 2, state: "{}".into() };
    log.save_snapshots(1, vec![snapshot]).await.unwrap();
    let request =
        LoadRequest { streams: vec!["a".into()], schema_hash: 1, ..LoadRequest::default() };
    assert!(log.load(request).await.unwrap().streams["a"].snapshot.is_some());
    assert_eq!(log.open_intents().await.unwrap(), []);
    log.raise_epoch().await.unwrap();
    let keys = PostgresKeys::open(&service).await.unwrap();
    keys.get_or_insert("customer-1", DataKey { wrapped: vec![1; 60] }).await.unwrap();
    keys.erase("customer-1", chrono::DateTime::UNIX_EPOCH).await.unwrap();
    MasterKey::from_bytes([7; 32]).bind(&keys).await.unwrap();

    let mut serving = PgConnection::connect(&service).await.unwrap();
    for statement in CHANGES {
        assert_eq!(state_of(&mut serving, statement).await, NO_RIGHT, "{statement}");
        assert_eq!(state_of(&mut owning, statement).await, APPEND_ONLY, "{statement}");
    }
    for statement in ["UPDATE master_key_check SET sealed = ''", "DELETE FROM master_key_check"] {
        assert_eq!(state_of(&mut serving, statement).await, NO_RIGHT, "{statement}");
    }
    let disable = "ALTER TABLE events DISABLE TRIGGER ALL";
    assert_eq!(state_of(&mut serving, disable).await, NO_RIGHT);
    let revive = "UPDATE keys SET erased_at = NULL, wrapped = '\\x01'";
    assert_eq!(state_of(&mut serving, revive).await, APPEND_ONLY);
    assert_eq!(log.read_all(0, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_role_that_owns_nothing_can_t_make_the_tables() {
    let Some(place) = place() else { return };
    let (owner, role) = (place.0.url(), format!("stranger_to_{}", place.0.name()));
    let mut owning = place.connection().await;
    let create = AssertSqlSafe(format!("CREATE ROLE {role} LOGIN"));
    sqlx::query(create).execute(&mut owning).await.unwrap();
    let stranger = owner.replace("postgres@", &format!("{role}@"));
    for refused in [
        PostgresLog::migrate(&stranger, None).await.unwrap_err(),
        PostgresKeys::migrate(&stranger, None).await.unwrap_err(),
    ] {
        let mut cause: &dyn std::error::Error = &refused;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        assert!(cause.to_string().contains("permission denied"), "{cause}");
    }
}
