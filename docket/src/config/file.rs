//! The settings file: TOML, one key a setting. What stands at the top is for every process; what stands in the section of
//! a process, `[command-service]`, is for that one and goes before it.
//!
//! **Invariant:** a key that nobody would read is an error, at the top and in a section.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use toml::{Table, Value};

use super::borrowed::{Spoken, borrowed};
use super::secret::twin;

/// The keys of each process and each command that reads a file.
pub(super) type Known = BTreeMap<String, BTreeSet<String>>;

type Keys = BTreeMap<String, String>;

/// A file with its values as text, as flags would give them.
#[derive(Debug, Clone)]
pub(super) struct SettingsFile {
    path: PathBuf,
    common: Keys,
    sections: BTreeMap<String, Keys>,
}

/// What a file says to one process.
#[derive(Debug, Clone)]
pub(crate) struct FileSettings(BTreeMap<String, Said>);

/// A value, and where in the file it stands.
#[derive(Debug, Clone)]
struct Said {
    value: String,
    rank: Rank,
    place: String,
}

/// What goes before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Section,
    Top,
    /// What is said to another process.
    Borrowed,
}

impl SettingsFile {
    /// Reads it; a section or a key that is not `known` is an error.
    pub(super) fn read(path: &Path, known: &Known) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the settings file {} can't be read", path.display()))?;
        let place = || format!("in the settings file {}", path.display());
        let table: Table = toml::from_str(&text).with_context(place)?;
        let mut file =
            Self { path: path.to_owned(), common: Keys::new(), sections: BTreeMap::new() };
        let all: BTreeSet<String> = known.values().flatten().cloned().collect();
        for (key, value) in table {
            match value {
                Value::Table(section) if !all.contains(&key) => {
                    let section = read_section(&key, section, known).with_context(place)?;
                    file.sections.insert(key, section);
                }
                value => {
                    let value = setting(&key, value, &all).with_context(place)?;
                    file.common.insert(key, value);
                }
            }
        }
        Ok(file)
    }

    /// What it says to the process of this name, which has these keys. Where a secret and the file of that secret are said
    /// in different places, the one that goes first takes the other's place.
    pub(super) fn of(&self, process: &str, keys: &BTreeSet<&str>) -> FileSettings {
        let said = keys.iter().filter_map(|key| {
            let said = self.own(process, key).or_else(|| self.of_another(process, key, keys))?;
            Some(((*key).to_owned(), said))
        });
        let said: BTreeMap<String, Said> = said.collect();
        let goes_first =
            |key: &str, rank: Rank| said.get(&twin(key)).is_none_or(|twin| rank <= twin.rank);
        let kept = said.iter().filter(|(key, said)| goes_first(key, said.rank));
        FileSettings(kept.map(|(key, said)| (key.clone(), said.clone())).collect())
    }

    fn own(&self, process: &str, key: &str) -> Option<Said> {
        let path = self.path.display();
        let said = |value: &String, rank, place| Said { value: value.clone(), rank, place };
        let section = self.sections.get(process).and_then(|section| section.get(key));
        section
            .map(|value| said(value, Rank::Section, format!("{path}, [{process}]")))
            .or_else(|| Some(said(self.common.get(key)?, Rank::Top, path.to_string())))
    }

    /// What a command that looks at all processes takes from what is said to one of them. It looks at the top only for
    /// what it has no key of its own for.
    fn of_another(&self, process: &str, key: &str, keys: &BTreeSet<&str>) -> Option<Said> {
        let borrowed = borrowed(process, key)?;
        let found = self.own(borrowed.process, borrowed.key)?;
        if found.rank == Rank::Top && keys.contains(borrowed.key) {
            return None;
        }
        let shows = self.own(borrowed.process, "tls_cert_file").is_some();
        let spoken = if shows { Spoken::Tls } else { Spoken::Clear };
        let place = format!("{}: {}", found.place, borrowed.key);
        Some(Said {
            value: (borrowed.as_its_own)(&found.value, spoken),
            rank: Rank::Borrowed,
            place,
        })
    }
}

impl FileSettings {
    /// What it says of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|said| said.value.as_str())
    }

    /// Where it says that, for people.
    pub(crate) fn place(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|said| format!("settings file {}", said.place))
    }
}

fn read_section(name: &str, section: Table, known: &Known) -> Result<Keys> {
    let Some(keys) = known.get(name) else {
        let nearest = nearest(name, known.keys());
        let hint = nearest.map(|nearest| format!("; did you mean `[{nearest}]`?"));
        bail!("`[{name}]` is no process{}", hint.unwrap_or_default());
    };
    let settings = section.into_iter().map(|(key, value)| {
        let value = setting(&key, value, keys).with_context(|| format!("in [{name}]"))?;
        Ok((key, value))
    });
    settings.collect()
}

fn setting(key: &str, value: Value, known: &BTreeSet<String>) -> Result<String> {
    if !known.contains(key) {
        let nearest = nearest(&key.replace('-', "_"), known.iter());
        let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
        bail!("`{key}` is no key{}", hint.unwrap_or_default());
    }
    text(value).ok_or_else(|| anyhow!("`{key}` is neither text nor a number"))
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

fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k String>) -> Option<&'k String> {
    known.min_by_key(|known| strsim::damerau_levenshtein(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys<const N: usize>(keys: [&str; N]) -> BTreeSet<String> {
        keys.map(str::to_owned).into()
    }

    fn read(text: &str) -> Result<SettingsFile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docket.toml");
        std::fs::write(&path, text).unwrap();
        let service =
            keys(["listen", "log_format", "nats_url", "postgres_url", "postgres_url_file"]);
        let known = [("gateway", keys(["listen", "log_format"])), ("saga-orchestrator", service)];
        SettingsFile::read(&path, &known.map(|(name, keys)| (name.to_owned(), keys)).into())
    }

    fn sagas(file: &SettingsFile) -> FileSettings {
        file.of(
            "saga-orchestrator",
            &["listen", "nats_url", "postgres_url", "postgres_url_file"].into(),
        )
    }

    #[test]
    fn numbers_and_lists_are_read_as_flags_would_give_them() {
        let file = read("listen = 3\nnats_url = [\"nats://a\", \"nats://b\"]\n").unwrap();
        assert_eq!(sagas(&file).value("listen"), Some("3"));
        assert_eq!(sagas(&file).value("nats_url"), Some("nats://a,nats://b"));
        assert_eq!(sagas(&file).value("postgres_url"), None);
    }

    #[test]
    fn a_section_goes_before_the_top_and_is_for_its_process_only() {
        let file = read("listen = \"a:1\"\n[gateway]\nlisten = \"b:2\"\n").unwrap();
        let gateway = file.of("gateway", &["listen"].into());
        assert_eq!(gateway.value("listen"), Some("b:2"));
        assert!(gateway.place("listen").unwrap().ends_with("docket.toml, [gateway]"));
        assert_eq!(sagas(&file).value("listen"), Some("a:1"));
        assert!(sagas(&file).place("listen").unwrap().ends_with("docket.toml"));
    }

    #[test]
    fn a_secret_in_a_section_takes_the_place_of_its_file_at_the_top() {
        let file = "postgres_url_file = \"all\"\n[saga-orchestrator]\npostgres_url = \"own\"\n";
        let said = sagas(&read(file).unwrap());
        assert_eq!(
            (said.value("postgres_url"), said.value("postgres_url_file")),
            (Some("own"), None)
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_file_s_name_and_the_nearest_key() {
        for (text, nearest) in [
            ("lisen = \"x\"", "`lisen` is no key; did you mean `listen`?"),
            ("log-format = \"json\"", "did you mean `log_format`?"),
            ("nats_ulr = \"x\"", "did you mean `nats_url`?"),
            ("[gatway]\nlisten = \"x\"", "`[gatway]` is no process; did you mean `[gateway]`?"),
            ("[gateway]\nlisen = \"x\"", "in [gateway]: `lisen` is no key; did you mean `listen`?"),
            ("[gateway]\nnats_url = \"x\"", "in [gateway]: `nats_url` is no key"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains("docket.toml") && error.contains(nearest), "{error}");
        }
        let error = format!("{:#}", read("[listen]\nport = 1\n").unwrap_err());
        assert!(error.contains("`listen` is neither text nor a number"), "{error}");
    }
}
