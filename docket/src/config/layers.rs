//! Reading the command line: flags, then environment, then the settings file, then defaults.
//!
//! The line is read twice. The first time tells what flags and environment say, and which settings file there is; what
//! only the file says is then put behind the words, and they are read again. **Invariant:** a value from the file is
//! checked as the same value of a flag is.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::file::{FileSettings, Known, SettingsFile};
use super::secret::twin;
use super::sources::{Setting, said_once, settings};
use crate::cli::Cli;

/// The key that names the settings file.
const CONFIG: &str = "config";

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
    Words(Box<clap::Error>, Option<FileSettings>),
    /// The settings are: the file, or two of them together.
    Settings(Error),
}

/// The processes that are also programs: this one, under another name.
const PROGRAMS: [&str; 6] = [
    "command-service",
    "projection-service",
    "saga-orchestrator",
    "notification-service",
    "payment-simulator",
    "gateway",
];

/// Called by the name of a process, the program is that process.
fn under_its_name(mut words: Vec<OsString>) -> (Command, Vec<OsString>) {
    let command = Cli::command();
    let called = words.first().and_then(|path| Path::new(path).file_stem());
    let program = PROGRAMS.into_iter().find(|program| called.is_some_and(|name| name == *program));
    let Some(program) = program else { return (command, words) };
    words.insert(1, program.into());
    let as_a_program = |process: Command| {
        process
            .override_usage(format!("{program} [OPTIONS]"))
            .display_name(program)
            .version(env!("CARGO_PKG_VERSION"))
    };
    (command.mut_subcommand(program, as_a_program), words)
}

/// Reads the words of a command line.
pub(crate) fn understand(words: Vec<OsString>) -> Result<Understood, Misunderstood> {
    let (command, words) = under_its_name(words);
    let read = |words: &[OsString], file: Option<&FileSettings>| {
        let read = command.clone().try_get_matches_from(words);
        read.map_err(|error| Misunderstood::Words(Box::new(error), file.cloned()))
    };
    let matches = read(&words, None)?;
    let (chosen, said) = deepest(&command, &matches);
    let path = is_key(chosen, CONFIG).then(|| said.get_raw(CONFIG)?.next()).flatten();
    let file = match path {
        Some(path) => {
            let file = SettingsFile::read(path.as_ref(), &known(&command));
            let file = file.map_err(Misunderstood::Settings)?;
            Some(file.of(process(chosen), &keys(chosen).collect()))
        }
        None => None,
    };
    let mut all_words = words;
    if let Some(file) = &file {
        all_words.extend(words_of(file, chosen, said));
    }
    let all_matches = read(&all_words, file.as_ref())?;
    let all_said = deepest(&command, &all_matches).1;
    let settings = settings(chosen, said, all_said, file.as_ref());
    said_once(chosen, said, all_said, file.as_ref()).map_err(Misunderstood::Settings)?;
    let cli = Cli::from_arg_matches(&all_matches)
        .map_err(|error| Misunderstood::Words(Box::new(error), file))?;
    Ok(Understood { cli, settings })
}

/// The command that was chosen, with what was said to it. Those below one that takes the settings file for all of them are parts of it.
fn deepest<'a>(
    mut command: &'a Command,
    mut matches: &'a ArgMatches,
) -> (&'a Command, &'a ArgMatches) {
    while !takes_file_for_all(command)
        && let Some((name, below)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, below);
    }
    (command, matches)
}

fn takes_file_for_all(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == CONFIG && arg.is_global_set())
}

pub(super) fn is_key(command: &Command, key: &str) -> bool {
    keys(command).any(|known| known == key)
}

/// The arguments of a command that are settings: those with a variable.
pub(super) fn keys(command: &Command) -> impl Iterator<Item = &str> {
    command.get_arguments().filter(|arg| arg.get_env().is_some()).map(|arg| arg.get_id().as_str())
}

/// The section of a command in the settings file.
fn process(command: &Command) -> &str {
    match command.get_name() {
        // Nobody has to say `dev`.
        "docket" | "print" => "dev",
        name => name,
    }
}

/// The keys of every command that takes a settings file.
fn known(command: &Command) -> Known {
    let mut known = Known::new();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        if is_key(command, CONFIG) {
            let keys = keys(command).filter(|key| *key != CONFIG).map(str::to_owned);
            known.entry(process(command).to_owned()).or_default().extend(keys);
        }
    }
    known
}

/// What the file says that neither flags nor environment do. Whoever sets a secret takes its file's place, and the other
/// way round.
fn words_of(file: &FileSettings, command: &Command, said: &ArgMatches) -> Vec<OsString> {
    let stays = |key: &&str| {
        let twin = twin(key);
        is_unsaid(said, key) && (!is_key(command, &twin) || is_unsaid(said, &twin))
    };
    let word = |key: &str| Some(format!("--{}={}", key.replace('_', "-"), file.value(key)?).into());
    keys(command).filter(stays).filter_map(word).collect()
}

fn is_unsaid(said: &ArgMatches, key: &str) -> bool {
    !matches!(said.value_source(key), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings file of all processes that README shows.
    fn of_readme() -> &'static str {
        let readme = include_str!("../../../README.md");
        let (_, from_file) = readme.split_once("```toml\n").unwrap();
        from_file.split_once("```").unwrap().0
    }

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
        let named = |path: &str| under_its_name(vec![path.into(), "--help".into()]).1;
        assert_eq!(named("/usr/bin/gateway"), ["/usr/bin/gateway", "gateway", "--help"]);
        assert_eq!(named("./docket"), ["./docket", "--help"]);
        let asked = |words: [&str; 2]| match understand(words.map(Into::into).into()) {
            Err(Misunderstood::Words(asked, _)) => asked.to_string(),
            other => panic!("{other:?}"),
        };
        let help = asked(["/usr/bin/gateway", "--help"]);
        assert!(help.contains("Usage: gateway [OPTIONS]"), "{help}");
        let version = asked(["/usr/bin/gateway", "--version"]);
        assert_eq!(version.trim_end(), concat!("gateway ", env!("CARGO_PKG_VERSION")));
        let wrong = asked(["/usr/bin/gateway", "--foo"]);
        assert!(wrong.contains("Usage: gateway [OPTIONS]"), "{wrong}");
    }

    #[test]
    fn one_file_serves_every_process_and_each_takes_what_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            file(folder.path(), "nats_url = \"nats://a:geheim@n\"\nlog_format = \"json\"\n");
        let simulator = understood(&["payment-simulator", "--config", &config]).unwrap();
        assert_eq!(setting(&simulator, "log_format").0, "json");
        assert!(simulator.settings.iter().all(|setting| setting.key != "nats_url"));
        let sagas = understood(&["saga-orchestrator", "--config", &config]).unwrap();
        assert_eq!(setting(&sagas, "nats_url").0, "nats://a:***@n");
        assert_eq!(setting(&sagas, "postgres_url"), (String::new(), "not set".into()));
    }

    #[test]
    fn each_process_has_a_section_and_who_looks_at_all_of_them_reads_it_there() {
        let folder = tempfile::tempdir().unwrap();
        let gateway = "\n[gateway]\nlisten = \"127.0.0.1:9080\"\n";
        let config = file(folder.path(), &format!("{}{gateway}", of_readme()));
        let of = |command: &str, key: &str| {
            let words: Vec<&str> = command.split(' ').chain(["--config", &config]).collect();
            setting(&understood(&words).unwrap(), key)
        };
        let section = |name: &str| format!("settings file {config}, [{name}]");
        let log = || "postgres://docket@127.0.0.1/log".to_owned();
        assert_eq!(of("command-service", "postgres_url"), (log(), section("command-service")));
        let printed = of("config print saga-orchestrator", "postgres_url");
        assert_eq!(printed.1, section("saga-orchestrator"));
        assert_eq!(of("gateway", "listen").0, "127.0.0.1:9080");
        assert_eq!(of("projection-service", "listen"), ("127.0.0.1:8082".into(), "default".into()));
        let borrowed = format!("{}: postgres_url", section("command-service"));
        assert_eq!(of("verify", "command_postgres_url"), (log(), borrowed.clone()));
        assert_eq!(of("events", "command_postgres_url"), (log(), borrowed));
        for command in ["verify", "digest"] {
            assert_eq!(
                of(command, "projection_postgres_url").0,
                "postgres://docket@127.0.0.1/reads"
            );
        }
        assert_eq!(of("verify", "saga_postgres_url").0, "postgres://docket@127.0.0.1/sagas");
        assert_eq!(of("verify", "master_key_file").0, "master.key");
        for command in [
            "status",
            "replay",
            "projections list",
            "dead-letters list",
            "sagas list",
            "webhooks show wh_1",
            "mails list",
            "import online-retail day.csv",
        ] {
            assert_eq!(of(command, "gateway_url").0, "http://127.0.0.1:9080", "{command}");
        }
    }

    #[test]
    fn a_secret_and_its_file_are_not_both_said() {
        let words = ["saga-orchestrator", "--postgres-url", "a", "--postgres-url-file", "b"];
        for before in [&[][..], &["config", "print"]] {
            let Err(Misunderstood::Settings(error)) = understood(&[before, &words].concat()) else {
                panic!("which one counts?");
            };
            let said = "postgres_url (flag --postgres-url) and postgres_url_file (flag --postgres-url-file) are both set";
            assert!(error.to_string().starts_with(said), "{error}");
        }
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
        assert!(matches!(understood(&["--config", &config]), Err(Misunderstood::Settings(_))));
    }
}
