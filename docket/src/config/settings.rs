//! How a process listens and logs, and how `docket dev` runs.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use gateway::{Entrance, EntranceSettings, Limit, LimitSettings, Origin, Rate, TrustedProxies};
use ipnet::IpNet;

use super::mail::MailArgs;
use super::tls::{ClientTlsArgs, ServerTlsArgs};
use super::webhooks::WebhookArgs;
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
    #[command(flatten)]
    pub(crate) tls: ServerTlsArgs,
    /// File that says whose tokens are taken [default: nobody is asked who they are, on the loopback only]
    #[arg(long, env = "DOCKET_AUTH_FILE", value_name = "FILE")]
    pub(crate) auth_file: Option<PathBuf>,
    /// Milliseconds after a signal in which it says that it is not ready and goes on taking requests, so that whoever shares them
    /// out sees it [default: 5000 of the gateway, 1000 of the services behind it, 0 of `docket dev`]
    #[arg(long, env = "DOCKET_SHUTDOWN_DELAY_MS", value_name = "MS", value_parser = shutdown_delay,
        allow_negative_numbers = true)]
    pub(crate) shutdown_delay_ms: Option<Duration>,
    /// Log lines for people or machines
    #[arg(long, env = "DOCKET_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// What is logged, in the syntax of `RUST_LOG`
    #[arg(long, env = "DOCKET_LOG_FILTER", value_name = "FILTER", default_value = LOG_FILTER)]
    pub(crate) log_filter: String,
}

/// How strangers are met at the one entrance.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub(crate) struct EntranceArgs {
    /// Networks of the proxies before this, separated by commas: what they say in X-Forwarded-For counts
    #[arg(long, env = "DOCKET_TRUSTED_PROXIES", value_name = "NETWORKS", value_parser = network, value_delimiter = ',')]
    trusted_proxies: Vec<IpNet>,
    /// What a customer may a second, and at once; or off
    #[arg(long, env = "DOCKET_CUSTOMER_RATE", value_name = "RATE", default_value = "50:500")]
    customer_rate: Limit,
    /// What each of support and operators may a second, and at once; or off
    #[arg(long, env = "DOCKET_STAFF_RATE", value_name = "RATE", default_value = "100:1000")]
    staff_rate: Limit,
    /// What a service of others may a second, and at once; or off
    #[arg(long, env = "DOCKET_SERVICE_RATE", value_name = "RATE", default_value = "off")]
    service_rate: Limit,
    /// What whoever shows no token that is taken may from one address, a second and at once; or off [default: 20:200, and off where
    /// nobody is asked who they are]
    #[arg(long, env = "DOCKET_ADDRESS_RATE", value_name = "RATE")]
    address_rate: Option<Limit>,
    /// Origins whose pages may use the API from a browser, separated by commas [default: none]
    #[arg(long, env = "DOCKET_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    cors_origins: Vec<Origin>,
    /// Milliseconds that read models and sagas are meant to be behind the log, at most; while they are further, writes wait a little
    #[arg(long, env = "DOCKET_MEANT_BEHIND_MS", value_name = "MS", default_value = "5000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    meant_behind_ms: u64,
}

/// Of whoever shows nothing.
const STRANGERS: Rate = Rate::new(20, 200);

impl EntranceArgs {
    /// The entrance of a process that lets everybody in, or those with tokens.
    pub(crate) fn entrance(&self, open: bool) -> Entrance {
        let strangers = if open { Limit::Off } else { Limit::At(STRANGERS) };
        let limits = LimitSettings {
            customers: self.customer_rate,
            staff: self.staff_rate,
            services: self.service_rate,
            strangers: self.address_rate.unwrap_or(strangers),
            guarded: !open,
            proxies: TrustedProxies::in_networks(self.trusted_proxies.clone()),
        };
        let (origins, meant) = (self.cors_origins.clone(), self.meant_behind_ms);
        let meant_behind = Duration::from_millis(meant);
        Entrance::new(EntranceSettings { limits, origins, meant_behind })
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let network = network.ok_or("is no network like 10.0.0.0/8, and no address")?;
    if network.prefix_len() == 0 {
        return Err("is every address there is: whoever comes could say where from".to_owned());
    }
    Ok(network)
}

/// The settings of the platform in one process.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    #[command(flatten)]
    pub(crate) entrance: EntranceArgs,
    /// Folder of the data, made if need be
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR", default_value = "data")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) payments: PaymentArgs,
    #[command(flatten)]
    pub(crate) others: ClientTlsArgs,
    /// Seconds from placed to confirmed, after which an order is rejected
    #[arg(long, env = "DOCKET_ORDER_DEADLINE_S", value_name = "SECONDS", default_value = "900",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(crate) order_deadline_s: u64,
    #[command(flatten)]
    pub(crate) webhooks: WebhookArgs,
    #[command(flatten)]
    pub(crate) mail: MailArgs,
}

/// A slow statement is no matter of an operator: what it makes slow says so itself. Nor is the certificate of a receiver of webhooks,
/// which the delivery tells of. What is back is said as what is away was.
const LOG_FILTER: &str = "warn,sqlx::query=error,docket=info,gateway=info,service_kit=info,storage=info,\
    messaging::jetstream::connection=info,rustls_platform_verifier=off";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Longer waits nobody who ends a process: it would be killed.
const MOST_SHUTDOWN_DELAY: Duration = Duration::from_mins(10);

fn shutdown_delay(text: &str) -> Result<Duration, String> {
    let delay = Duration::from_millis(whole(text)?);
    if delay <= MOST_SHUTDOWN_DELAY { Ok(delay) } else { Err("is more than 600,000".to_owned()) }
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
    fn a_proxy_is_in_a_network_and_not_anywhere() {
        for good in ["10.0.0.0/8", "192.0.2.7", "::1", "fc00::/7"] {
            network(good).unwrap();
        }
        for wrong in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "proxy", ""] {
            network(wrong).unwrap_err();
        }
    }
}
