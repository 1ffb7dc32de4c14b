//! How a process listens and logs, and how `docket dev` runs.

use std::path::PathBuf;

use crate::numbers::whole;
use crate::payments::PaymentArgs;

/// What every process takes: how it listens and logs.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub(crate) struct ProcessArgs {
    /// Settings file (TOML); keys are named like the flags, with underscores
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, env = "DOCKET_LISTEN", value_name = "HOST:PORT", value_parser = listen_address,
        default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// File that says whose tokens are taken [default: nobody is asked who they are, on the loopback only]
    #[arg(long, env = "DOCKET_AUTH_FILE", value_name = "FILE")]
    pub(crate) auth_file: Option<PathBuf>,
    /// Log lines for people or machines
    #[arg(long, env = "DOCKET_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// What is logged, in the syntax of `RUST_LOG`
    #[arg(long, env = "DOCKET_LOG_FILTER", value_name = "FILTER", default_value = LOG_FILTER)]
    pub(crate) log_filter: String,
}

/// The settings of the platform in one process.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    /// Folder of the data, made if need be
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR", default_value = "data")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) payments: PaymentArgs,
    /// Seconds from placed to confirmed, after which an order is rejected
    #[arg(long, env = "DOCKET_ORDER_DEADLINE_S", value_name = "SECONDS", default_value = "900",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) order_deadline_s: u64,
}

/// A slow statement is no matter of an operator: what it makes slow says so itself. What is back is said as what is away was.
const LOG_FILTER: &str = "warn,sqlx::query=error,docket=info,service_kit=info,storage=info,\
    messaging::jetstream::connection=info";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// An address to listen on, or what is wrong with it. Whether its host exists and its port is free shows later.
pub(crate) fn listen_address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err("is not a host and a port like 127.0.0.1:8080".to_owned());
    }
    Ok(text.to_owned())
}
