//! How a batch was asked for, beside fault and seed: with the same words, and as much patience, a run is repeated.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::patience;

/// What a run was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// What every wait was multiplied with; 1 usually.
    patience: u32,
    /// The binary that was broken, where one was named.
    docket: Option<PathBuf>,
    /// That of the other version.
    other: Option<PathBuf>,
    /// Whether everybody was asked who they are.
    tokens: bool,
}

impl Setting {
    /// As this program was called.
    pub(crate) fn of(args: &Args) -> Self {
        let Args { docket, other, tokens, .. } = args;
        let (docket, other) = (docket.clone(), other.clone());
        Self { patience: patience::factor(), docket, other, tokens: *tokens }
    }

    /// The command that repeats a run.
    pub(crate) fn command(&self, fault: &str, seed: u64) -> String {
        let mut words = Vec::new();
        if self.patience > 1 {
            words.push(format!("{}={}", patience::VARIABLE, self.patience));
        }
        words.push(format!("cargo xtask chaos --fault {fault} --seed {seed}"));
        if self.tokens {
            words.push("--tokens".to_owned());
        }
        for (name, file) in [("docket", &self.docket), ("other", &self.other)] {
            let file = file.as_ref().map(|file| file.to_string_lossy());
            words.extend(file.map(|file| format!("--{name} {}", quoted(&file))));
        }
        words.join(" ")
    }
}

/// As a shell takes it for one word. No path has what can't be quoted, a zero byte.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_repeated_with_all_that_it_was_given() {
        let plain = Setting { patience: 1, ..Setting::default() };
        assert_eq!(plain.command("F6", 7), "cargo xtask chaos --fault F6 --seed 7");
        let given = Setting {
            patience: 3,
            docket: Some("/a b/docket".into()),
            other: Some("older/docket".into()),
            tokens: true,
        };
        assert_eq!(
            given.command("F29", 41),
            "DOCKET_CHAOS_PATIENCE=3 cargo xtask chaos --fault F29 --seed 41 --tokens \
             --docket '/a b/docket' --other older/docket"
        );
    }
}
