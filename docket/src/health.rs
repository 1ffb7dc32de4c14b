//! `docket health`: asks a service whether it is sound, as whoever keeps it running does. An image needs no other program
//! for it.
//!
//! **Invariant:** a process that stands by is sound: whoever restarted it would win nothing.

use std::process::ExitCode;

use anyhow::Result;

use crate::api::{Api, base_url};
use crate::config::{ClientTlsArgs, ServerTlsArgs, listen_address};
use crate::connect::ConnectArgs;
use crate::output;

/// Where a process listens, unless told otherwise.
const USUAL_LISTEN: &str = "127.0.0.1:8080";

/// Ask a service of this machine whether it is ready: exit 0 when it is, or stands by to take another's place; else 1
///
/// Without an address it is asked where it listens. Where it speaks TLS, it is known by the certificate in `tls_cert_file` itself, under
/// whatever name, and shown that of `client_cert_file`, or its own.
#[derive(Debug, clap::Args)]
#[command(mut_arg("tls_cert_file", |arg| arg.hide(true)), mut_arg("tls_key_file", |arg| arg.hide(true)),
    mut_arg("tls_client_ca_file", |arg| arg.hide(true)))]
pub(crate) struct HealthArgs {
    /// Its address [default: where `DOCKET_LISTEN` says that it listens, else port 8080 of this machine]
    #[arg(value_name = "URL", value_parser = base_url)]
    url: Option<String>,
    /// Where it listens, when its address is not said
    #[arg(long, env = "DOCKET_LISTEN", hide = true, value_parser = listen_address, default_value = USUAL_LISTEN)]
    listen: String,
    #[command(flatten)]
    tls: ServerTlsArgs,
    #[command(flatten)]
    others: ClientTlsArgs,
    /// Ask whether it lives, whatever it lacks
    #[arg(long)]
    live: bool,
}

impl HealthArgs {
    /// Asks once, and says what it said.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.api()?;
        let url = api.url();
        if self.live {
            let live = api.live().await?;
            output::line(format_args!("{url} {}", if live { "lives" } else { "does not live" }))?;
            return Ok(if live { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let (ready, body) = api.ready().await?;
        let parts = body["parts"].as_object().into_iter().flatten();
        let parts = parts.filter(|(_, state)| *state != "up");
        let told: Vec<String> = parts
            .map(|(part, state)| format!("{part}: {}", state.as_str().unwrap_or_default()))
            .collect();
        let stands_by = body["status"] == "standby";
        let word = match (ready, stands_by) {
            (true, _) => "ready",
            (false, true) => "standing by",
            (false, false) => "not ready",
        };
        let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) };
        output::line(format_args!("{url} is {word}{told}"))?;
        Ok(if ready || stands_by { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl HealthArgs {
    fn api(&self) -> Result<Api> {
        // How somebody is may be asked without a token.
        let connect = ConnectArgs::with_tls(self.others.clone());
        if let Some(url) = &self.url {
            return Api::at(url, &connect);
        }
        match self.tls.files()? {
            Some(shows) => Api::own(&own_address("https", &self.listen), shows, &connect),
            None => Api::at(&own_address("http", &self.listen), &connect),
        }
    }
}

/// Who listens at every address of a machine listens on the loopback too.
fn own_address(scheme: &str, listen: &str) -> String {
    let address = match listen.rsplit_once(':') {
        Some(("0.0.0.0", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    };
    format!("{scheme}://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback() {
        assert_eq!(own_address("http", "0.0.0.0:8081"), "http://127.0.0.1:8081");
        assert_eq!(own_address("http", "[::]:8081"), "http://[::1]:8081");
        assert_eq!(own_address("http", "shop:8081"), "http://shop:8081");
    }
}
