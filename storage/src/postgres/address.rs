//! Which server, and how every session with it is set up. The one place for session settings.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// How long a call may take unless said otherwise.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Which database, and how sessions with it are.
///
/// TLS is said in the address: `postgres://…?sslmode=verify-full&sslrootcert=/path/ca.pem`. The address must lead to the
/// server itself or to a pooler in session mode: settings and prepared statements belong to a session.
#[derive(Clone)]
pub struct PostgresSettings {
    pub(super) options: PgConnectOptions,
    pub(super) connections: u32,
    pub(super) call_timeout: Duration,
}

impl std::fmt::Debug for PostgresSettings {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresSettings({})", self.place())
    }
}

impl PostgresSettings {
    /// Reads the address; nothing is connected yet. `purpose` is the name of the sessions in the server's own lists.
    pub fn new(url: &str, purpose: &str) -> Result<Self, sqlx::Error> {
        is_postgres(url)?;
        let options: PgConnectOptions = url.parse()?;
        let options = options
            .application_name(purpose)
            // Ours rely on it: each statement sees what was committed before it began.
            .options([("default_transaction_isolation", "read committed")]);
        Ok(Self { options, connections: 4, call_timeout: CALL_TIMEOUT })
    }

    /// The role that sessions have.
    pub fn role(&self) -> &str {
        self.options.get_username()
    }

    /// Which database, for people: `host:port/name`, without user and password.
    pub fn place(&self) -> String {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        format!("{host}:{port}/{}", self.options.get_database().unwrap_or_default())
    }

    /// The most connections that are open at the same time.
    #[must_use]
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }

    /// How long a call may take from asking for a connection to its answer. The server gives up a little earlier, so
    /// that what nobody waits for any more does not go on there.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// A setting of every session.
    #[must_use]
    pub fn session(mut self, name: &str, value: &str) -> Self {
        self.options = self.options.options([(name, value)]);
        self
    }

    /// The options of a connection that is called with timeouts.
    pub(super) fn bounded(&self) -> PgConnectOptions {
        let statement = self.call_timeout.mul_f32(0.8).as_millis();
        let idle = self.call_timeout.as_millis();
        self.options.clone().options([
            ("statement_timeout", statement),
            // A client that stopped in the middle of a transaction must not hold its locks.
            ("idle_in_transaction_session_timeout", idle),
        ])
    }
}

/// The client would take any address, and speak PostgreSQL with whatever is there.
fn is_postgres(url: &str) -> Result<(), sqlx::Error> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("postgres" | "postgresql") => Ok(()),
        // The rest may hold a password.
        Some(scheme) => Err(sqlx::Error::Configuration(
            format!(
                "an address of PostgreSQL begins with postgres://, and this one with {scheme}://"
            )
            .into(),
        )),
        None => Err(sqlx::Error::Configuration(
            "an address of PostgreSQL begins with postgres://".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_kind_of_database_is_refused_without_its_password() {
        for url in ["mysql://u:secret@db/log", "http://u:secret@db", "u:secret@db/log", ""] {
            let error = PostgresSettings::new(url, "a test").unwrap_err().to_string();
            assert!(error.contains("postgres://") && !error.contains("secret"), "{error}");
        }
        for url in ["postgres://db/log", "postgresql://db/log"] {
            assert_eq!(PostgresSettings::new(url, "a test").unwrap().place(), "db:5432/log");
        }
    }
}
