//! `cargo xtask contract`: what `/openapi.json` promises, held against what a running platform answers.
//!
//! Schemathesis makes the requests up, right ones and wrong ones, from the description alone; `tests/contract/` says what every
//! answer has to be like. Afterwards `docket verify` looks whether any of it has broken a law. The platform is one process
//! with a data folder of its own under `target/`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use test_servers::is_required;

use crate::bench::target;

/// Which schemathesis: another one makes up other requests.
const VERSION: &str = "4.32.5";
/// What a run is, unless told otherwise.
const USUAL: [(&str, &str); 2] = [("--examples", "100"), ("--seed", "1")];
/// What a run is as a step of the tests: half a minute.
const BOUNDED: [&str; 4] = ["--examples", "8", "--seed", "1"];

/// A bounded run as a step of the tests, of the program that they have built.
pub(crate) fn bounded(root: &Path) -> anyhow::Result<()> {
    match schemathesis(root) {
        Ok(schemathesis) => run(root, &program(root), &schemathesis, &BOUNDED),
        Err(error) if is_required() => Err(error),
        Err(error) => {
            println!(
                "-- LEFT OUT: the contract of /openapi.json, because schemathesis can't be installed: {error:#}"
            );
            Ok(())
        }
    }
}

/// A run by hand: `--examples N` requests an operation and kind, `--seed N`; whatever follows `--` goes to schemathesis.
pub(crate) fn contract(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--quiet", "--locked", "--package", "docket"]);
    let status = cargo.status().context("`cargo build` can't be started")?;
    ensure!(status.success(), "docket can't be built");
    run(root, &program(root), &schemathesis(root)?, words)
}

/// What cargo builds for tests and by hand alike.
fn program(root: &Path) -> PathBuf {
    target(root).join("debug/docket")
}

fn run(root: &Path, docket: &Path, schemathesis: &Path, words: &[&str]) -> anyhow::Result<()> {
    let (ours, theirs) = match words.iter().position(|word| *word == "--") {
        Some(at) => (&words[..at], &words[at + 1..]),
        None => (words, [].as_slice()),
    };
    let folder = target(root).join("contract");
    let platform = Platform::start(docket, &folder)?;
    let mut checks = Command::new(schemathesis);
    let ours_to_say = root.join("tests/contract");
    // What it leaves behind stays in its own folder.
    checks.current_dir(&folder).env("SCHEMATHESIS_HOOKS", ours_to_say.join("hooks.py"));
    checks.arg("--config-file").arg(ours_to_say.join("schemathesis.toml"));
    // A stream never ends.
    checks.args(["run", "--no-color", "--exclude-path-regex", "/stream$", "--max-examples"]);
    checks.arg(setting(ours, "--examples")?).arg("--seed").arg(setting(ours, "--seed")?);
    checks.args(theirs).arg(format!("{}/openapi.json", platform.url));
    let checked = checks.status().context("schemathesis can't be started")?;
    let data = platform.end()?;
    let mut verify = Command::new(docket);
    let verified = verify.arg("verify").arg("--data-dir").arg(&data).status();
    ensure!(verified.context("docket can't be started")?.success(), "a law is broken, see above");
    ensure!(
        checked.success(),
        "the contract is broken, see above; {} has the log",
        folder.display()
    );
    Ok(())
}

/// The value of one of our settings.
fn setting<'w>(words: &[&'w str], name: &str) -> anyhow::Result<&'w str> {
    let known = |word: &&str| USUAL.iter().any(|(known, _)| known == word);
    let mut pairs = words.chunks(2);
    if let Some(odd) = pairs.find(|pair| pair.len() < 2 || !known(&pair[0])) {
        bail!("`{}` is not taken here; --examples N and --seed N are", odd.join(" "));
    }
    let given = words.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
    let usual = USUAL.iter().find(|(known, _)| *known == name).map(|(_, usual)| *usual);
    let value = given.or(usual).unwrap_or_default();
    ensure!(value.parse::<u32>().is_ok(), "`{name} {value}` is no number");
    Ok(value)
}

/// The program, installed into a virtual environment under `target/` the first time.
fn schemathesis(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = target(root).join("contract").join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    let answers = |program: &Path| {
        let told = Command::new(program).arg("--version").output();
        told.is_ok_and(|told| told.status.success())
    };
    if answers(&program) {
        return Ok(program);
    }
    let wanted = format!("schemathesis=={VERSION}");
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    succeed(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &wanted]))?;
    ensure!(answers(&program), "{wanted} is installed and does not answer");
    Ok(program)
}

/// Runs a command whose output only matters when it fails.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} can't be started"))?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// A platform in one process; it ends when this is dropped.
struct Platform {
    process: Child,
    data: PathBuf,
    url: String,
}

impl Platform {
    /// Starts with an empty folder, and waits until it says where it is.
    fn start(docket: &Path, folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let log = fs::File::create(folder.join("docket.log"))?;
        let mut dev = Command::new(docket);
        dev.args(["dev", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        dev.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let process = dev.spawn().context("docket can't be started")?;
        let mut platform = Self { process, data, url: String::new() };
        platform.url = platform.address()?;
        Ok(platform)
    }

    fn address(&mut self) -> anyhow::Result<String> {
        let said = self.process.stdout.take().context("docket has no output")?;
        let mut lines = BufReader::new(said).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                // Whoever writes to a pipe that nobody reads waits for ever.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(url.to_owned());
            }
        }
        bail!("docket ended before it was up; its log is beside {}", self.data.display())
    }

    /// Ends it without a warning, as a crash would: nothing may depend on a farewell. Gives back its data.
    fn end(mut self) -> anyhow::Result<PathBuf> {
        let ended = self.process.try_wait()?;
        ensure!(ended.is_none(), "docket has ended by itself: {ended:?}");
        Ok(self.data.clone())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_the_given_one_or_the_usual_and_nothing_else_is_taken() {
        assert_eq!(setting(&["--seed", "7"], "--seed").unwrap(), "7");
        assert_eq!(setting(&["--seed", "7"], "--examples").unwrap(), "100");
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--sed", "7"]] {
            assert!(setting(wrong, "--seed").is_err(), "{wrong:?}");
        }
    }
}
