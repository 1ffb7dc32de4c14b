//! Settings: flags, then environment, then a file, then defaults.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

/// How the platform runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) listen: String,
    /// Where its data is.
    pub(crate) data_dir: PathBuf,
    /// Log lines for people (`text`) or machines (`json`).
    pub(crate) log_format: LogFormat,
    /// What is logged, in the syntax of `RUST_LOG`.
    pub(crate) log_filter: String,
    /// How long the payment provider may take to answer, milliseconds.
    pub(crate) payment_deadline_ms: u64,
    /// From placed to confirmed, seconds; then an order is rejected.
    pub(crate) order_deadline_s: u64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            data_dir: "data".into(),
            log_format: LogFormat::Text,
            // A slow statement is no matter of an operator: what it makes slow says so itself.
            log_filter: "warn,sqlx::query=error,docket=info".into(),
            payment_deadline_ms: 2_000,
            order_deadline_s: 15 * 60,
        }
    }
}

/// The flags of `docket dev`; each is also an environment variable and a key of the file.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub(crate) struct SettingsArgs {
    /// Settings file (TOML); keys are named like the flags, with underscores
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "DOCKET_LISTEN", value_name = "HOST:PORT", value_parser = listen_address)]
    pub(crate) listen: Option<String>,
    /// Folder of the data, made if need be [default: data]
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Log lines for people or machines [default: text]
    #[arg(long, env = "DOCKET_LOG_FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged, in the syntax of `RUST_LOG` [default: `warn,sqlx::query=error,docket=info`]
    #[arg(long, env = "DOCKET_LOG_FILTER", value_name = "FILTER")]
    pub(crate) log_filter: Option<String>,
    /// Milliseconds that the payment provider may take to answer [default: 2000]
    #[arg(long, env = "DOCKET_PAYMENT_DEADLINE_MS", value_name = "MS")]
    pub(crate) payment_deadline_ms: Option<u64>,
    /// Seconds from placed to confirmed, after which an order is rejected [default: 900]
    #[arg(long, env = "DOCKET_ORDER_DEADLINE_S", value_name = "SECONDS")]
    pub(crate) order_deadline_s: Option<u64>,
}

impl SettingsArgs {
    /// The settings that hold.
    pub(crate) fn resolve(self) -> Result<Settings> {
        let file = self.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        Ok(Settings {
            listen: self.listen.unwrap_or(file.listen),
            data_dir: self.data_dir.unwrap_or(file.data_dir),
            log_format: self.log_format.unwrap_or(file.log_format),
            log_filter: self.log_filter.unwrap_or(file.log_filter),
            payment_deadline_ms: self.payment_deadline_ms.unwrap_or(file.payment_deadline_ms),
            order_deadline_s: self.order_deadline_s.unwrap_or(file.order_deadline_s),
        })
    }
}

fn read_file(path: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the settings file {} can't be read", path.display()))?;
    let settings: Settings = toml::from_str(&text)
        .with_context(|| format!("in the settings file {}", path.display()))?;
    listen_address(&settings.listen)
        .map_err(|wrong| anyhow!("in the settings file {}: listen {wrong}", path.display()))?;
    Ok(settings)
}

/// An address to listen on, or what is wrong with it. Whether its host exists and its port is free shows later.
pub(crate) fn listen_address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err("is not a host and a port like 127.0.0.1:8080".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("docket.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:9\"\ndata_dir = \"elsewhere\"\n").unwrap();
        let args = SettingsArgs {
            config: Some(file),
            listen: Some("127.0.0.1:7".into()),
            ..SettingsArgs::default()
        };
        let settings = args.resolve().unwrap();
        assert_eq!(settings.listen, "127.0.0.1:7");
        assert_eq!(settings.data_dir, PathBuf::from("elsewhere"));
        assert_eq!(settings.order_deadline_s, 900);
    }

    #[test]
    fn an_address_without_a_port_is_refused_with_the_file_s_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("docket.toml");
        std::fs::write(&file, "listen = \"foo\"\n").unwrap();
        let args = SettingsArgs { config: Some(file), ..SettingsArgs::default() };
        let error = format!("{:#}", args.resolve().unwrap_err());
        assert!(error.contains("docket.toml") && error.contains("a host and a port"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_file_s_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("docket.toml");
        std::fs::write(&file, "lisen = \"x\"\n").unwrap();
        let args = SettingsArgs { config: Some(file), ..SettingsArgs::default() };
        let error = format!("{:#}", args.resolve().unwrap_err());
        assert!(error.contains("docket.toml") && error.contains("lisen"), "{error}");
    }
}
