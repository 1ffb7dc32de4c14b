//! All rows and all subjects by turns, round after round: what disturbs the machine for a while disturbs everybody.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use super::catalogue::{self, Quick, ROWS};
use super::measurement::Measurement;
use super::summary::{Entry, Kind, Results};
use super::{machine, report};
use crate::servers;
use crate::subjects::{self, SUBJECTS};

/// How long a subject may take beside what it measures: it loads, and it waits until everything is at rest.
const PATIENCE: Duration = Duration::from_mins(10);

/// Events of the log that is read whole, for each second of a load.
const LOG_PER_SECOND: u64 = 50_000;

/// What is to be run.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Of each load.
    pub(crate) seconds: u64,
    /// Only the rows that matter most.
    pub(crate) quick: bool,
    /// Words of which the name of a subject or row must hold one; none for all.
    pub(crate) only: Vec<String>,
    /// Where the report goes.
    pub(crate) folder: PathBuf,
    /// The peers' program; an error says why there is none.
    pub(crate) peers: Result<PathBuf, String>,
}

/// A process to be run: one row of a subject, or several that can't be had alone.
struct Job {
    program: PathBuf,
    kind: Kind,
    subject: String,
    run: String,
}

/// Runs it, and writes the report after every round.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let begun = Instant::now();
    let server = servers::postgres(&[])?;
    let mut results = Results { setting: machine::told(server.programs()), ..Results::default() };
    let mut set = |name: &str, value: String| results.setting.push((name.to_owned(), value));
    set("durable", servers::told());
    set(
        "load",
        format!("{} s each after a warm-up, {} rounds by turns", plan.seconds, plan.rounds),
    );
    set("event", "267 B of JSON and 148 B of metadata; 10,000 streams of 5 events before".into());
    let jobs = jobs(&plan, &mut results).await?;
    ensure!(!jobs.is_empty(), "no subject and no row has one of these words in its name");
    for round in 0..plan.rounds {
        results.rounds = round + 1;
        for job in in_turn(&jobs, round) {
            let told = job.measure(&server.url("postgres"), plan.seconds).await;
            let measured = told.unwrap_or_else(|error| {
                vec![Measurement::skipped(&job.subject, &job.run, format!("{error:#}"))]
            });
            for measurement in measured {
                println!("{:>5.0} s  {}", begun.elapsed().as_secs_f64(), told_of(&measurement));
                let row = &measurement.row;
                let is_shown = catalogue::row(row).is_some() || measurement.skipped.is_some();
                ensure!(is_shown, "{row} is measured, and no report would show it");
                let kind = subjects::kind(&measurement.subject);
                results.entries.push(Entry { round, kind, measurement });
            }
        }
        report::write(&results, &plan.folder)?;
    }
    println!(
        "{} in {:.0} s",
        plan.folder.join("report.md").display(),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn told_of(measurement: &Measurement) -> String {
    let Measurement { subject, row, value, unit, p50_ms, p99_ms, skipped, note, .. } = measurement;
    let unit = unit.as_deref().unwrap_or_default();
    let figure = value.map(|value| format!("{} {unit}", crate::row::number(value)));
    let times = p50_ms.zip(*p99_ms).map(|(p50, p99)| format!("{p50:.2} ms / {p99:.2} ms"));
    let skipped = skipped.as_ref().map(|why| format!("skipped: {why}"));
    let told: Vec<_> = [figure, times, skipped, note.clone()].into_iter().flatten().collect();
    format!("{row}: {subject}: {}", told.join(", "))
}

/// Who goes first goes last in the next round.
fn in_turn(jobs: &[Job], round: usize) -> Vec<&Job> {
    let mut turn: Vec<&Job> = jobs.iter().collect();
    if round % 2 == 1 {
        turn.reverse();
    }
    turn
}

/// Every job, row by row.
async fn jobs(plan: &Plan, results: &mut Results) -> Result<Vec<Job>> {
    let own = std::env::current_exe()?;
    let mut jobs = Vec::new();
    for subject in SUBJECTS {
        for run in subject.runs {
            let (subject, kind) = (subject.name.to_owned(), subject.kind);
            jobs.push(Job { program: own.clone(), kind, subject, run: (*run).to_owned() });
        }
    }
    let mut missing = |why: String| {
        let measurement = Measurement::skipped("peers", "command-64", why);
        results.entries.push(Entry { round: 0, kind: Kind::Peer, measurement });
    };
    match &plan.peers {
        Err(why) => missing(why.clone()),
        Ok(program) => match listed(program).await {
            Err(why) => missing(format!("{why:#}")),
            Ok(peers) => jobs.extend(peers),
        },
    }
    jobs.retain(|job| plan.wants(job));
    // A row that is not in the catalogue comes last.
    let place = |run: &str| ROWS.iter().position(|row| row.name == run).unwrap_or(usize::MAX);
    jobs.sort_by_key(|job| place(&job.run));
    Ok(jobs)
}

impl Plan {
    fn wants(&self, job: &Job) -> bool {
        let row = catalogue::row(&job.run);
        let quick = !self.quick
            || row.is_none_or(|row| match row.quick {
                Quick::Everybody => true,
                Quick::WithoutPeers => job.kind != Kind::Peer,
                Quick::Nobody => false,
            });
        let named = |word: &String| job.subject.contains(word) || job.run.contains(word);
        quick && (self.only.is_empty() || self.only.iter().any(named))
    }
}

/// The peers, as their program names them.
async fn listed(program: &Path) -> Result<Vec<Job>> {
    let output = Command::new(program).arg("list").stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("{} can't be started", program.display()))?;
    let text = String::from_utf8(output.stdout)?;
    let jobs = text.lines().filter_map(Measurement::read).map(|named| Job {
        program: program.to_owned(),
        kind: Kind::Peer,
        subject: named.subject,
        run: named.row,
    });
    Ok(jobs.collect())
}

impl Job {
    /// Runs it in a process of its own, and reads what that tells.
    async fn measure(&self, postgres: &str, seconds: u64) -> Result<Vec<Measurement>> {
        let mut command = Command::new(&self.program);
        if self.kind != Kind::Peer {
            command.arg("measure");
        }
        command.args(["--postgres", postgres, "--subject", &self.subject, "--row", &self.run]);
        command.args(["--seconds", &seconds.to_string()]);
        command.args(["--log-events", &(seconds * LOG_PER_SECOND).to_string()]);
        // A cause is quoted in the report; where it came about is not.
        command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.context("it did not end in time")?.context("it can't be started")?;
        let told = String::from_utf8_lossy(&output.stdout);
        let measured: Vec<_> = told.lines().filter_map(Measurement::read).collect();
        if measured.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{}: {}", output.status, last_words(&said));
        }
        Ok(measured)
    }
}

/// The end of what it said before it failed.
fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(run: &str) -> Job {
        let (program, subject) = (PathBuf::new(), "esrs 0.18.0".to_owned());
        Job { program, kind: Kind::Peer, subject, run: run.to_owned() }
    }

    fn plan(quick: bool, only: &[&str]) -> Plan {
        let only = only.iter().map(|word| (*word).to_owned()).collect();
        let peers = Err(String::new());
        Plan { rounds: 1, seconds: 1, quick, only, folder: PathBuf::new(), peers }
    }

    #[test]
    fn a_quick_run_leaves_the_less_telling_rows_out() {
        assert!(plan(true, &[]).wants(&job("command-64")));
        assert!(!plan(true, &[]).wants(&job("length-1")), "of a peer");
        assert!(!plan(true, &[]).wants(&job("hot-16")));
        assert!(plan(false, &[]).wants(&job("hot-16")));
    }

    #[test]
    fn a_word_names_a_subject_or_a_row() {
        assert!(plan(false, &["esrs"]).wants(&job("hot-16")));
        assert!(plan(false, &["x", "hot"]).wants(&job("hot-16")));
        assert!(!plan(false, &["length"]).wants(&job("hot-16")));
    }

    #[test]
    fn the_order_turns_round() {
        let jobs = [job("a"), job("b")];
        let runs = |round| in_turn(&jobs, round).iter().map(|job| job.run.clone()).collect();
        let (first, second): (Vec<_>, Vec<_>) = (runs(0), runs(1));
        assert_eq!((first.join(""), second.join("")), ("ab".into(), "ba".into()));
    }

    #[test]
    fn who_fails_is_quoted() {
        assert_eq!(last_words("one\n\ntwo\nthree\nfour\n"), "two three four");
        assert_eq!(last_words(""), "");
    }
}
