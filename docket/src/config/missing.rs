//! Settings without which a process does not start. **Invariant:** whoever starts one is told of all that are missing at once.

use anyhow::Result;

/// What was set is not what is needed: whoever set it has to act.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongSettings(pub(super) String);

impl WrongSettings {
    /// Settings of which this is said.
    pub(crate) fn new(said: impl Into<String>) -> Self {
        Self(said.into())
    }
}

/// What of these is missing, each by its name if it is; an error when something is.
pub(crate) fn all_there(missing: impl IntoIterator<Item = Option<&'static str>>) -> Result<()> {
    let missing: Vec<&str> = missing.into_iter().flatten().collect();
    match missing.as_slice() {
        [] => Ok(()),
        names => Err(WrongSettings(in_words(names)).into()),
    }
}

/// A setting without which a process can't start.
pub(crate) fn needed<T>(name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| WrongSettings(in_words(&[name])).into())
}

fn in_words(missing: &[&str]) -> String {
    let say = |name: &str| {
        let (flag, variable) = (name.replace('_', "-"), name.to_uppercase());
        format!("say --{flag}, DOCKET_{variable}, or {name} in the settings file")
    };
    if let [name] = missing {
        return format!("{name} is missing: {}", say(name));
    }
    let lines = missing.iter().map(|name| format!("\n  {name}: {}", say(name)));
    format!("{} settings are missing:{}", missing.len(), lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_every_way_to_say_it() {
        let said = needed::<String>("nats_url", None).unwrap_err().to_string();
        assert!(said.contains("--nats-url") && said.contains("DOCKET_NATS_URL"), "{said}");
    }

    #[test]
    fn all_that_is_missing_is_said_at_once_and_nothing_else() {
        let (url, key) = (Some("postgres_url"), Some("master_key_file"));
        all_there([None, None]).unwrap();
        let said = all_there([url, None, key]).unwrap_err();
        assert!(said.is::<WrongSettings>());
        let expected = "2 settings are missing:
  postgres_url: say --postgres-url, DOCKET_POSTGRES_URL, or postgres_url in the settings file
  master_key_file: say --master-key-file, DOCKET_MASTER_KEY_FILE, or master_key_file in the settings file";
        assert_eq!(said.to_string(), expected);
    }
}
