//! The settings file of the processes: one file may serve all of them, each takes the keys that it knows.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;

use crate::config::LogFormat;

/// Its keys are named like the flags, with underscores.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SettingsFile {
    pub(super) listen: Option<String>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log_filter: Option<String>,
    pub(super) postgres_url: Option<String>,
    pub(super) postgres_url_file: Option<PathBuf>,
    pub(super) keys_postgres_url: Option<String>,
    pub(super) keys_postgres_url_file: Option<PathBuf>,
    pub(super) nats_url: Option<String>,
    pub(super) nats_url_file: Option<PathBuf>,
    pub(super) nats_credentials: Option<PathBuf>,
    pub(super) nats_prefix: Option<String>,
    pub(super) nats_replicas: Option<usize>,
    pub(super) master_key_file: Option<PathBuf>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) payment_provider_url: Option<String>,
    pub(super) payment_deadline_ms: Option<u64>,
    pub(super) order_deadline_s: Option<u64>,
    pub(super) command_service_url: Option<String>,
    pub(super) projection_service_url: Option<String>,
    pub(super) saga_orchestrator_url: Option<String>,
    pub(super) payment_simulator_url: Option<String>,
    pub(super) upstream_deadline_ms: Option<u64>,
}

impl SettingsFile {
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the settings file {} can't be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in the settings file {}", path.display()))
    }
}

/// A secret: said itself, or the file that it stands in. Flags and environment come before the settings file.
pub(super) fn secret(
    name: &str,
    given: (Option<String>, Option<PathBuf>),
    file: (Option<String>, Option<PathBuf>),
) -> Result<Option<String>> {
    let (said, path) = if given.0.is_some() || given.1.is_some() { given } else { file };
    match (said, path) {
        (Some(_), Some(_)) => {
            Err(anyhow!("{name} and {name}_file are both set; which one counts can't be told"))
        }
        (Some(said), None) => Ok(Some(said)),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("the file {} of {name} can't be read", path.display()))?;
            Ok(Some(text.trim_end().to_owned()))
        }
        (None, None) => Ok(None),
    }
}

/// A setting without which a process can't start.
pub(super) fn needed<T>(name: &str, value: Option<T>) -> Result<T> {
    let flag = name.replace('_', "-");
    let variable = name.to_uppercase();
    value.ok_or_else(|| {
        anyhow!(
            "{name} is missing: say --{flag}, DOCKET_{variable}, or {name} in the settings file"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_s_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "postgres://shop:secret@db/log\n").unwrap();
        let read = secret("postgres_url", (None, Some(path.clone())), (None, None)).unwrap();
        assert_eq!(read.as_deref(), Some("postgres://shop:secret@db/log"));
        let other = (Some("postgres://other".to_owned()), None);
        let flag = secret("postgres_url", other, (None, Some(path.clone()))).unwrap();
        assert_eq!(flag.as_deref(), Some("postgres://other"), "a flag beats the settings file");
        let both = secret("postgres_url", (Some("a".to_owned()), Some(path)), (None, None));
        assert!(both.unwrap_err().to_string().contains("both"));
    }

    #[test]
    fn what_is_missing_is_named_in_every_way_to_say_it() {
        let said = needed::<String>("nats_url", None).unwrap_err().to_string();
        assert!(said.contains("--nats-url") && said.contains("DOCKET_NATS_URL"), "{said}");
    }
}
