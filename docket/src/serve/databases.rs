//! Where the services keep what they have, for commands that look at all of it at once. Said in the same words as the
//! services are told: flags, environment and the one settings file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use event_store::keys::postgres::PostgresKeys;
use projection_service::Home;
use storage::Location;
use storage::postgres::PostgresSettings;

use crate::api::base_url;
use crate::config::{needed, secret};
use crate::connect::ConnectArgs;
use crate::data_dir::ReadLog;

/// Whoever looks at everything has the time to sort it.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where the log is.
#[derive(Clone, Default, clap::Args)]
pub(crate) struct LogDatabaseArgs {
    /// Settings file (TOML); keys are named like the flags, with underscores
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the PostgreSQL database with the log
    #[arg(long, env = "DOCKET_COMMAND_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    command_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_COMMAND_POSTGRES_URL_FILE", value_name = "FILE")]
    command_postgres_url_file: Option<PathBuf>,
    /// Address of a PostgreSQL database that the services share; one that is named by itself goes before it
    #[arg(long, env = "DOCKET_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_POSTGRES_URL_FILE", value_name = "FILE")]
    postgres_url_file: Option<PathBuf>,
}

/// Where everything is.
#[derive(Clone, Default, clap::Args)]
pub(crate) struct DatabasesArgs {
    #[command(flatten)]
    log: LogDatabaseArgs,
    /// Address of the PostgreSQL database with the read models
    #[arg(
        long,
        env = "DOCKET_PROJECTION_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    projection_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_PROJECTION_POSTGRES_URL_FILE", value_name = "FILE")]
    projection_postgres_url_file: Option<PathBuf>,
    /// Address of the PostgreSQL database with the sagas
    #[arg(long, env = "DOCKET_SAGA_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    saga_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_SAGA_POSTGRES_URL_FILE", value_name = "FILE")]
    saga_postgres_url_file: Option<PathBuf>,
    /// Address of the PostgreSQL database with webhooks and mails
    #[arg(
        long,
        env = "DOCKET_NOTIFICATION_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    notification_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_NOTIFICATION_POSTGRES_URL_FILE", value_name = "FILE")]
    notification_postgres_url_file: Option<PathBuf>,
    /// Address of the PostgreSQL database with people's keys [default: the log's]
    #[arg(long, env = "DOCKET_KEYS_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    keys_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_KEYS_POSTGRES_URL_FILE", value_name = "FILE")]
    keys_postgres_url_file: Option<PathBuf>,
    /// File with the key that wraps people's keys, to see that it does
    #[arg(long, env = "DOCKET_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// Where the payment simulator is, or the gateway, to read the provider's ledger
    #[arg(long, env = "DOCKET_PAYMENT_SIMULATOR_URL", value_name = "URL", value_parser = base_url)]
    payment_simulator_url: Option<String>,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl std::fmt::Debug for LogDatabaseArgs {
    /// Without addresses: passwords may stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogDatabaseArgs(..)")
    }
}

impl std::fmt::Debug for DatabasesArgs {
    /// Without addresses: passwords may stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabasesArgs(..)")
    }
}

/// The log's database, or that of the keys.
#[derive(Clone)]
pub(crate) struct LogDatabase {
    url: String,
    /// `host:port/name`.
    pub(crate) place: String,
}

/// Where people's keys are.
#[derive(Debug, Clone)]
pub(crate) struct KeysPlace {
    pub(crate) database: LogDatabase,
    /// It was said; else it is the log's.
    pub(crate) is_named: bool,
    /// The file with the master key, if it is said where.
    pub(crate) master: Option<PathBuf>,
}

/// The databases of services.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    pub(crate) log: LogDatabase,
    /// People's keys.
    pub(crate) keys: Box<KeysPlace>,
    /// The read models, if it is said where.
    pub(crate) models: Option<Home>,
    /// The sagas, if it is said where.
    pub(crate) sagas: Option<Location>,
    /// Webhooks and mails, if it is said where.
    pub(crate) notifications: Option<Box<Location>>,
    /// Where the provider's ledger can be read.
    pub(crate) simulator: Option<String>,
    /// How it is asked.
    pub(crate) connect: Box<ConnectArgs>,
}

impl std::fmt::Debug for LogDatabase {
    /// Without the address: a password may stand in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogDatabase({})", self.place)
    }
}

impl LogDatabaseArgs {
    /// The database that is named, if one is.
    pub(crate) fn resolve(self) -> Result<Option<LogDatabase>> {
        let (own, shared) = self.addresses()?;
        own.or(shared).map(LogDatabase::at).transpose()
    }

    /// That of the log, and the one that is shared.
    fn addresses(self) -> Result<(Option<String>, Option<String>)> {
        let own = "command_postgres_url";
        let own = secret(own, self.command_postgres_url, self.command_postgres_url_file)?;
        Ok((own, secret("postgres_url", self.postgres_url, self.postgres_url_file)?))
    }
}

impl DatabasesArgs {
    /// The databases that are named, if any is.
    pub(crate) fn resolve(self) -> Result<Option<Databases>> {
        let (log, shared) = self.log.addresses()?;
        let models = "projection_postgres_url";
        let models =
            secret(models, self.projection_postgres_url, self.projection_postgres_url_file)?;
        let sagas =
            secret("saga_postgres_url", self.saga_postgres_url, self.saga_postgres_url_file)?;
        let told = "notification_postgres_url";
        let told =
            secret(told, self.notification_postgres_url, self.notification_postgres_url_file)?;
        if [&log, &shared, &models, &sagas, &told].iter().all(|url| url.is_none()) {
            return Ok(None);
        }
        let log = needed("command_postgres_url", log.or_else(|| shared.clone()))?;
        let keys =
            secret("keys_postgres_url", self.keys_postgres_url, self.keys_postgres_url_file)?;
        let keys = KeysPlace {
            is_named: keys.is_some(),
            database: LogDatabase::at(keys.unwrap_or_else(|| log.clone()))?,
            master: self.master_key_file,
        };
        let models = models.or_else(|| shared.clone());
        let models = models.map(|url| settings("read models", &url)).transpose()?;
        let told = told.or_else(|| shared.clone());
        let told = told.map(|url| settings("notifications", &url)).transpose()?;
        let sagas = sagas.or(shared).map(|url| settings("sagas", &url)).transpose()?;
        Ok(Some(Databases {
            log: LogDatabase::at(log)?,
            keys: Box::new(keys),
            models: models.map(|settings| Home::postgres(settings, READ_MODELS)),
            sagas: sagas.map(|settings| Location::postgres(settings, SAGAS)),
            notifications: told
                .map(|settings| Box::new(Location::postgres(settings, NOTIFICATIONS))),
            simulator: self.payment_simulator_url,
            connect: Box::new(self.connect),
        }))
    }
}

impl LogDatabase {
    fn at(url: String) -> Result<Self> {
        let place = settings("log", &url)?.place();
        Ok(Self { url, place })
    }

    /// The keys that are in it.
    pub(crate) async fn open_keys(&self) -> Result<PostgresKeys> {
        let keys = PostgresKeys::open(&self.url).await;
        keys.with_context(|| format!("{} can't be read as a key store", self.place))
    }

    /// The log, to be looked at only.
    pub(crate) async fn open(&self) -> Result<ReadLog> {
        ReadLog::in_database(&self.url, &self.place).await
    }
}

/// The schema of the read models' catalog.
pub(crate) const READ_MODELS: &str = "read_models";
/// The schema of the sagas.
pub(super) const SAGAS: &str = "sagas";
/// The schema of webhooks and what they are told.
pub(super) const NOTIFICATIONS: &str = "notifications";

fn settings(what: &str, url: &str) -> Result<PostgresSettings> {
    let settings = PostgresSettings::new(url, "docket verify");
    let settings = settings
        .with_context(|| format!("the address of the database with the {what} can't be read"));
    Ok(settings?.call_timeout(PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_database_may_serve_all_and_one_of_its_own_goes_first() {
        let all = Some("postgres://u:secret@db:5433/all".to_owned());
        let log = LogDatabaseArgs { postgres_url: all, ..LogDatabaseArgs::default() };
        let own = Some("postgres://u:secret@db:5433/sagas".to_owned());
        let args = DatabasesArgs { log, saga_postgres_url: own, ..DatabasesArgs::default() };
        let databases = args.resolve().unwrap().unwrap();
        assert_eq!(databases.log.place, "db:5433/all");
        let sagas = databases.sagas.as_ref().unwrap().to_string();
        assert!(sagas.contains("db:5433/sagas"), "{sagas}");
        assert!(databases.models.is_some() && databases.simulator.is_none());
        assert!(!format!("{databases:?}").contains("secret"));
        assert!(DatabasesArgs::default().resolve().unwrap().is_none());
    }

    #[test]
    fn without_the_log_s_address_nothing_can_be_checked() {
        let url = Some("postgres://db/sagas".to_owned());
        let args = DatabasesArgs { saga_postgres_url: url, ..DatabasesArgs::default() };
        let said = args.resolve().unwrap_err().to_string();
        assert!(said.contains("--command-postgres-url"), "{said}");
    }
}
