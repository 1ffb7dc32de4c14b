//! `docket status`: how a platform is, running or stopped, on one screen.

mod folder;
mod running;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::api::{base_url, segment};
use crate::numbers::grouped;
use crate::output;
use crate::target::{Target, TargetArgs};

/// How is the platform: log, read models, sagas, what needs attention
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Settings file (TOML) of the services: the platform is asked where its gateway listens
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the gateway is, unless --url or --data-dir says what is meant
    #[arg(long, env = "DOCKET_GATEWAY_URL", value_name = "URL", value_parser = base_url)]
    gateway_url: Option<String>,
    /// The same as JSON
    #[arg(long)]
    json: bool,
}

/// A read model and how far it is.
#[derive(Debug, Serialize)]
struct Model {
    name: String,
    position: u64,
    lag: u64,
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
    head: u64,
    models: Vec<Model>,
    sagas: Vec<Count>,
    needs_attention: Vec<Needing>,
}

pub(crate) async fn run(args: StatusArgs) -> Result<ExitCode> {
    let status = match args.target.or_at(args.gateway_url).choose().await? {
        Target::Running(api) => running::status(&api).await?,
        Target::Folder(folder) => folder::status(&folder).await?,
    };
    if args.json {
        output::line(serde_json::to_string_pretty(&status)?)?;
    } else {
        output::text(status.as_text())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Status {
    fn as_text(&self) -> String {
        let mut text = String::new();
        let how = match (self.running, self.ready) {
            (true, Some(true)) => "ready".to_owned(),
            (true, Some(false)) => "running, not ready".to_owned(),
            (true, None) => {
                let process = self.process.as_deref().unwrap_or_default();
                format!(
                    "in use by Docket process {process}: this is what the files say; --url URL asks the platform"
                )
            }
            (false, _) => "stopped: this is what the files say".to_owned(),
        };
        line(&mut text, &format!("{}: {how}", self.of));
        for down in &self.down {
            line(&mut text, &format!("  ✗ {down}"));
        }
        line(&mut text, &format!("Log          position {}", grouped(self.head)));
        for (index, model) in self.models.iter().enumerate() {
            let title = if index == 0 { "Read models" } else { "" };
            let lag = match model.lag {
                0 => "up to date".to_owned(),
                lag => format!("{} behind", grouped(lag)),
            };
            let Model { name, position, state, .. } = model;
            line(
                &mut text,
                &format!("{title:<12} {name:<12} {:>12}  {lag}  {state}", grouped(*position)),
            );
        }
        let counts: Vec<String> = self
            .sagas
            .iter()
            .filter(|count| count.sagas > 0)
            .map(|Count { state, sagas }| format!("{state} {}", grouped(*sagas)))
            .collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(" · ") };
        line(&mut text, &format!("Sagas        {counts}"));
        for Needing { id, step, since } in &self.needs_attention {
            let since = since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
            line(&mut text, &format!("  ! {id} at {step}{since}"));
        }
        if let Some(Needing { id, .. }) = self.needs_attention.first() {
            let explain = format!("/v1/sagas/{}/explain", segment(id));
            let how = match (self.running, self.ready) {
                (true, Some(_)) => format!("curl {}{explain}", self.of),
                (true, None) => format!("ask the platform for {explain}"),
                (false, _) => format!("start the platform, then ask it for {explain}"),
            };
            line(&mut text, &format!("  why, and what may be done about the first: {how}"));
        }
        text
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
            head: 7,
            models: vec![],
            sagas: vec![Count { state: "needs_attention", sagas: 1 }],
            needs_attention: vec![saga],
        };
        status.as_text()
    }

    #[test]
    fn who_reads_that_a_saga_needs_a_person_is_told_where_it_says_what_to_do() {
        let path = "/v1/sagas/order-o%201/explain";
        let running = needing(true, Some(true));
        assert!(running.contains("! order-o 1 at capture_payment"), "{running}");
        assert!(running.contains(&format!("curl http://127.0.0.1:9090{path}")), "{running}");
        let stopped = needing(false, Some(false));
        assert!(
            stopped.contains(&format!("start the platform, then ask it for {path}")),
            "{stopped}"
        );
    }
}
