//! Reading the command line: flags, then environment, then the settings file, then defaults.
//!
//! The line is read twice. The first time tells what flags and environment say, and which settings file there is; what
//! only the file says is then put behind the words, and they are read again. **Invariant:** a value from the file is
//! checked as the same value of a flag is.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use anyhow::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::file::SettingsFile;
use super::redacted::redacted;
use super::secret;
use crate::cli::Cli;

/// The key that names the settings file.
const CONFIG: &str = "config";
/// What a secret's key ends with whose value is the name of a file.
const FILE: &str = "_file";

/// A command line, read.
#[derive(Debug)]
pub(crate) struct Understood {
    /// What is to be done.
    pub(crate) cli: Cli,
    /// The settings of what is to be done.
    pub(crate) settings: Vec<Setting>,
}

/// Why a command line can't be read.
#[derive(Debug)]
pub(crate) enum Misunderstood {
    /// The words are wrong, or values that came with them.
    Words(Box<clap::Error>, Option<SettingsFile>),
    /// The settings file is.
    File(Error),
}

/// A key with what it is set to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Setting {
    /// Its name, as in the settings file.
    pub(crate) key: String,
    /// Its value, as it may be shown.
    pub(crate) value: Option<String>,
    /// Who said so.
    pub(crate) source: String,
}

/// The processes that are also programs: this one, under another name.
const PROGRAMS: [&str; 5] =
    ["command-service", "projection-service", "saga-orchestrator", "payment-simulator", "gateway"];

/// Called by the name of a process, the program is that process.
fn under_its_name(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().and_then(|path| Path::new(path).file_stem()).map(OsString::from);
    if let Some(name) = name.filter(|name| PROGRAMS.iter().any(|program| name == program)) {
        words.insert(1, name);
    }
    words
}

/// Reads the words of a command line.
pub(crate) fn understand(words: Vec<OsString>) -> Result<Understood, Misunderstood> {
    let words = under_its_name(words);
    let command = Cli::command();
    let read = |words: &[OsString], file: Option<&SettingsFile>| {
        let read = command.clone().try_get_matches_from(words);
        read.map_err(|error| Misunderstood::Words(Box::new(error), file.cloned()))
    };
    let matches = read(&words, None)?;
    let (chosen, said) = deepest(&command, &matches);
    let path = is_key(chosen, CONFIG).then(|| said.get_raw(CONFIG)?.next()).flatten();
    let file = match path {
        Some(path) => {
            let file = SettingsFile::read(path.as_ref(), &all_keys(&command));
            Some(file.map_err(Misunderstood::File)?)
        }
        None => None,
    };
    let mut all_words = words;
    if let Some(file) = &file {
        all_words.extend(words_of(file, chosen, said));
    }
    let all_matches = read(&all_words, file.as_ref())?;
    let settings = settings(chosen, said, deepest(&command, &all_matches).1, file.as_ref());
    let cli = Cli::from_arg_matches(&all_matches)
        .map_err(|error| Misunderstood::Words(Box::new(error), file))?;
    Ok(Understood { cli, settings })
}

/// The command that was chosen, with what was said to it.
fn deepest<'a>(
    mut command: &'a Command,
    mut matches: &'a ArgMatches,
) -> (&'a Command, &'a ArgMatches) {
    while let Some((name, below)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, below);
    }
    (command, matches)
}

fn is_key(command: &Command, key: &str) -> bool {
    keys(command).any(|known| known == key)
}

/// The arguments of a command that are settings: those with a variable.
fn keys(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter(|arg| arg.get_env().is_some()).map(|arg| arg.get_id().as_str())
}

/// The keys of every command that takes a settings file.
pub(crate) fn all_keys(command: &Command) -> Vec<String> {
    let mut all = BTreeSet::new();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        if is_key(command, CONFIG) {
            all.extend(keys(command).filter(|key| *key != CONFIG).map(str::to_owned));
        }
    }
    all.into_iter().collect()
}

/// What the file says that neither flags nor environment do. Whoever sets a secret takes its file's place, and the other
/// way round.
fn words_of(file: &SettingsFile, command: &Command, said: &ArgMatches) -> Vec<OsString> {
    let stays = |key: &&str| {
        let twin = key.strip_suffix(FILE).map_or_else(|| format!("{key}{FILE}"), str::to_owned);
        is_unsaid(said, key) && (!is_key(command, &twin) || is_unsaid(said, &twin))
    };
    let word = |key: &str| Some(format!("--{}={}", key.replace('_', "-"), file.value(key)?).into());
    keys(command).filter(stays).filter_map(word).collect()
}

fn is_unsaid(said: &ArgMatches, key: &str) -> bool {
    !matches!(said.value_source(key), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// `said` is what flags and environment say, `all` what the settings file says too.
fn settings(
    command: &Command,
    said: &ArgMatches,
    all: &ArgMatches,
    file: Option<&SettingsFile>,
) -> Vec<Setting> {
    let source = |key: &str, of_file: &str| match said.value_source(key) {
        Some(ValueSource::CommandLine) => format!("{of_file}flag --{}", key.replace('_', "-")),
        Some(ValueSource::EnvVariable) => {
            format!("{of_file}environment DOCKET_{}", key.to_uppercase())
        }
        _ => match file.filter(|file| file.value(key).is_some()) {
            Some(file) => format!("{of_file}settings file {}", file.path().display()),
            None => "default".to_owned(),
        },
    };
    let text = |key: &str| {
        let raw = all.get_raw(key)?;
        let texts: Vec<_> = raw.map(std::ffi::OsStr::to_string_lossy).collect();
        Some(texts.join(","))
    };
    let is_file_of = |key: &str| key.strip_suffix(FILE).is_some_and(|key| is_key(command, key));
    let shown = |key: &str| {
        let twin = format!("{key}{FILE}");
        let secret = is_key(command, &twin);
        let (value, source) = match secret.then(|| text(&twin)).flatten() {
            Some(path) if text(key).is_none() => {
                let from = source(&twin, &format!("file {path}, named by "));
                match secret::read(key, path.as_ref()) {
                    Ok(value) => (Some(redacted(&value, true)), from),
                    Err(error) => (Some(format!("({error:#})")), from),
                }
            }
            _ => (text(key).map(|value| redacted(&value, secret)), source(key, "")),
        };
        let source = if value.is_none() { "not set".to_owned() } else { source };
        Setting { key: key.to_owned(), value, source }
    };
    keys(command).filter(|key| !is_file_of(key)).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, text: &str) -> String {
        let path = folder.join("docket.toml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn understood(words: &[&str]) -> Result<Understood, Misunderstood> {
        understand(std::iter::once("docket").chain(words.iter().copied()).map(Into::into).collect())
    }

    fn setting(understood: &Understood, key: &str) -> (String, String) {
        let found = understood.settings.iter().find(|setting| setting.key == key).unwrap();
        (found.value.clone().unwrap_or_default(), found.source.clone())
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let config = file(folder.path(), "listen = \"127.0.0.1:9\"\norder_deadline_s = 30\n");
        for words in [&["dev"][..], &[]] {
            let words = [words, &["--config", &config, "--listen", "127.0.0.1:7"]].concat();
            let understood = understood(&words).unwrap();
            let said = |key| setting(&understood, key);
            assert_eq!(said("listen"), ("127.0.0.1:7".into(), "flag --listen".into()));
            let from_file = format!("settings file {config}");
            assert_eq!(said("order_deadline_s"), ("30".into(), from_file));
            assert_eq!(said("data_dir"), ("data".into(), "default".into()));
        }
    }

    #[test]
    fn called_by_the_name_of_a_process_the_program_is_that_process() {
        let named = |path: &str| under_its_name(vec![path.into(), "--help".into()]);
        assert_eq!(named("/usr/bin/gateway"), ["/usr/bin/gateway", "gateway", "--help"]);
        assert_eq!(named("./docket"), ["./docket", "--help"]);
    }

    #[test]
    fn one_file_serves_every_process_and_each_takes_what_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            file(folder.path(), "nats_url = \"nats://a:geheim@n\"\nlog_format = \"json\"\n");
        let gateway = understood(&["gateway", "--config", &config]).unwrap();
        assert_eq!(setting(&gateway, "log_format").0, "json");
        assert!(gateway.settings.iter().all(|setting| setting.key != "nats_url"));
        let sagas = understood(&["saga-orchestrator", "--config", &config]).unwrap();
        assert_eq!(setting(&sagas, "nats_url").0, "nats://a:***@n");
        assert_eq!(setting(&sagas, "postgres_url"), (String::new(), "not set".into()));
    }

    #[test]
    fn a_secret_s_file_in_a_flag_takes_the_place_of_the_secret_in_the_settings_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("url");
        std::fs::write(&secret, "postgres://shop:geheim@db/log\n").unwrap();
        let secret = secret.display().to_string();
        let config = file(folder.path(), "postgres_url = \"postgres://other\"\n");
        let words = ["saga-orchestrator", "--config", &config, "--postgres-url-file", &secret];
        let understood = understood(&words).unwrap();
        let (value, source) = setting(&understood, "postgres_url");
        assert_eq!(value, "postgres://shop:***@db/log");
        assert_eq!(source, format!("file {secret}, named by flag --postgres-url-file"));
    }

    #[test]
    fn a_value_of_the_file_is_checked_as_that_of_a_flag_is() {
        let folder = tempfile::tempdir().unwrap();
        let config = file(folder.path(), "listen = \"foo\"\n");
        let Err(Misunderstood::Words(error, Some(_))) = understood(&["--config", &config]) else {
            panic!("an address without a port is none");
        };
        assert!(error.to_string().contains("a host and a port"), "{error}");
        let config = file(folder.path(), "lisen = \"foo\"\n");
        assert!(matches!(understood(&["--config", &config]), Err(Misunderstood::File(_))));
    }
}
