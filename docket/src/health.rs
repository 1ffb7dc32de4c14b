//! `docket health`: asks a service whether it is sound, as whoever keeps it running does. An image needs no other program
//! for it.
//!
//! **Invariant:** a process that stands by is sound: whoever restarted it would win nothing.

use std::process::ExitCode;

use anyhow::Result;

use crate::api::{Api, base_url};
use crate::config::listen_address;
use crate::output;

/// Where a process listens, unless told otherwise.
const USUAL_LISTEN: &str = "127.0.0.1:8080";

/// Ask a service of this machine whether it is ready: exit 0 when it is, or stands by to take another's place; else 1
#[derive(Debug, clap::Args)]
pub(crate) struct HealthArgs {
    /// Its address [default: where `DOCKET_LISTEN` says that it listens, else port 8080 of this machine]
    #[arg(value_name = "URL", value_parser = base_url)]
    url: Option<String>,
    /// Where it listens, when its address is not said
    #[arg(long, env = "DOCKET_LISTEN", hide = true, value_parser = listen_address, default_value = USUAL_LISTEN)]
    listen: String,
}

impl HealthArgs {
    /// Asks once, and says what it said.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let url = self.url.unwrap_or_else(|| own_address(&self.listen));
        let (ready, body) = Api::at(&url)?.ready().await?;
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

/// Who listens at every address of a machine listens on the loopback too.
fn own_address(listen: &str) -> String {
    let address = match listen.rsplit_once(':') {
        Some(("0.0.0.0", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    };
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback() {
        assert_eq!(own_address("0.0.0.0:8081"), "http://127.0.0.1:8081");
        assert_eq!(own_address("[::]:8081"), "http://[::1]:8081");
        assert_eq!(own_address("shop:8081"), "http://shop:8081");
    }
}
