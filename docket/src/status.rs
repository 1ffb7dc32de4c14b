//! `docket status`: how a platform is, running or stopped, on one screen.

mod folder;
mod running;

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::numbers::grouped;
use crate::output;
use crate::target::{Target, TargetArgs};

/// What is said of what could not be asked.
const UNKNOWN: &str = "not known";

/// How is the platform: log, read models, sagas, what needs attention, notifications
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What can't be asked, or may be older than the log is, is said, and the rest is shown all the same.\n\n\
    Exit code: 0 when all of it was shown, 1 when a part of it, or all, could not be asked or may be old."
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The same as JSON
    #[arg(long)]
    json: bool,
}

/// A read model and how far it is.
#[derive(Debug, Serialize)]
struct Model {
    name: String,
    position: u64,
    lag: Option<u64>,
    state: String,
}

/// Sagas in one state.
#[derive(Debug, Serialize)]
struct Count {
    state: &'static str,
    sagas: u64,
}

/// A saga that waits for a person.
#[derive(Debug, Serialize)]
struct Needing {
    id: String,
    step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

/// How the platform is.
#[derive(Debug, Serialize)]
struct Status {
    /// The address or the folder.
    of: String,
    running: bool,
    /// None of a running platform that was not asked.
    ready: Option<bool>,
    /// The process that has the folder, when its files were looked at all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    /// What a part that is down says.
    down: Vec<String>,
    /// What could not be asked, and why.
    unknown: Vec<String>,
    /// What may be older than the log is, and why.
    stale: Vec<String>,
    /// `None` of what could not be asked, here and below.
    head: Option<u64>,
    models: Option<Vec<Model>>,
    sagas: Option<Vec<Count>>,
    needs_attention: Option<Vec<Needing>>,
    /// What tells the outside world, as it says itself; `None` where it is not part of the platform, and of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    notifications: Option<String>,
}

/// What could not be asked, and why.
#[derive(Debug, Default)]
struct Unknown(Vec<String>);

impl Unknown {
    /// What was asked, or nothing, and that is noted.
    fn or_note<T>(&mut self, what: &str, asked: Result<T>) -> Option<T> {
        asked.map_err(|error| self.0.push(format!("{what}: {}", output::in_words(&error)))).ok()
    }
}

pub(crate) async fn run(args: StatusArgs) -> Result<ExitCode> {
    let status = match args.target.choose().await? {
        Target::Running(api) => running::status(&api).await?,
        Target::Folder(folder) => folder::status(&folder).await?,
    };
    if args.json {
        output::line(serde_json::to_string_pretty(&status)?)?;
    } else {
        output::text(status.as_text())?;
    }
    let is_whole = status.unknown.is_empty() && status.stale.is_empty();
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Status {
    fn as_text(&self) -> String {
        let mut text = String::new();
        line(&mut text, &format!("{}: {}", self.of, self.how()));
        for down in &self.down {
            line(&mut text, &format!("  ✗ {down}"));
        }
        for unknown in &self.unknown {
            line(&mut text, &format!("  ? {unknown}"));
        }
        for stale in &self.stale {
            line(&mut text, &format!("  ? may be old: {stale}"));
        }
        // Of models that may be old it is not known how far the log has gone on.
        let is_known = self.models.iter().flatten().all(|model| model.lag.is_some());
        let further = if is_known { "" } else { ", or further" };
        let head = self.head.map_or_else(
            || UNKNOWN.to_owned(),
            |head| format!("position {}{further}", grouped(head)),
        );
        line(&mut text, &format!("Log          {head}"));
        self.say_models(&mut text);
        self.say_sagas(&mut text);
        if let Some(told) = &self.notifications {
            line(&mut text, &format!("Notifications {told}"));
        }
        text
    }

    fn how(&self) -> String {
        match (self.running, self.ready) {
            (true, Some(true)) => "ready".to_owned(),
            (true, Some(false)) => "running, not ready".to_owned(),
            (true, None) => {
                let process = self.process.as_deref().unwrap_or_default();
                format!(
                    "in use by Docket process {process}: this is what the files say; --url URL asks the platform"
                )
            }
            (false, _) => "stopped: this is what the files say".to_owned(),
        }
    }

    fn say_models(&self, text: &mut String) {
        let Some(models) = &self.models else {
            return line(text, &format!("Read models  {UNKNOWN}"));
        };
        for (index, model) in models.iter().enumerate() {
            let title = if index == 0 { "Read models" } else { "" };
            let lag = match model.lag {
                None => UNKNOWN.to_owned(),
                Some(0) => "up to date".to_owned(),
                Some(lag) => format!("{} behind", grouped(lag)),
            };
            let Model { name, position, state, .. } = model;
            line(
                text,
                &format!("{title:<12} {name:<12} {:>12}  {lag}  {state}", grouped(*position)),
            );
        }
    }

    fn say_sagas(&self, text: &mut String) {
        let Some(sagas) = &self.sagas else {
            return line(text, &format!("Sagas        {UNKNOWN}"));
        };
        let counts: Vec<String> = sagas
            .iter()
            .filter(|count| count.sagas > 0)
            .map(|Count { state, sagas }| format!("{state} {}", grouped(*sagas)))
            .collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(" · ") };
        line(text, &format!("Sagas        {counts}"));
        let needing = self.needs_attention.as_deref().unwrap_or_default();
        for Needing { id, step, since } in needing {
            let since = since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
            line(text, &format!("  ! {id} at {step}{since}"));
        }
        if let Some(Needing { id, .. }) = needing.first() {
            let explain = format!("docket sagas explain '{id}'");
            let how = match (self.running, self.ready) {
                (true, Some(_)) => format!("{explain} --url {}", self.of),
                (true, None) => explain,
                (false, _) => format!("start the platform, then {explain}"),
            };
            line(text, &format!("  why, and what may be done about the first: {how}"));
        }
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a text can't fail.
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needing(running: bool, ready: Option<bool>) -> String {
        let saga = Needing { id: "order-o 1".into(), step: "capture_payment".into(), since: None };
        let status = Status {
            of: "http://127.0.0.1:9090".into(),
            running,
            ready,
            process: None,
            down: vec![],
            unknown: vec![],
            stale: vec![],
            head: Some(7),
            models: Some(vec![]),
            sagas: Some(vec![Count { state: "needs_attention", sagas: 1 }]),
            needs_attention: Some(vec![saga]),
            notifications: None,
        };
        status.as_text()
    }

    #[test]
    fn what_could_not_be_asked_is_said_and_the_rest_is_shown() {
        let mut unknown = Unknown::default();
        let asked = anyhow::Error::msg("projection-service does not answer");
        let models = unknown.or_note::<Vec<Model>>("read models", Err(asked));
        let status = Status {
            of: "http://127.0.0.1:9090".into(),
            running: true,
            ready: Some(true),
            process: None,
            down: vec![],
            unknown: unknown.0,
            stale: vec![],
            head: None,
            models,
            sagas: Some(vec![Count { state: "completed", sagas: 12 }]),
            needs_attention: Some(vec![]),
            notifications: Some("up".into()),
        };
        let expected = "http://127.0.0.1:9090: ready
  ? read models: projection-service does not answer
Log          not known
Read models  not known
Sagas        completed 12
Notifications up
";
        assert_eq!(status.as_text(), expected);
    }

    #[test]
    fn of_what_may_be_old_nobody_is_told_that_it_is_up_to_date() {
        let model = |name: &str, lag| Model {
            name: name.into(),
            position: 6_884,
            lag,
            state: "running".into(),
        };
        let status = Status {
            of: "http://127.0.0.1:9090".into(),
            running: true,
            ready: Some(true),
            process: None,
            down: vec![],
            unknown: vec![],
            stale: vec!["read models: the log is not heard".into()],
            head: Some(6_884),
            models: Some(vec![model("orders", None)]),
            sagas: Some(vec![]),
            needs_attention: Some(vec![]),
            notifications: None,
        };
        let expected = "http://127.0.0.1:9090: ready
  ? may be old: read models: the log is not heard
Log          position 6,884, or further
Read models  orders              6,884  not known  running
Sagas        none
";
        assert_eq!(status.as_text(), expected);
    }

    #[test]
    fn who_reads_that_a_saga_needs_a_person_is_told_where_it_says_what_to_do() {
        let explain = "docket sagas explain 'order-o 1'";
        let running = needing(true, Some(true));
        assert!(running.contains("! order-o 1 at capture_payment"), "{running}");
        let here = format!("{explain} --url http://127.0.0.1:9090");
        assert!(running.contains(&here), "{running}");
        let stopped = needing(false, Some(false));
        assert!(stopped.contains(&format!("start the platform, then {explain}")), "{stopped}");
    }
}
