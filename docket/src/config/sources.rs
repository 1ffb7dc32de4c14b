//! What each setting is, and who said so: a flag, the environment, the settings file, or nobody.

use anyhow::{Error, bail};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::file::FileSettings;
use super::layers::{is_key, keys};
use super::redacted::redacted;
use super::secret::{self, twin};

/// A key with what it is set to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Setting {
    /// Its name, as in the settings file.
    pub(crate) key: String,
    /// Its value, as it may be shown.
    pub(crate) value: Option<String>,
    /// Who said so.
    pub(crate) source: String,
    /// Its value is in a file that can't be read.
    #[serde(skip)]
    pub(crate) unreadable: bool,
}

/// Who said a setting, for people.
fn source(key: &str, said: &ArgMatches, file: Option<&FileSettings>) -> String {
    match said.value_source(key) {
        Some(ValueSource::CommandLine) => format!("flag --{}", key.replace('_', "-")),
        Some(ValueSource::EnvVariable) => format!("environment DOCKET_{}", key.to_uppercase()),
        _ => file.and_then(|file| file.place(key)).unwrap_or_else(|| "default".to_owned()),
    }
}

/// A secret is said itself, or the file that it stands in: of both it can't be told which one counts.
pub(super) fn said_once(
    command: &Command,
    said: &ArgMatches,
    all: &ArgMatches,
    file: Option<&FileSettings>,
) -> Result<(), Error> {
    let is_said = |key: &str| all.value_source(key).is_some();
    let both = keys(command).find_map(|key| {
        let twin = twin(key);
        (!is_file_of(command, key) && is_key(command, &twin) && is_said(key) && is_said(&twin))
            .then_some((key, twin))
    });
    match both {
        Some((key, twin)) => bail!(
            "{key} ({}) and {twin} ({}) are both set; which one counts can't be told",
            source(key, said, file),
            source(&twin, said, file),
        ),
        None => Ok(()),
    }
}

/// Whether a key names the file of a secret.
fn is_file_of(command: &Command, key: &str) -> bool {
    let secret = twin(key);
    secret.len() < key.len() && is_key(command, &secret)
}

/// `said` is what flags and environment say, `all` what the settings file says too.
pub(super) fn settings(
    command: &Command,
    said: &ArgMatches,
    all: &ArgMatches,
    file: Option<&FileSettings>,
) -> Vec<Setting> {
    let text = |key: &str| {
        let raw = all.get_raw(key)?;
        let texts: Vec<_> = raw.map(std::ffi::OsStr::to_string_lossy).collect();
        Some(texts.join(","))
    };
    let shown = |key: &str| {
        let twin = twin(key);
        let secret = !is_file_of(command, key) && is_key(command, &twin);
        let mut unreadable = false;
        let (value, source) = match secret.then(|| text(&twin)).flatten() {
            Some(path) if text(key).is_none() => {
                let from = format!("file {path}, named by {}", source(&twin, said, file));
                let value = secret::read(key, path.as_ref());
                unreadable = value.is_err();
                let value = value.map(|value| redacted(&value, true));
                (Some(value.unwrap_or_else(|error| format!("({error:#})"))), from)
            }
            _ => (text(key).map(|value| redacted(&value, secret)), source(key, said, file)),
        };
        let source = if value.is_none() { "not set".to_owned() } else { source };
        Setting { key: key.to_owned(), value, source, unreadable }
    };
    keys(command).filter(|key| !is_file_of(command, key)).map(shown).collect()
}
