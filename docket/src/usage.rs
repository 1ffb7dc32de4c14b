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
        Misunderstood::File(error) => {
            crate::output::complain(error);
            return ExitCode::from(WRONG);
        }
    };
    // A reader that has gone needs no message.
    drop(error.print());
    let variable = |name: &str| std::env::var(name).ok();
    let in_file = |key: &str| {
        let file = file.as_ref()?;
        Some((file.value(key)?.to_owned(), format!("settings file {}", file.path().display())))
    };
    if let Some(hint) = hint(error, variable, in_file) {
        crate::output::complain(&anyhow::Error::msg(hint));
    }
    if error.use_stderr() { ExitCode::from(WRONG) } else { ExitCode::SUCCESS }
}

fn hint(
    error: &Error,
    variable: impl Fn(&str) -> Option<String>,
    file: impl Fn(&str) -> Option<(String, String)>,
) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if error.kind() == ErrorKind::ArgumentConflict {
        let command = text(ContextKind::InvalidSubcommand)?;
        return Some(format!(
            "options stand after the command that they are for, as in `docket {command} --data-dir DIR`"
        ));
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn hint_to(words: &[&str], value: Option<&str>) -> String {
        let error = Cli::try_parse_from(words).unwrap_err();
        hint(&error, |_| value.map(str::to_owned), |_| None).unwrap_or_default()
    }

    #[test]
    fn an_option_before_its_command_is_told_where_it_belongs() {
        let said = hint_to(&["docket", "--data-dir", "x", "status"], None);
        assert!(said.contains("`docket status --data-dir DIR`"), "{said}");
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
        let said = hint(&error, |_| None, file).unwrap();
        assert_eq!(said, "the value `abc` comes from the settings file x.toml");
    }
}
