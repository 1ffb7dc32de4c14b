//! The settings file: TOML without sections, one key a setting. One file may serve all processes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use toml::{Table, Value};

/// Its keys with their values as text, as flags would give them.
#[derive(Debug, Clone)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    settings: Vec<(String, String)>,
}

impl SettingsFile {
    /// Reads it; a key that is not one of `known` is an error.
    pub(super) fn read(path: &Path, known: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the settings file {} can't be read", path.display()))?;
        let place = || format!("in the settings file {}", path.display());
        let table: Table = toml::from_str(&text).with_context(place)?;
        let settings = table.into_iter().map(|(key, value)| setting(key, value, known));
        let settings = settings.collect::<Result<_>>().with_context(place)?;
        Ok(Self { path: path.to_owned(), settings })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

fn setting(key: String, value: Value, known: &[String]) -> Result<(String, String)> {
    if !known.contains(&key) {
        bail!("`{key}` is no key{}", nearest(&key, known));
    }
    let value = text(value).ok_or_else(|| anyhow!("`{key}` is neither text nor a number"))?;
    Ok((key, value))
}

/// A list is its entries separated by commas, as flags have it.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Array(entries) => entries
            .into_iter()
            .map(text)
            .collect::<Option<Vec<_>>>()
            .map(|entries| entries.join(",")),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn nearest(key: &str, known: &[String]) -> String {
    let key = key.replace('-', "_");
    let distance = |known: &&String| strsim::damerau_levenshtein(&key, known);
    let nearest = known.iter().min_by_key(distance);
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SettingsFile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docket.toml");
        std::fs::write(&path, text).unwrap();
        let known = ["listen", "log_format", "nats_url", "nats_replicas"].map(str::to_owned);
        SettingsFile::read(&path, &known)
    }

    #[test]
    fn numbers_and_lists_are_read_as_flags_would_give_them() {
        let file = read("nats_replicas = 3\nnats_url = [\"nats://a\", \"nats://b\"]\n").unwrap();
        assert_eq!(file.value("nats_replicas"), Some("3"));
        assert_eq!(file.value("nats_url"), Some("nats://a,nats://b"));
        assert_eq!(file.value("listen"), None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_file_s_name_and_the_nearest_key() {
        for (text, nearest) in [
            ("lisen = \"x\"", "`lisen` is no key; did you mean `listen`?"),
            ("log-format = \"json\"", "did you mean `log_format`?"),
            ("nats_ulr = \"x\"", "did you mean `nats_url`?"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains("docket.toml") && error.contains(nearest), "{error}");
        }
        let error = format!("{:#}", read("[listen]\nport = 1\n").unwrap_err());
        assert!(error.contains("`listen` is neither text nor a number"), "{error}");
    }
}
