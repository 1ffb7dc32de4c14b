//! The Kustomize overlays of `deploy/kubernetes`, built, and held against the schemas of Kubernetes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use test_servers::is_required;

use crate::bench::target;
use crate::contract::succeed;

/// Which validator; it brings the schemas.
const VERSION: &str = "1.37.0";
/// Which Kubernetes: the oldest that takes everything that is used.
const KUBERNETES: &str = "1.31.0";

/// Every overlay has to build, and every object in it to be one that Kubernetes takes.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    match tools(root) {
        Ok((build, validator)) => overlays(root)?
            .iter()
            .try_for_each(|overlay| validate(root, &build, &validator, overlay)),
        Err(error) if is_required() => Err(error),
        Err(error) => {
            println!("-- LEFT OUT: the overlays of Kubernetes: {error:#}");
            Ok(())
        }
    }
}

/// What builds an overlay, and what validates it.
fn tools(root: &Path) -> anyhow::Result<(Vec<&'static str>, PathBuf)> {
    let build = [vec!["kustomize", "build"], vec!["kubectl", "kustomize"]];
    let answers = |words: &&Vec<&str>| {
        Command::new(words[0])
            .args([words[1], "--help"])
            .output()
            .is_ok_and(|told| told.status.success())
    };
    let build = build.iter().find(answers).context("neither kustomize nor kubectl is installed")?;
    Ok((build.clone(), validator(root).context("kubernetes-validate can't be installed")?))
}

fn overlays(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join("deploy/kubernetes/overlays");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("{} is missing", folder.display()))?;
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    found.sort();
    ensure!(!found.is_empty(), "there is no overlay");
    Ok(found)
}

fn validate(root: &Path, build: &[&str], validator: &Path, overlay: &Path) -> anyhow::Result<()> {
    let name = overlay.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = Command::new(build[0]).args(&build[1..]).arg(overlay).output()?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    let folder = target(root).join("kubernetes");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.yaml"));
    fs::write(&file, output.stdout)?;
    let mut validate = Command::new(validator);
    let validated = validate.args(["--strict", "-k", KUBERNETES]).arg(&file).output()?;
    if !validated.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&validated.stdout).trim());
    }
    println!("{name}: Kubernetes {KUBERNETES} takes it");
    Ok(())
}

/// The program, installed into a virtual environment under `target/` the first time.
fn validator(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = target(root).join("kubernetes").join(format!("kubernetes-validate-{VERSION}"));
    let program = folder.join("bin/kubernetes-validate");
    let answers = |program: &Path| {
        Command::new(program).arg("--version").output().is_ok_and(|told| told.status.success())
    };
    if answers(&program) {
        return Ok(program);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let wanted = format!("kubernetes-validate=={VERSION}");
    let mut pip = Command::new(folder.join("bin/python"));
    succeed(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &wanted]))?;
    ensure!(answers(&program), "{wanted} is installed and does not answer");
    Ok(program)
}
