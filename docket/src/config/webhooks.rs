//! How webhooks go out, in the words of every process that sends them.

use std::path::PathBuf;
use std::time::Duration;

use notification_service::{Networks, Schedule, Settings};

use crate::numbers::whole;

/// How webhooks go out.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is a flag of processes that have others")]
pub(crate) struct WebhookArgs {
    /// Networks that webhooks may reach though they are not public, and without TLS, such as `10.1.0.0/16,fd00:1::/64` [default: none]
    #[arg(long, env = "DOCKET_WEBHOOK_NETWORKS", value_name = "NETWORKS", value_parser = Networks::parse)]
    webhook_networks: Option<Networks>,
    /// File with certificates (PEM) that vouch for receivers beside those that this machine trusts
    #[arg(long, env = "DOCKET_WEBHOOK_CA_FILE", value_name = "FILE")]
    webhook_ca_file: Option<PathBuf>,
    /// Milliseconds that a receiver may take to answer
    #[arg(long, env = "DOCKET_WEBHOOK_DEADLINE_MS", value_name = "MS", default_value = "15000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    webhook_deadline_ms: u64,
    /// Seconds between the attempts to tell a receiver, separated by commas; after the last it is given up
    #[arg(long, env = "DOCKET_WEBHOOK_RETRIES_S", value_name = "SECONDS", value_parser = schedule,
        default_value = "5,300,1800,7200,18000,36000,50400,72000,86400")]
    webhook_retries_s: Schedule,
}

impl WebhookArgs {
    /// The settings with these.
    pub(crate) fn put_into(self, mut settings: Settings) -> Settings {
        settings.egress.networks = self.webhook_networks.unwrap_or_default();
        settings.egress.authorities = self.webhook_ca_file;
        settings.egress.deadline = Duration::from_millis(self.webhook_deadline_ms);
        Settings { schedule: self.webhook_retries_s, ..settings }
    }
}

pub(super) fn schedule(text: &str) -> Result<Schedule, &'static str> {
    let seconds = text.split(',').map(|seconds| seconds.trim().parse().map(Duration::from_secs));
    let seconds = seconds.collect::<Result<Vec<_>, _>>();
    seconds.map(Schedule::of).map_err(|_| "is no list of whole numbers of seconds like 5,300,1800")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_a_list_of_seconds_and_the_usual_one_is_the_default() {
        let usual = "5,300,1800,7200,18000,36000,50400,72000,86400";
        assert_eq!(schedule(usual), Ok(Schedule::default()));
        for wrong in ["", "5;300", "-5", "1.5", "soon"] {
            schedule(wrong).unwrap_err();
        }
    }
}
