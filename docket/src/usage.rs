//! What is said when the words of the command line can't be understood: clap's message, and what it leaves out.

use std::process::ExitCode;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::Misunderstood;

/// What a process ends with whose words or settings are wrong.
pub(crate) const WRONG: u8 = 2;

/// Prints what is wrong, or the help that was asked for; the exit code of the process.
pub(crate) fn explain(wrong: &Misunderstood) -> ExitCode {
    let (error, file) = match wrong {
        Misunderstood::Words(error, file) => (error, file),
        Misunderstood::Settings(error) => {
            crate::output::complain(error);
            return ExitCode::from(WRONG);
        }
    };
    // A reader that has gone needs no message.
    drop(error.print());
    let variable = |name: &str| std::env::var(name).ok();
    let in_file = |key: &str| {
        let file = file.as_ref()?;
        Some((file.value(key)?.to_owned(), file.place(key)?))
    };
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(hint) = hint(error, &words, variable, in_file) {
        crate::output::complain(&anyhow::Error::msg(hint));
    }
    if error.use_stderr() { ExitCode::from(WRONG) } else { ExitCode::SUCCESS }
}

fn hint(
    error: &Error,
    words: &[String],
    variable: impl Fn(&str) -> Option<String>,
    file: impl Fn(&str) -> Option<(String, String)>,
) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if error.kind() == ErrorKind::ArgumentConflict {
        return match text(ContextKind::InvalidSubcommand) {
            Some(command) => Some(format!(
                "options stand after the command that they are for: `docket {}`",
                with_options_last(words, command)
            )),
            None => why_not_both(error).map(str::to_owned),
        };
    }
    let flag = text(ContextKind::InvalidArg)?.split_whitespace().next()?;
    let key = flag.strip_prefix("--")?.replace('-', "_");
    let name = format!("DOCKET_{}", key.to_uppercase());
    let bad = text(ContextKind::InvalidValue)?;
    let place = match (variable(&name), file(&key)) {
        (Some(given), _) if given == bad => format!("environment variable {name}"),
        (_, Some((given, place))) if given == bad => place,
        _ => return None,
    };
    Some(format!("the value `{bad}` comes from the {place}"))
}

/// The words, with the options before this command behind it.
fn with_options_last(words: &[String], command: &str) -> String {
    let options = words.iter().position(|word| word.starts_with('-')).unwrap_or_default();
    let place = words.iter().position(|word| word == command).unwrap_or_default().max(options);
    let (before, rest) = words.split_at(options);
    let (options, behind) = rest.split_at(place - options);
    let (command, behind) = behind.split_at(behind.len().min(1));
    [before, command, options, behind].concat().join(" ")
}

/// Why two options do not go together.
fn why_not_both(error: &Error) -> Option<&'static str> {
    let mut flags = Vec::new();
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        match error.get(kind) {
            Some(ContextValue::String(text)) => flags.push(text.as_str()),
            Some(ContextValue::Strings(texts)) => flags.extend(texts.iter().map(String::as_str)),
            _ => {}
        }
    }
    let said = |flag: &str| flags.iter().any(|text| text.split(' ').next() == Some(flag));
    if said("--url") && said("--to") {
        return Some(
            "--to builds from the log's own files, which no address shows: name their folder with --data-dir; the platform \
             may be running",
        );
    }
    if said("--url") && said("--data-dir") {
        return Some(
            "--url is about a running platform, --data-dir about the files of a stopped one: name one of them",
        );
    }
    if said("--to") {
        return Some(
            "--to builds a state to look at, in a folder of its own; --rollback, --switch and --drop decide about the live \
             models and build nothing: ask for one after the other",
        );
    }
    ["--rollback", "--switch", "--drop"].iter().any(|flag| said(flag)).then_some(
        "--rollback, --switch and --drop are three answers to one question: which generation is live",
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn hint_to(words: &[&str], value: Option<&str>) -> String {
        let error = Cli::try_parse_from(words).unwrap_err();
        let words: Vec<String> = words.iter().skip(1).map(|word| (*word).to_owned()).collect();
        hint(&error, &words, |_| value.map(str::to_owned), |_| None).unwrap_or_default()
    }

    #[test]
    fn an_option_before_its_command_is_told_where_it_belongs() {
        let said = hint_to(&["docket", "--data-dir", "x", "status"], None);
        assert!(said.ends_with("`docket status --data-dir x`"), "{said}");
        let said = hint_to(&["docket", "config", "print", "--json", "gateway"], None);
        assert!(said.ends_with("`docket config print gateway --json`"), "{said}");
    }

    #[test]
    fn options_that_do_not_go_together_are_told_why() {
        for (words, why) in [
            (&["--url", "http://a", "--to", "5"][..], "--to builds from the log's own files"),
            (&["--to", "5", "--url", "http://a"], "--to builds from the log's own files"),
            (&["--url", "http://a", "--data-dir", "x"], "name one of them"),
            (&["--to", "5", "--rollback"], "build nothing"),
            (&["--switch", "--drop"], "one question"),
        ] {
            let said = hint_to(&[&["docket", "replay"], words].concat(), None);
            assert!(said.contains(why), "{words:?}: {said}");
        }
    }

    #[test]
    fn who_names_an_address_where_none_is_taken_is_told_what_is() {
        for command in ["verify", "digest", "events"] {
            let words = ["docket", command, "--url", "http://127.0.0.1:8080"];
            let error = Cli::try_parse_from(words).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("--data-dir") && said.contains("databases"), "{said}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn a_bad_value_is_traced_to_the_variable_that_it_came_from() {
        let words = ["docket", "dev", "--payment-deadline-ms", "abc"];
        let said = hint_to(&words, Some("abc"));
        assert!(said.contains("DOCKET_PAYMENT_DEADLINE_MS"), "{said}");
        assert_eq!(hint_to(&words, Some("300")), "");
        assert_eq!(hint_to(&words, None), "");
        let error = Cli::try_parse_from(words).unwrap_err();
        let file = |_: &str| Some(("abc".to_owned(), "settings file x.toml".to_owned()));
        let said = hint(&error, &[], |_| None, file).unwrap();
        assert_eq!(said, "the value `abc` comes from the settings file x.toml");
    }
}
