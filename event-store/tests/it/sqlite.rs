//! The log and the keys in SQLite files.

mod log {
    use std::sync::Arc;

    use chrono::{DateTime, Utc};
    use event_store::conformance::durability::Place;
    use event_store::sqlite::SqliteLog;
    use event_store::{AppendTransaction, EventLog, Metadata, NewEvent, Verdict};
    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use tempfile::TempDir;

    struct Folder(TempDir);

    impl Place for Folder {
        fn open(&self) -> BoxFuture<'_, Arc<dyn EventLog>> {
            let path = self.0.path().join("log.db");
            async move { Arc::new(SqliteLog::open(&path).await.unwrap()) as Arc<dyn EventLog> }
                .boxed()
        }
    }

    fn folder() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    #[expect(clippy::unnecessary_wraps, reason = "another backend's place may be missing")]
    fn place() -> Option<Folder> {
        Some(folder())
    }

    async fn open() -> Option<(Arc<dyn EventLog>, Folder)> {
        let folder = folder();
        Some((folder.open().await, folder))
    }

    event_store::conformance_suite!(open);
    event_store::durable_conformance_suite!(place);

    fn transaction(id: &str) -> AppendTransaction {
        let metadata = Metadata {
            command_id: id.into(),
            actor: "a tester".into(),
            correlation_id: id.into(),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        };
        let event = NewEvent {
            stream: "a".into(),
            event_type: "Written".into(),
            schema_version: 1,
            payload: "{}".into(),
        };
        AppendTransaction {
            command_id: id.into(),
            request_hash: [1; 32],
            reads: vec![],
            events: vec![event],
            metadata: Arc::new(metadata),
            answer: None,
            intents: vec![],
        }
    }

    #[tokio::test]
    async fn the_clock_that_was_given_labels_the_events() {
        let folder = folder();
        let now: DateTime<Utc> = "2010-12-01T08:26:00.123456Z".parse().unwrap();
        let clock = Arc::new(move || now);
        let path = folder.0.path().join("log.db");
        let log = SqliteLog::open_with_clock(&path, clock).await.unwrap();
        log.append(vec![transaction("1")]).await.unwrap();
        assert_eq!(log.read_all(0, 1).await.unwrap()[0].recorded_at, now);
    }

    #[tokio::test]
    async fn a_log_opened_read_only_shows_the_log_and_refuses_appends() {
        let folder = folder();
        let writing = folder.open().await;
        writing.append(vec![transaction("1")]).await.unwrap();
        let path = folder.0.path().join("log.db");
        let reading = SqliteLog::open_read_only(&path).await.unwrap();
        assert_eq!(reading.identity(), writing.identity());
        assert_eq!(*reading.head().borrow(), 1);
        assert_eq!(reading.read_all(0, 9).await.unwrap(), writing.read_all(0, 9).await.unwrap());
        assert!(reading.append(vec![transaction("2")]).await.is_err());
        assert_eq!(writing.read_all(0, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_closed_log_fails_and_opens_again() {
        let folder = folder();
        let path = folder.0.path().join("log.db");
        let log = SqliteLog::open(&path).await.unwrap();
        log.append(vec![transaction("1")]).await.unwrap();
        log.close().await;
        assert!(log.append(vec![transaction("2")]).await.is_err());
        let verdicts = folder.open().await.append(vec![transaction("2")]).await.unwrap();
        assert_eq!(verdicts, [Verdict::Committed { position: 2, version: 0 }]);
    }
}

mod older_files {
    use std::path::Path;
    use std::sync::Arc;

    use chrono::DateTime;
    use event_store::sqlite::SqliteLog;
    use event_store::{
        AnswerToKeep, AppendTransaction, EventLog as _, Metadata, NewEvent, StoredAnswer, Verdict,
    };
    use sqlx::{Connection as _, SqliteConnection};

    /// How answers were kept by the first version.
    const AS_BEFORE: &str = "CREATE TABLE before (command_id TEXT PRIMARY KEY, request_hash BLOB NOT NULL, \
        status INTEGER NOT NULL, body TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL) \
        STRICT, WITHOUT ROWID;
        INSERT INTO before SELECT * FROM commands;
        DROP TABLE commands;
        ALTER TABLE before RENAME TO commands;
        DELETE FROM _sqlx_migrations WHERE version = 2";

    fn transaction(command: &str) -> AppendTransaction {
        let id = Arc::<str>::from(command);
        AppendTransaction {
            command_id: Arc::clone(&id),
            request_hash: [7; 32],
            reads: Vec::new(),
            events: vec![NewEvent {
                stream: format!("stream-{command}").into(),
                event_type: "Happened".into(),
                schema_version: 1,
                payload: "{}".to_owned(),
            }],
            metadata: Arc::new(Metadata {
                actor: "client".into(),
                command_id: Arc::clone(&id),
                correlation_id: id,
                causation_id: None,
                traceparent: None,
                occurred_at: DateTime::UNIX_EPOCH,
            }),
            answer: Some(AnswerToKeep {
                status: 201,
                body: format!("the answer of {command}"),
                target: format!("stream-{command}").into(),
            }),
            intents: Vec::new(),
        }
    }

    async fn put_back(path: &Path) {
        let url = format!("sqlite:{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AS_BEFORE).execute(&mut connection).await.unwrap();
    }

    #[tokio::test]
    async fn answers_that_an_older_version_kept_are_given_again_also_after_the_upgrade() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path).await.unwrap();
        log.append(["b", "a", "c"].map(transaction).to_vec()).await.unwrap();
        log.close().await;
        put_back(&path).await;
        let answer = |command: &str, position| {
            let body = format!("the answer of {command}");
            Verdict::AlreadyApplied(StoredAnswer { status: 201, body, version: 1, position })
        };
        let log = SqliteLog::open(&path).await.unwrap();
        let verdicts = log.append(["a", "b", "new"].map(transaction).to_vec()).await.unwrap();
        let new = Verdict::Committed { position: 4, version: 1 };
        assert_eq!(verdicts, [answer("a", 2), answer("b", 1), new]);
    }
}

mod keys {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use chrono::DateTime;
    use event_store::keys::sqlite::SqliteKeys;
    use event_store::keys::{
        CheckError, DataKey, KeyState, KeyStore, MasterCheck, MasterKey, Vault,
    };
    use sqlx::{Connection as _, SqliteConnection};
    use tempfile::TempDir;

    async fn open() -> Option<(Arc<dyn KeyStore>, TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let keys = SqliteKeys::open(&folder.path().join("keys.db")).await.unwrap();
        Some((Arc::new(keys), folder))
    }

    event_store::key_store_conformance_suite!(open);

    fn is_on_disk(bytes: &[u8], folder: &Path) -> bool {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let contents: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
        contents.iter().any(|content| content.windows(bytes.len()).any(|window| window == bytes))
    }

    #[tokio::test]
    async fn the_bytes_of_an_erased_key_are_off_the_disk() {
        let (keys, folder) = open().await.unwrap();
        let secrets: Vec<Vec<u8>> =
            (0..40_u8).map(|n| format!("a wrapped key, {n:03}").repeat(4).into_bytes()).collect();
        for (n, secret) in secrets.iter().enumerate() {
            let key = DataKey { wrapped: secret.clone() };
            keys.get_or_insert(&format!("customer-{n}"), key).await.unwrap();
        }
        assert!(is_on_disk(&secrets[17], folder.path()));
        keys.erase("customer-17", DateTime::UNIX_EPOCH).await.unwrap();
        assert!(!is_on_disk(&secrets[17], folder.path()));
        assert!(is_on_disk(&secrets[18], folder.path()));
    }

    #[tokio::test]
    async fn keys_and_tombstones_are_there_after_a_crash() {
        let (keys, folder) = open().await.unwrap();
        let key = DataKey { wrapped: vec![7; 60] };
        keys.get_or_insert("customer-1", key.clone()).await.unwrap();
        keys.erase("customer-2", DateTime::UNIX_EPOCH).await.unwrap();
        drop(keys);
        let keys = SqliteKeys::open(&folder.path().join("keys.db")).await.unwrap();
        assert_eq!(keys.find("customer-1").await.unwrap(), KeyState::Present(key));
        let at = DateTime::UNIX_EPOCH;
        assert_eq!(keys.find("customer-2").await.unwrap(), KeyState::Erased { at });
    }
    #[tokio::test]
    async fn a_file_from_before_the_check_is_looked_at_and_left_as_it_is() {
        let (keys, folder) = open().await.unwrap();
        let path = folder.path().join("keys.db");
        Vault::new(keys, MasterKey::from_bytes([7; 32])).seal("customer-1", b"Zoe").await.unwrap();
        let url = format!("sqlite:{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("DROP TABLE master_key_check").execute(&mut connection).await.unwrap();
        let looked_at = SqliteKeys::open_read_only(&path).await.unwrap();
        assert_eq!(looked_at.master_check().await.unwrap(), None);
        MasterKey::from_bytes([7; 32]).check(&looked_at).await.unwrap();
        let wrong = MasterKey::from_bytes([8; 32]).check(&looked_at).await;
        assert!(matches!(wrong, Err(CheckError::WrongMasterKey)), "{wrong:?}");
        let kept = looked_at.keep_master_check(MasterCheck { sealed: vec![1] }).await;
        kept.unwrap_err();
    }
}
