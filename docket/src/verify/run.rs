//! The run: ledger, sagas, log, ledger again, read models; then the report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use event_store::{LogIdentity, Position, RecordedEvent};
use futures::TryStreamExt as _;
use invariants::{Checker, Finding, Journal, Report, Rule};
use projection_service::offline::ModelSnapshot;
use saga_orchestrator::Audit;

use super::place::{Part, Place};
use super::report::{Gap, LogSummary, Verified};
use super::{journals, keys, read_models, sagas};
use crate::data_dir::{DataDirArg, ReadLog};
use crate::output;
use crate::parked::ParkedIn;
use crate::serve::DatabasesArgs;

/// Check everything: log, read models, sagas and the payment provider's ledger
///
/// In a data folder, or in the databases of services that run as processes of their own.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is changed, and the platform may be running. Databases that are named go before the \
    data folder. A read model of another version is no finding: the next start builds it anew.\n\n\
    Exit code: 0 when everything is as it must be, 1 when something is off, 2 when the words are wrong or what is named \
    can't be checked: it can't be read, or a database that is named holds no sagas or no read models."
)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    data: DataDirArg,
    #[command(flatten)]
    databases: DatabasesArgs,
    /// What clients and readers wrote down (JSON lines, as `cargo xtask chaos` writes them), to be compared with the log
    #[arg(long, value_name = "FILE")]
    journal: Vec<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: VerifyArgs) -> Result<ExitCode> {
    let (folder, databases) = (args.data.data_dir, args.databases);
    let verified = async {
        let journals = journals::read(&args.journal)?;
        verify(Place::choose(&folder, databases)?, journals).await
    };
    let verified = match verified.await {
        Ok(verified) => verified,
        Err(error) => {
            output::complain(&error);
            return Ok(ExitCode::from(2));
        }
    };
    if args.json {
        output::line(serde_json::to_string_pretty(&verified)?)?;
    } else {
        output::text(verified.as_text())?;
    }
    for missing in &verified.missing {
        output::note(missing);
    }
    Ok(match (verified.nothing_found(), verified.missing.is_empty()) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => ExitCode::from(2),
        (false, _) => ExitCode::FAILURE,
    })
}

/// Checks everything.
async fn verify(place: Place, mut journals: Vec<Journal>) -> Result<Verified> {
    let begun = Instant::now();
    let (mut notes, mut absent) = (Vec::new(), Absent::default());
    // What the provider had done and what a saga had sent before the log is read, the log has to know of.
    let ledger_before = place.ledger().await?;
    let audit = place.sagas().await?;
    let survey = place.survey().await?;
    let unused = read_models::unused(&survey);
    let (mut snapshots, mut parked) = (Vec::new(), ParkedIn::default());
    for model in survey.models {
        let snapshot = model.snapshot().await?;
        parked.add(&snapshot);
        snapshots.push(snapshot);
    }
    let log = place.log().await?;
    same_log(&place, &log.identity(), audit.as_ref(), &snapshots)?;
    let head = *log.head().borrow();
    let (mut checker, mut erased) = (Checker::default(), keys::Erased::default());
    observe(&log, head, |event| {
        checker.observe(event);
        erased.observe(event);
        for journal in &mut journals {
            journal.observe(event);
        }
    })
    .await?;
    // What the log has an outcome of, the provider has done by now.
    if let (Some(before), Some(after)) = (ledger_before, place.ledger().await?) {
        checker.compare_ledger_read_before(&before);
        checker.compare_ledger_read_after(&after);
    } else {
        absent.note(&place, Part::Ledger);
    }
    let mut findings = Vec::new();
    if let Some(audit) = &audit {
        let tables = sagas::tables(audit);
        checker.compare_sagas_read_before(&tables);
        notes.extend(sagas::notes(&tables, &checker));
    } else {
        absent.note(&place, Part::Sagas);
    }
    if snapshots.is_empty() && !unused.any {
        absent.note(&place, Part::Models);
    }
    findings.extend(unused.findings);
    notes.extend(unused.notes);
    notes.extend(parked.notes());
    let (read_models, found) = read_models::check(snapshots, &log).await?;
    findings.extend(found);
    let keys = keys::check(&place, &log, &erased).await?;
    findings.extend(keys.findings);
    notes.extend(absent.notes);
    notes.extend(keys.notes);
    let gaps = with_gaps(absent.gaps, keys.gap, read_models.is_empty());
    let with_journal = !journals.is_empty();
    let report = conclude(checker, journals, findings);
    let identity = log.identity();
    log.close().await;
    Ok(Verified {
        place,
        log: LogSummary { id: identity.log.to_string(), epoch: identity.epoch, head },
        sagas: audit.map_or(0, |audit| audit.sagas.len() as u64),
        read_models,
        report,
        with_journal,
        gaps,
        missing: absent.missing,
        notes,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// What was not there to be checked.
#[derive(Debug, Default)]
struct Absent {
    /// Of what nobody named.
    notes: Vec<String>,
    /// Of what was named.
    missing: Vec<String>,
    /// What could not be checked for it.
    gaps: BTreeMap<Rule, Gap>,
}

impl Absent {
    fn note(&mut self, place: &Place, part: Part) {
        let told = if place.is_named(part) { &mut self.missing } else { &mut self.notes };
        told.push(place.without(part));
        let gaps: &[_] = match part {
            Part::Ledger => &[(Rule::Charges, Gap::Part)],
            Part::Sagas => &[(Rule::SagaEnds, Gap::Whole), (Rule::Outbox, Gap::Whole)],
            Part::Models => &[(Rule::ReadModels, Gap::Whole)],
        };
        self.gaps.extend(gaps.iter().copied());
    }
}

/// Gaps with those of what was there, and could not be looked at all the same.
fn with_gaps(
    mut gaps: BTreeMap<Rule, Gap>,
    of_keys: Option<Gap>,
    no_model: bool,
) -> BTreeMap<Rule, Gap> {
    gaps.extend(of_keys.map(|gap| (Rule::Erasable, gap)));
    gaps.extend(no_model.then_some((Rule::ReadModels, Gap::Whole)));
    gaps
}

fn conclude(checker: Checker, journals: Vec<Journal>, findings: Vec<Finding>) -> Report {
    let mut report = checker.finish();
    for journal in journals {
        journal.finish(&mut report);
    }
    for finding in findings {
        report.add(finding);
    }
    report
}

/// What belongs to different logs can't be compared: somebody mixed up the addresses.
fn same_log(
    place: &Place,
    log: &LogIdentity,
    audit: Option<&Audit>,
    models: &[ModelSnapshot],
) -> Result<()> {
    let sagas = audit.map(|audit| ("the sagas".to_owned(), &audit.log));
    let models = models
        .iter()
        .map(|model| (format!("the {} of the read models", model.projector.name()), &model.log));
    for (what, of) in sagas.into_iter().chain(models) {
        if of.log != log.log {
            bail!("{what} are of the log {}, but the log at {place} is {}", of.log, log.log);
        }
    }
    Ok(())
}

/// Hands the log up to `head` to the checks.
async fn observe(
    log: &ReadLog,
    head: Position,
    mut check: impl FnMut(&RecordedEvent),
) -> Result<()> {
    let mut pages = log.read_on(0, head);
    while let Some(page) = pages.try_next().await.context("the log can't be read")? {
        page.iter().for_each(&mut check);
    }
    Ok(())
}
