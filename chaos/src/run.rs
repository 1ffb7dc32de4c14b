//! One run: a platform is started, loaded, broken, healed, left to settle, and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

use crate::awake::Awake;
use crate::breakers;
use crate::canaries::Canaries;
use crate::checks;
use crate::client::Client;
use crate::fault::Fault;
use crate::holdings::{self, holdings};
use crate::load::{JournalFile, Load, Tally, furnish};
use crate::operator;
use crate::patience::{patience, told_within};
use crate::phases::{Phases, Seconds};
use crate::probes::Probes;
use crate::readiness;
use crate::scene::Scene;
use crate::setting::Setting;
use crate::stack::{Programs, Stack};
use crate::tokens::{ASKED, tokens};
use crate::told;

/// No run takes longer: what has not ended by then is stuck. Multiplied with the patience.
const LONGEST: u32 = 7;

/// Of so many runs somebody outside is told of orders in one.
const TOLD_IN: u32 = 3;

/// What a run came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) fault: String,
    pub(crate) seed: u64,
    /// What is wrong; empty is good.
    pub(crate) violations: Vec<String>,
    /// From each healing to the first new command that a reader sees.
    pub(crate) recovery_ms: Vec<u64>,
    /// What happened, and how often.
    pub(crate) happened: BTreeMap<String, u64>,
    /// How long it all took.
    pub(crate) seconds: f64,
    /// Where the time went.
    #[serde(default)]
    pub(crate) phases: Seconds,
    /// Where everything lies, of a run that went wrong.
    pub(crate) kept: Option<PathBuf>,
    /// How it was asked for.
    #[serde(default)]
    pub(crate) setting: Setting,
}

impl Outcome {
    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// The command that repeats it.
    pub(crate) fn command(&self) -> String {
        self.setting.command(&self.fault, self.seed)
    }
}

/// What is written down while a run goes on.
#[derive(Debug)]
struct Noted {
    tally: Tally,
    recoveries: Vec<Duration>,
    phases: Phases,
}

/// Runs a fault once.
pub(crate) async fn run(
    fault: &'static Fault,
    seed: u64,
    programs: &Programs,
    setting: &Setting,
    keep: &Path,
) -> Outcome {
    let begun = Awake::now();
    let mut noted =
        Noted { tally: Tally::default(), recoveries: Vec::new(), phases: Phases::begin() };
    let folder = tempfile::Builder::new().prefix("docket-chaos-").tempdir();
    let (violations, kept) = match folder {
        Err(error) => (vec![format!("no temporary folder: {error}")], None),
        Ok(folder) => {
            let going = play(fault, seed, programs, folder.path(), &mut noted);
            let limit = patience() * LONGEST;
            let violations = tokio::select! {
                ended = going => ended.unwrap_or_else(|error| vec![format!("{error:#}")]),
                () = awake_for(limit) => {
                    vec![format!("liveness: it has not ended after {} s", limit.as_secs())]
                }
            };
            let kept = (!violations.is_empty())
                .then(|| keep_evidence(folder.path(), keep, fault.id, seed))
                .transpose();
            let kept = kept.unwrap_or_else(|error| {
                eprintln!("what was left behind can't be kept: {error:#}");
                None
            });
            (violations, kept)
        }
    };
    let Noted { tally, recoveries, mut phases } = noted;
    phases.end("servers stopped");
    Outcome {
        fault: fault.id.to_owned(),
        seed,
        violations,
        recovery_ms: recoveries.iter().map(|took| ms(*took)).collect(),
        happened: tally.all().into_iter().map(|(what, n)| (what.to_owned(), n)).collect(),
        seconds: begun.elapsed().as_secs_f64(),
        phases: phases.seconds(),
        kept,
        setting: setting.clone(),
    }
}

async fn awake_for(time: Duration) {
    let begun = Awake::now();
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

async fn play(
    fault: &'static Fault,
    seed: u64,
    programs: &Programs,
    folder: &Path,
    noted: &mut Noted,
) -> Result<Vec<String>> {
    let tally = noted.tally.clone();
    tally.add(ASKED, u64::from(tokens().is_some()));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut layout = (fault.layout)(&mut random);
    layout.told = random.u32(..TOLD_IN) == 0;
    let stack =
        Stack::start(programs, folder, &layout).await.context("the platform does not start")?;
    let entrance = stack.entrance().url().to_owned();
    let client = Client::new(&entrance)?;
    furnish(&client).await?;
    let told = layout.told.then(|| told::register(&client));
    let told = futures::future::OptionFuture::from(told).await.transpose()?;
    noted.phases.end("started");
    let journal = JournalFile::create(&folder.join("journal.jsonl"))?;
    let stack = Arc::new(RwLock::new(stack));
    let probes = Probes::start(&stack)?;
    let shape = (fault.load)();
    let load = Load::start(&entrance, shape, seed, &journal, &tally)?;
    let canaries = tokens().map(|tokens| Canaries::start(&entrance, tokens, &tally)).transpose()?;
    let mut scene = Scene::new(random.u64(..), &stack, load, shape, &tally, &journal);
    scene.moment(20..60).await;
    let before = holdings(&*scene.stack().await);

    let acted = (fault.act)(&mut scene).await;
    noted.recoveries.append(&mut scene.recoveries);
    acted.context("while it was broken")?;
    scene.moment(20..40).await;
    noted.phases.end("broken and healed");

    let Scene { mut load, outages, journal, forgotten, .. } = scene;
    let acknowledged = load.end().await?;
    let mut violations = Vec::new();
    if let Some(canaries) = canaries {
        violations.extend(canaries.end(&tally).await?);
    }
    // The probes go on beside what looks from now on.
    let stack = Arc::clone(&stack).read_owned().await;
    stack.settle().await?;
    operator::act(&stack, &tally).await?;
    noted.phases.end("settled");
    checks::ask_again(&stack, &acknowledged, &journal, &tally).await?;
    stack.settle().await?;
    noted.phases.end("asked again");
    violations.extend(at_rest(&stack, &journal, &forgotten, noted).await?);
    if let Some(receiver) = &told {
        violations.extend(told::check(&stack, receiver, !forgotten.is_empty(), &tally).await?);
        noted.phases.end("told");
    }
    violations
        .extend(probes.with(|heard| readiness::violations(heard, &outages, told_within(), &tally)));
    violations.extend(holdings::returned(&stack, &before).await);
    noted.phases.end("given back");
    probes.count(&tally);
    drop(probes);
    violations.extend(ended(&stack, &tally)?);
    noted.phases.end("ended");
    violations.extend(happened_as_it_should(fault, &tally));
    Ok(violations)
}

/// What must hold once nothing moves any more.
async fn at_rest(
    stack: &Stack,
    journal: &JournalFile,
    forgotten: &[String],
    noted: &mut Noted,
) -> Result<Vec<String>> {
    let mut violations = checks::stream(stack, journal, &noted.tally).await?;
    noted.phases.end("stream read");
    violations.extend(breakers::left_open(stack, &noted.tally).await?);
    noted.phases.end("breakers closed");
    violations.extend(checks::laws(stack, journal, forgotten, &noted.tally).await?);
    noted.phases.end("verified");
    Ok(violations)
}

/// Every process ends in order, and none had panicked.
fn ended(stack: &Stack, tally: &Tally) -> Result<Vec<String>> {
    tally.add("published again", tally.get("events published").saturating_sub(tally.get("events")));
    for process in stack.processes() {
        tally.add("started again", u64::from(process.starts().saturating_sub(1)));
        tally.add("ended by itself", process.ended_by_itself() as u64);
    }
    stack.terminate()?;
    Ok(checks::panics(stack))
}

/// What did not happen and had to, and what happened and must not.
fn happened_as_it_should(fault: &Fault, tally: &Tally) -> Vec<String> {
    let missed = fault.must.iter().filter(|wanted| tally.get(wanted) == 0);
    let missed = missed.map(|wanted| format!("nothing was tested: `{wanted}` did not happen"));
    let unwanted = fault.never.iter().filter(|unwanted| tally.get(unwanted) > 0);
    let unwanted = unwanted.map(|what| format!("{}: {} {what}", fault.id, tally.get(what)));
    missed.chain(unwanted).collect()
}

/// Moves logs, journal and data of a run that went wrong to where they stay.
fn keep_evidence(folder: &Path, keep: &Path, fault: &str, seed: u64) -> Result<PathBuf> {
    let to = keep.join(format!("{fault}-{seed}"));
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir_all(&to)?;
    // What servers take away while they end may be missing in the copy.
    let mut copy = std::process::Command::new("cp");
    copy.arg("-r").arg(folder.join(".")).arg(&to).stderr(std::process::Stdio::null());
    copy.status()?;
    Ok(to)
}
