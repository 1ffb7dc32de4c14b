//! Where the models of a test are, and a macro that runs each case in both dialects.

use projection_service::Home;
use storage::postgres::PostgresSettings;

/// Gone with everything in it when it is dropped.
pub(crate) enum Place {
    Folder(tempfile::TempDir),
    Database(test_servers::Database),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        test_servers::database().map(Self::Database)
    }

    /// Models of this name.
    pub(crate) fn home(&self, name: &str) -> Home {
        match self {
            Self::Folder(folder) => folder.path().join(name).into(),
            Self::Database(database) => {
                let settings = PostgresSettings::new(&database.url(), "test").unwrap();
                Home::postgres(settings, name)
            }
        }
    }
}

/// Each case on both dialects. Where PostgreSQL is not installed, that half is passed over with a word.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test]
            async fn $case() { super::$case(crate::place::Place::sqlite()).await; }
        )+ }
        mod postgres { $(
            #[tokio::test]
            async fn $case() {
                let Some(place) = crate::place::Place::postgres() else { return };
                super::$case(place).await;
            }
        )+ }
    };
}
pub(crate) use on_both;
