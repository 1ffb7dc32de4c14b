//! Runs in which everybody is asked who they are. Without them nobody is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

/// As whom the harness comes, and its clients, as Docket names them.
const CALLER: &str = "dev:chaos";
/// The same in the words of `docket token`. It does all that a run does.
const SUBJECT: [&str; 4] = ["--subject", "chaos", "--role", "operator"];
/// Customers who show tokens of their own.
pub(crate) const CUSTOMERS: [&str; 2] = ["canary-a", "canary-b"];
/// Longer than any batch of runs.
const MINUTES: &str = "10000";
/// What is counted of a run with tokens.
pub(crate) const ASKED: &str = "asked who they are";

/// What processes and clients are told.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Whose tokens processes take.
    pub(crate) auth_file: PathBuf,
    /// What clients show.
    pub(crate) token: String,
    /// What each of the customers shows.
    pub(crate) customers: Vec<String>,
}

static TOKENS: OnceLock<Tokens> = OnceLock::new();

/// Of this program, if it was asked for them.
pub(crate) fn tokens() -> Option<&'static Tokens> {
    TOKENS.get()
}

/// Whose commands they are that the harness asks for.
pub(crate) fn caller() -> Option<String> {
    tokens().map(|_| CALLER.to_owned())
}

/// Draws keys in this folder, unless there are some, and makes tokens with them: for every run from now on.
pub(crate) fn ask_everybody(docket: &Path, folder: &Path) -> Result<()> {
    let folder = folder.canonicalize()?.join("auth");
    let auth_file = folder.join("auth.toml");
    if !auth_file.is_file() {
        said(Command::new(docket).args(["token", "init"]).arg(&folder))?;
    }
    let make = |subject: &[&str]| {
        let mut make = Command::new(docket);
        make.args(["token", "--minutes", MINUTES]).args(subject);
        Ok(said(make.arg("--auth-file").arg(&auth_file))?.trim().to_owned())
    };
    let token = make(&SUBJECT)?;
    let of_customer = |name| make(&["--subject", name, "--role", "customer"]);
    let customers = CUSTOMERS.into_iter().map(of_customer).collect::<Result<_>>()?;
    drop(TOKENS.set(Tokens { auth_file, token, customers }));
    Ok(())
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().context("docket can't be started")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`docket token` says: {error}");
    Ok(String::from_utf8(output.stdout)?)
}
