//! `docket replay`: read models built anew from the log. Beside a running platform, over a stopped one, or as of a
//! position into a folder of their own.

mod as_of;
mod bars;
mod decision;
mod running;
mod stopped;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use projection_service::Projector;
use projection_service::offline::Decision;

use crate::numbers::whole;
use crate::target::{Target, TargetArgs};

/// Build read models anew from the log, with progress; reads go on meanwhile
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A model is built beside the live one, compared and switched. When the two differ, the live one stays and \
    the rows are shown: --switch makes the new one live, --drop drops it. Of a running platform, the one that was live \
    before is kept for an hour: --rollback makes it live again. What a running platform does is in its log, with who and why: --reason. With --to, the state as of a position is \
    built into a folder, to look at; nothing else is touched."
)]
pub(crate) struct ReplayArgs {
    /// Only this model; may be given several times [default: all]
    #[arg(long = "projection", value_name = "NAME")]
    projections: Vec<String>,
    /// Build the state as of this position, into a folder of its own
    #[arg(long, value_name = "POSITION", conflicts_with = "url",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    to: Option<u64>,
    /// The folder for --to [default: a new temporary folder]
    #[arg(long, value_name = "DIR", requires = "to")]
    out: Option<PathBuf>,
    /// Build nothing: make the generation live again that was live before
    #[arg(long, group = "decision", conflicts_with = "to")]
    rollback: bool,
    /// Build nothing: make the generation live that was built anew and differs
    #[arg(long, group = "decision", conflicts_with = "to")]
    switch: bool,
    /// Build nothing: drop the generation that is kept beside the live one
    #[arg(long, group = "decision", conflicts_with = "to")]
    drop: bool,
    /// Why; in the log of a running platform, which has to be told. Over a stopped one nothing is recorded
    #[arg(long, value_name = "TEXT", conflicts_with = "to")]
    reason: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

impl ReplayArgs {
    fn decision(&self) -> Option<Decision> {
        let words = [
            (self.rollback, Decision::RollBack),
            (self.switch, Decision::Switch),
            (self.drop, Decision::Drop),
        ];
        words.into_iter().find(|(said, _)| *said).map(|(_, decision)| decision)
    }

    /// Why, for the log of a platform that runs.
    fn why(&self) -> Result<&str> {
        let missing = "the platform runs, and its log keeps who does this and why: say why with --reason TEXT";
        self.reason.as_deref().context(missing)
    }
}

pub(crate) async fn run(args: ReplayArgs) -> Result<ExitCode> {
    let projectors = projectors(&args.projections)?;
    if let Some(position) = args.to {
        let folder = args.target.folder_or_default()?;
        return as_of::run(&folder, &projectors, position, args.out).await;
    }
    let decision = args.decision();
    match (args.target.choose().await?, decision) {
        (Target::Running(api), None) => running::run(&api, &projectors, args.why()?).await,
        (Target::Running(api), Some(decision)) => {
            running::decide(&api, &projectors, decision, args.why()?).await
        }
        (Target::Folder(folder), None) => stopped::run(&folder, &projectors).await,
        (Target::Folder(folder), Some(decision)) => {
            stopped::decide(&folder, &projectors, decision).await
        }
    }
}

/// The models of these names; all of them when none is named.
fn projectors(names: &[String]) -> Result<Vec<Projector>> {
    if names.is_empty() {
        return Ok(Projector::ALL.to_vec());
    }
    let known = || Projector::ALL.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ");
    let mut found = Vec::new();
    for name in names {
        let projector = Projector::parse(name)
            .ok_or_else(|| anyhow!("there is no read model `{name}`; there are {}", known()))?;
        if !found.contains(&projector) {
            found.push(projector);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_all_models_are_meant_and_an_unknown_one_is_named() {
        assert_eq!(projectors(&[]).unwrap().len(), Projector::ALL.len());
        let twice = ["orders".to_owned(), "orders".to_owned()];
        assert_eq!(projectors(&twice).unwrap(), [Projector::Orders]);
        let error = projectors(&["carts".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`carts`") && error.contains("orders"), "{error}");
    }
}
