//! `docket migrate`: makes the tables of the command-service as their owner, so that the service can run as a role that
//! can't change or delete what is in them.
//!
//! The other services own their tables: whatever is in them can be made anew from the log.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use event_store::keys::postgres::PostgresKeys;
use event_store::postgres::PostgresLog;
use storage::postgres::PostgresSettings;

use super::args::LogDatabasesArgs;
use super::command_service::own_tables;
use crate::config::{all_there, needed, secret};
use crate::output;

/// Make the command-service's tables as their owner, or bring them up to date; again is harmless
///
/// The addresses of the service are those that `docket command-service` takes: its role is given what it needs, and no more.
#[derive(clap::Args)]
pub(crate) struct MigrateArgs {
    /// Settings file (TOML); keys are named like the flags, with underscores
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    service: LogDatabasesArgs,
    /// Address of the log's database for the role that owns its tables
    #[arg(long, env = "DOCKET_OWNER_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    owner_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_OWNER_POSTGRES_URL_FILE", value_name = "FILE")]
    owner_postgres_url_file: Option<PathBuf>,
    /// Address of the keys' database for the role that owns its table [default: the log's]
    #[arg(
        long,
        env = "DOCKET_KEYS_OWNER_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    keys_owner_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_KEYS_OWNER_POSTGRES_URL_FILE", value_name = "FILE")]
    keys_owner_postgres_url_file: Option<PathBuf>,
}

impl std::fmt::Debug for MigrateArgs {
    /// Without addresses: passwords may stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MigrateArgs(..)")
    }
}

impl MigrateArgs {
    /// Migrates, and ends.
    pub(crate) async fn run(self) -> Result<()> {
        let no_owner = self.owner_postgres_url.is_none() && self.owner_postgres_url_file.is_none();
        all_there([self.service.missing(), no_owner.then_some("owner_postgres_url")])?;
        let (log, keys) = self.service.urls()?;
        let name = "owner_postgres_url";
        let owner = secret(name, self.owner_postgres_url, self.owner_postgres_url_file)?;
        let owner = needed(name, owner)?;
        let name = "keys_owner_postgres_url";
        let keys_owner =
            secret(name, self.keys_owner_postgres_url, self.keys_owner_postgres_url_file)?;
        let keys_owner = match keys_owner {
            Some(owner) => owner,
            None if keys == log => owner.clone(),
            None => {
                bail!("the keys have a database of their own: {name} has to say who owns its table")
            }
        };
        let role = role_of(&log)?;
        PostgresLog::migrate(&owner, Some(&role)).await?;
        own_tables(&owner)?
            .make_for(&role)
            .await
            .context("the schema of the service's own tables")?;
        let keys_role = role_of(&keys)?;
        PostgresKeys::migrate(&keys_owner, Some(&keys_role)).await?;
        output::line(format_args!("the log is up to date for the role {role}"))?;
        output::line(format_args!("the keys are up to date for the role {keys_role}"))?;
        Ok(())
    }
}

/// Who an address logs in as.
fn role_of(url: &str) -> Result<String> {
    let settings = PostgresSettings::new(url, "docket migrate")?;
    Ok(settings.role().to_owned())
}
