//! The run: what follows the log, the log, the ledger again, read models, keys; then the report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use event_store::{LogIdentity, Position, RecordedEvent};
use invariants::{Appends, Checker, Finding, Followers, Journal, Report, Rule};

use super::before::Before;
use super::journals::Journals;
use super::persons::Persons;
use super::place::{Part, Place};
use super::report::{Gap, LogSummary, Verified};
use super::walk::{Stretch, Walk};
use super::{answers, event_ids, followers, keys, read_models, sagas};
use crate::data_dir::{DataDirArg, ReadLog};
use crate::output;
use crate::serve::DatabasesArgs;

/// Check everything: log, read models, sagas and the payment provider's ledger
///
/// In a data folder, or in the databases of services that run as processes of their own.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is changed, and the platform may be running. Databases that are named go before the \
    data folder. A read model of another version is no finding: the next start builds it anew.\n\n\
    Exit code: 0 when everything is as it must be, 1 when something is off, 2 when the words are wrong or what is named \
    can't be checked: it can't be read, a line of a journal can't (but for a last one that was cut off) or answers no \
    question, or a database that is named holds no sagas or no read models."
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
        let journals = Journals::read(&args.journal)?;
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
async fn verify(place: Place, journals: Journals) -> Result<Verified> {
    let begun = Instant::now();
    let before = Before::read(&place).await?;
    let log = place.log().await?;
    let (head, identity) = (log.head_when_opened(), log.identity());
    before.of_one_log(&place, &identity)?;
    let followers = before.followers();
    let (standings, mut notes) =
        (followers::standings(&followers, head), followers::notes(&followers, &identity));
    notes.extend(journals.notes);
    let mut read = read_log(&log, head, Followers::new(followers), journals.all).await?;
    let mut absent = Absent::default();
    let checker = &mut read.checker;
    checker.compare_intents_read_before(before.calls_head, &before.open_calls);
    // What the log has an outcome of, the provider has done by now.
    if let (Some(before), Some(after)) = (before.ledger, place.ledger().await?) {
        checker.compare_ledger_read_before(&before);
        checker.compare_ledger_read_after(&after);
    } else {
        absent.note(&place, Part::Ledger);
    }
    if let Some(audit) = &before.audit {
        let tables = sagas::tables(audit);
        checker.compare_sagas_read_before(&tables);
        notes.extend(sagas::notes(&tables, checker));
    } else {
        absent.note(&place, Part::Sagas);
    }
    if before.notifications.is_none() {
        absent.note(&place, Part::Notifications);
    }
    absent.stream(&place);
    if before.snapshots.is_empty() && !before.unused.any {
        absent.note(&place, Part::Models);
    }
    read.findings.extend(before.unused.findings);
    notes.extend(before.unused.notes);
    notes.extend(before.parked.notes());
    let models = read_models::check(before.snapshots, &log, read.checker.is_whole()).await?;
    read.findings.extend(models.findings);
    let keys = keys::check(&place, &log, &read.persons).await?;
    read.findings.extend(keys.findings);
    notes.extend(absent.notes.into_iter().chain(keys.notes).chain(models.note));
    log.close().await;
    let gaps = with_gaps(absent.gaps, keys.gap, models.checked.is_empty());
    let spoken_of = read.journals.iter().flat_map(Journal::speaks_of).collect();
    let with_journal = !read.journals.is_empty();
    Ok(Verified {
        place,
        log: LogSummary { id: identity.log.to_string(), epoch: identity.epoch, head },
        sagas: before.audit.map_or(0, |audit| audit.sagas.len() as u64),
        followers: standings,
        read_models: models.checked,
        report: read.conclude(&identity, head),
        with_journal,
        spoken_of,
        gaps,
        missing: absent.missing,
        notes,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The log as it was read, by all that look at it.
struct ReadThrough {
    checker: Checker,
    persons: Persons,
    followers: Followers,
    journals: Vec<Journal>,
    findings: Vec<Finding>,
}

impl ReadThrough {
    fn observe(&mut self, event: &RecordedEvent) {
        self.checker.observe(event);
        self.persons.observe(event);
        self.followers.observe(event);
        for journal in &mut self.journals {
            journal.observe(event);
        }
        self.findings.extend(event_ids::check(event));
    }

    fn conclude(self, log: &LogIdentity, head: Position) -> Report {
        let mut report = self.checker.finish();
        for journal in self.journals {
            journal.finish(&mut report);
        }
        self.followers.finish(log, head, &mut report);
        for finding in self.findings {
            report.add(finding);
        }
        report
    }
}

/// Shows the log up to `head` to all of them, and compares its appends with the answers that are remembered.
async fn read_log(
    log: &ReadLog,
    head: Position,
    followers: Followers,
    journals: Vec<Journal>,
) -> Result<ReadThrough> {
    let (checker, persons, findings) = (Checker::default(), Persons::default(), Vec::new());
    let mut read = ReadThrough { checker, persons, followers, journals, findings };
    let (mut walk, mut appends) = (Walk::up_to(log, head), Appends::default());
    while let Some(Stretch { events, unreadable }) = walk.next().await? {
        let (mut ended, mut unreadable) = (Vec::new(), unreadable.into_iter().peekable());
        for event in &events {
            while let Some((at, why)) = unreadable.next_if(|(at, _)| *at < event.position) {
                read.checker.observe_unreadable(at, &why);
            }
            read.observe(event);
            ended.extend(appends.observe(event));
        }
        unreadable.for_each(|(at, why)| read.checker.observe_unreadable(at, &why));
        answers::compare(&ended, log, &mut read.checker, &mut read.findings).await?;
    }
    let last = appends.finish();
    answers::compare(last.as_slice(), log, &mut read.checker, &mut read.findings).await?;
    answers::compare_told(&mut read.journals, log).await?;
    Ok(read)
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
            Part::Notifications => &[(Rule::Outbox, Gap::Part)],
        };
        for (rule, gap) in gaps {
            self.gap(*rule, *gap);
        }
    }

    /// The broker's stream is a copy, which the relay compares with the log by itself.
    fn stream(&mut self, place: &Place) {
        if let Place::Databases(_) = place {
            self.notes.push("The broker's stream of events was not looked at.".to_owned());
            self.gap(Rule::Outbox, Gap::Part);
        }
    }

    /// What is missing whole stays so.
    fn gap(&mut self, rule: Rule, gap: Gap) {
        let known = self.gaps.entry(rule).or_insert(gap);
        if gap == Gap::Whole {
            *known = Gap::Whole;
        }
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
