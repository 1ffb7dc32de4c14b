//! The steps of the commands, in order, each with the time that it took.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::contract;
use crate::house;
use crate::kubernetes;
use crate::servers::Servers;

/// Runs everything that CI runs.
pub(crate) fn test(root: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let cargo = |words: &str| run(root, words);
    step("format", || cargo("fmt --all --check"))?;
    step("house rules", || house::check(root))?;
    step("lints", || cargo("clippy --workspace --all-targets --locked -- -D warnings"))?;
    let servers = Servers::start()?;
    let test = |words: &str| run_with(root, &servers, words);
    if is_installed(root, "nextest") {
        step("tests", || test("nextest run --workspace --locked"))?;
    } else {
        println!(
            "-- cargo-nextest is not installed: the tests run under `cargo test`, more slowly"
        );
        step("tests", || test("test --workspace --locked --all-targets"))?;
    }
    drop(servers);
    step("kubernetes", || kubernetes::check(root))?;
    step("contract", || contract::bounded(root))?;
    step("doc tests", || cargo("test --workspace --locked --doc"))?;
    if is_installed(root, "deny") {
        step("bans, licences, sources", || {
            cargo("deny --log-level warn check bans licenses sources")
        })?;
    } else {
        println!("-- LEFT OUT: bans, licences and sources, because cargo-deny is not installed");
    }
    println!("== everything passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs one cargo command beside the servers that tests need, which then don't start their own.
pub(crate) fn with_servers(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    run_with(root, &Servers::start()?, &words.join(" "))
}

/// Writes what `schemas/` has to hold. Golden files are only added: one that is there is never changed.
pub(crate) fn schemas(root: &Path) -> anyhow::Result<()> {
    for words in [
        "test --package domain --test it --locked -- schemas:: golden::",
        "test --package notification-service --test it --locked -- public_events::the_committed_schemas",
    ] {
        let status = cargo(root, words)
            .env("DOCKET_UPDATE_SCHEMAS", "1")
            .status()
            .context("the generator can't be started")?;
        if !status.success() {
            bail!("the schemas were not written");
        }
    }
    Ok(())
}

fn step(name: &str, act: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    println!("== {name}");
    let started = Instant::now();
    act().with_context(|| format!("== {name} failed"))?;
    println!("== {name}: passed in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs cargo with these words.
fn run(root: &Path, words: &str) -> anyhow::Result<()> {
    succeed(&mut cargo(root, words), words)
}

/// The same, telling it where the servers are.
fn run_with(root: &Path, servers: &Servers, words: &str) -> anyhow::Result<()> {
    let mut command = cargo(root, words);
    servers.tell(&mut command);
    succeed(&mut command, words)
}

fn succeed(command: &mut Command, words: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("`cargo {words}` can't be started"))?;
    if !status.success() {
        bail!("`cargo {words}` ended with {status}");
    }
    Ok(())
}

/// Whether cargo knows this subcommand.
fn is_installed(root: &Path, subcommand: &str) -> bool {
    let asked = cargo(root, &format!("{subcommand} --version"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn cargo(root: &Path, words: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(words.split(' '));
    command
}
