//! What the commands that look at all processes take from what the settings file says to each: so one file serves both.

/// The commands that look at the processes, or ask them.
const LOOKERS: [&str; 12] = [
    "verify",
    "events",
    "digest",
    "status",
    "replay",
    "reconcile",
    "projections",
    "dead-letters",
    "sagas",
    "webhooks",
    "mails",
    "online-retail",
];

/// What is spoken where a process listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Clear,
    Tls,
}

/// Where something is said in the words of the process that it is said to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Borrowed {
    /// Whose setting it is.
    pub(super) process: &'static str,
    /// What it is called there.
    pub(super) key: &'static str,
    /// Its value, as whoever borrows it says it.
    pub(super) as_its_own: fn(&str, Spoken) -> String,
}

const fn same(process: &'static str, key: &'static str) -> Borrowed {
    Borrowed { process, key, as_its_own: |said, _| said.to_owned() }
}

/// Whose setting says what this key of a command asks for.
pub(super) fn borrowed(command: &str, key: &str) -> Option<Borrowed> {
    if !LOOKERS.contains(&command) {
        return None;
    }
    Some(match key {
        "command_postgres_url" => same("command-service", "postgres_url"),
        "command_postgres_url_file" => same("command-service", "postgres_url_file"),
        "keys_postgres_url" => same("command-service", "keys_postgres_url"),
        "keys_postgres_url_file" => same("command-service", "keys_postgres_url_file"),
        "master_key_file" => same("command-service", "master_key_file"),
        "projection_postgres_url" => same("projection-service", "postgres_url"),
        "projection_postgres_url_file" => same("projection-service", "postgres_url_file"),
        "saga_postgres_url" => same("saga-orchestrator", "postgres_url"),
        "saga_postgres_url_file" => same("saga-orchestrator", "postgres_url_file"),
        "notification_postgres_url" => same("notification-service", "postgres_url"),
        "notification_postgres_url_file" => same("notification-service", "postgres_url_file"),
        "payment_simulator_url" => same("gateway", "payment_simulator_url"),
        "payment_provider" => same("command-service", "payment_provider"),
        "stripe_secret_key" => same("command-service", "stripe_secret_key"),
        "stripe_secret_key_file" => same("command-service", "stripe_secret_key_file"),
        "stripe_api_url" => same("command-service", "stripe_api_url"),
        "gateway_url" => Borrowed { process: "gateway", key: "listen", as_its_own: address },
        _ => return None,
    })
}

/// Where to ask who listens there: on every address is also on this machine's own.
fn address(listen: &str, spoken: Spoken) -> String {
    let scheme = match spoken {
        Spoken::Clear => "http",
        Spoken::Tls => "https",
    };
    let everywhere = [("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")];
    let here = everywhere.iter().find_map(|(all, own)| Some((own, listen.strip_prefix(all)?)));
    match here {
        Some((own, port)) => format!("{scheme}://{own}{port}"),
        None => format!("{scheme}://{listen}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_this_machine() {
        assert_eq!(address("0.0.0.0:80", Spoken::Clear), "http://127.0.0.1:80");
        assert_eq!(address("[::]:80", Spoken::Tls), "https://[::1]:80");
        assert_eq!(address("shop.example:80", Spoken::Clear), "http://shop.example:80");
    }

    #[test]
    fn a_service_takes_nothing_that_is_said_to_another() {
        assert!(borrowed("verify", "master_key_file").is_some());
        assert!(borrowed("projection-service", "master_key_file").is_none());
    }
}
