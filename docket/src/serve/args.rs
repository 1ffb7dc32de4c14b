//! The words that several processes take: each is a flag, an environment variable and a key of the settings file.

use std::path::PathBuf;

use anyhow::{Result, bail};
use async_nats::Client;
use messaging::jetstream::{
    self, CommandsSettings, ConnectionSettings, EventsSettings, Login, Names, TlsFiles,
};

use crate::config::{needed, secret};

/// Its own database.
#[derive(Clone, Default, clap::Args)]
pub(super) struct DatabaseArgs {
    /// Address of this service's PostgreSQL database
    #[arg(long, env = "DOCKET_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_POSTGRES_URL_FILE", value_name = "FILE")]
    postgres_url_file: Option<PathBuf>,
}

impl std::fmt::Debug for DatabaseArgs {
    /// Without the address: a password may stand in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseArgs(..)")
    }
}

impl DatabaseArgs {
    /// The name of what is missing, if it is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let said = self.postgres_url.is_some() || self.postgres_url_file.is_some();
        (!said).then_some("postgres_url")
    }

    pub(super) fn url(self) -> Result<String> {
        let url = secret("postgres_url", self.postgres_url, self.postgres_url_file)?;
        needed("postgres_url", url)
    }
}

/// The databases of the command-service: the log's, and that of people's keys.
#[derive(Clone, Default, clap::Args)]
pub(super) struct LogDatabasesArgs {
    #[command(flatten)]
    log: DatabaseArgs,
    /// Address of the PostgreSQL database with people's keys [default: the log's]
    #[arg(long, env = "DOCKET_KEYS_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    keys_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_KEYS_POSTGRES_URL_FILE", value_name = "FILE")]
    keys_postgres_url_file: Option<PathBuf>,
}

impl std::fmt::Debug for LogDatabasesArgs {
    /// Without addresses: passwords may stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogDatabasesArgs(..)")
    }
}

impl LogDatabasesArgs {
    /// The name of what is missing, if it is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        self.log.missing()
    }

    /// The log's, and that of the keys.
    pub(super) fn urls(self) -> Result<(String, String)> {
        let log = self.log.url()?;
        let keys =
            secret("keys_postgres_url", self.keys_postgres_url, self.keys_postgres_url_file)?;
        Ok((log.clone(), keys.unwrap_or(log)))
    }
}

/// The broker between the processes.
#[derive(Clone, Default, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is a flag of a process that has others")]
pub(super) struct NatsArgs {
    /// Addresses of NATS, separated by commas
    #[arg(long, env = "DOCKET_NATS_URL", hide_env_values = true, value_name = "URLS")]
    nats_url: Option<String>,
    /// File with those addresses
    #[arg(long, env = "DOCKET_NATS_URL_FILE", value_name = "FILE")]
    nats_url_file: Option<PathBuf>,
    /// File with JWT and seed to log in to NATS
    #[arg(long, env = "DOCKET_NATS_CREDENTIALS", value_name = "FILE")]
    nats_credentials: Option<PathBuf>,
    /// File with the seed of the NKey by which NATS knows this process, in place of credentials
    #[arg(long, env = "DOCKET_NATS_NKEY_FILE", value_name = "FILE")]
    nats_nkey_file: Option<PathBuf>,
    /// File with the certificates (PEM) of who signed that of NATS; then TLS is always spoken [default: whom this machine trusts]
    #[arg(long, env = "DOCKET_NATS_TLS_CA_FILE", value_name = "FILE")]
    nats_tls_ca_file: Option<PathBuf>,
    /// File with the certificate (PEM) by which NATS knows this process
    #[arg(long, env = "DOCKET_NATS_TLS_CERT_FILE", value_name = "FILE")]
    nats_tls_cert_file: Option<PathBuf>,
    /// File with the key (PEM) of that certificate
    #[arg(long, env = "DOCKET_NATS_TLS_KEY_FILE", value_name = "FILE")]
    nats_tls_key_file: Option<PathBuf>,
    /// What subjects begin with; a second installation on the same NATS needs its own
    #[arg(long, env = "DOCKET_NATS_PREFIX", value_name = "NAME", default_value = "docket",
        value_parser = prefix)]
    nats_prefix: String,
}

/// The streams on it, of whoever makes them.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct StreamsArgs {
    /// NATS servers that hold a copy of each stream: 3 in a cluster
    #[arg(long, env = "DOCKET_NATS_REPLICAS", value_name = "NUMBER", default_value = "1",
        value_parser = replicas, allow_negative_numbers = true)]
    nats_replicas: usize,
}

impl StreamsArgs {
    /// How the stream of events is kept.
    pub(super) fn events(self) -> EventsSettings {
        EventsSettings { replicas: self.nats_replicas, ..EventsSettings::default() }
    }

    /// How the queue of commands is kept.
    pub(super) fn commands(self) -> CommandsSettings {
        CommandsSettings { replicas: self.nats_replicas, ..CommandsSettings::default() }
    }
}

impl std::fmt::Debug for NatsArgs {
    /// Without the address: a password may stand in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NatsArgs(..)")
    }
}

/// A word of a subject, and part of a stream's name: other letters would be replaced, and two installations become one.
fn prefix(text: &str) -> Result<String, &'static str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if text.is_empty() || text.len() > MOST_PREFIX || !text.chars().all(plain) {
        return Err("is not one word of 1 to 32 letters, digits, _ and -");
    }
    Ok(text.to_owned())
}

/// How long a prefix may be.
const MOST_PREFIX: usize = 32;

/// As many as JetStream takes.
fn replicas(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|number| (1..=5).contains(number));
    number.ok_or("is not a number of servers from 1 to 5")
}

impl NatsArgs {
    /// The name of what is missing, if it is.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let said = self.nats_url.is_some() || self.nats_url_file.is_some();
        (!said).then_some("nats_url")
    }

    pub(super) fn resolve(self) -> Result<Broker> {
        let url = secret("nats_url", self.nats_url, self.nats_url_file)?;
        let client = match (self.nats_tls_cert_file, self.nats_tls_key_file) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("nats_tls_cert_file and nats_tls_key_file are set together, or not at all"),
        };
        let login = match (self.nats_credentials, self.nats_nkey_file) {
            (None, None) => Login::Address,
            (Some(credentials), None) => Login::Credentials(credentials),
            (None, Some(seed)) => Login::Nkey(seed),
            (Some(_), Some(_)) => bail!("nats_credentials and nats_nkey_file are not both set"),
        };
        Ok(Broker {
            servers: needed("nats_url", url)?,
            login,
            tls: TlsFiles { authority: self.nats_tls_ca_file, client },
            names: Names::of(&self.nats_prefix),
        })
    }
}

/// Where the broker is, and what is called how on it.
#[derive(Clone)]
pub(super) struct Broker {
    servers: String,
    login: Login,
    tls: TlsFiles,
    /// The names of streams and subjects.
    pub(super) names: Names,
}

impl Broker {
    /// A connection; it is made in the background, for as long as it takes.
    pub(super) async fn connect(&self, service: &str) -> Result<Client> {
        let settings = ConnectionSettings {
            login: self.login.clone(),
            tls: self.tls.clone(),
            ..ConnectionSettings::new(&self.servers, service)
        };
        Ok(jetstream::connect(&settings).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nats_would_not_take_is_refused() {
        for wrong in ["", "a b.c*>", "shop.two", "é", &"x".repeat(33)] {
            prefix(wrong).unwrap_err();
        }
        assert_eq!(prefix("shop_2").unwrap(), "shop_2");
        for wrong in ["0", "6", "-1", "three"] {
            replicas(wrong).unwrap_err();
        }
        assert_eq!(replicas("3").unwrap(), 3);
    }
}
