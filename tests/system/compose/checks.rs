//! What can be seen of the files alone, and what the real command line says of them.

use std::process::Command;

use serde_json::Value;

use super::file::{Composition, environment, words};
use crate::deployment::repository;
use crate::platform::{docket, text};

/// Those that end: nobody waits for them to be healthy.
const JOBS: [&str; 2] = ["migrate", "nats-volumes"];

fn both() -> [Composition; 2] {
    [Composition::whole(), Composition::single()]
}

#[test]
fn every_service_has_a_fixed_image_and_few_rights_and_is_restarted() {
    for (name, service) in both().iter().flat_map(Composition::services) {
        let image = service["image"].as_str().unwrap();
        let tag = image.split_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag")).1;
        assert_ne!(tag, "latest", "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert!(service["restart"].is_string(), "{name}");
        let user = service["user"].as_str().unwrap();
        assert!(!user.starts_with('0') || name == "nats-volumes", "{name} runs as root");
        if !JOBS.contains(&name) {
            assert!(service["stop_grace_period"].is_string(), "{name}");
            assert!(service["healthcheck"]["test"].is_array(), "{name} says nothing of its health");
        }
    }
}

#[test]
fn whoever_is_waited_for_is_there_and_says_when_it_is_healthy() {
    for composition in both() {
        let services = composition.services();
        for (name, service) in &services {
            for (other, wait) in service["depends_on"].as_object().into_iter().flatten() {
                let there = services.iter().find(|(known, _)| known == other);
                let (_, awaited) = there.unwrap_or_else(|| panic!("{name} waits for no {other}"));
                match wait["condition"].as_str().unwrap() {
                    "service_healthy" => {
                        assert!(
                            awaited["healthcheck"]["test"].is_array(),
                            "{name} waits for {other}"
                        );
                    }
                    "service_completed_successfully" => {
                        assert!(
                            JOBS.contains(&other.as_str()),
                            "{name} waits for the end of {other}"
                        );
                    }
                    condition => panic!("{name}: {condition}"),
                }
            }
        }
    }
}

/// The names that a service uses of a kind: a list of names, of `{ source }`, or of `name:/path`.
fn used(service: &Value, kind: &str) -> Vec<String> {
    let entries = service[kind].as_array().into_iter().flatten();
    let name = |entry: &Value| entry["source"].as_str().or(entry.as_str()).unwrap().to_owned();
    entries.map(|entry| name(entry).split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn every_secret_config_and_volume_that_is_used_is_declared_and_there() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    let made = Command::new(repository("deploy/make-secrets.sh")).arg(&secrets).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    for composition in both() {
        for (name, service) in composition.services() {
            for kind in ["secrets", "configs", "volumes"] {
                for used in used(service, kind) {
                    assert!(composition.declares(kind, &used), "{name} uses {used} of {kind}");
                }
            }
        }
        for (name, secret) in composition.0["secrets"].as_object().unwrap() {
            let file = secret["file"].as_str().unwrap();
            assert!(folder.path().join(file).is_file(), "nobody makes the secret {name}");
        }
        for (name, config) in composition.0["configs"].as_object().unwrap() {
            assert!(repository(config["file"].as_str().unwrap()).is_file(), "no config {name}");
        }
    }
}

#[test]
fn secrets_that_were_made_stay_when_they_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let make = || {
        let made = Command::new(repository("deploy/make-secrets.sh")).arg(folder.path()).output();
        assert!(made.unwrap().status.success());
        let read = |name| std::fs::read(folder.path().join(name)).unwrap();
        ["master.key", "log_url", "gateway.nk", "nats_identities", "auth_dev.key", "auth_dev.json"]
            .map(read)
    };
    let first = make();
    assert_eq!(first, make());
    // Of an earlier version: its secret would be nowhere to be found.
    let settings = folder.path().join("auth.toml");
    std::fs::remove_file(&settings).unwrap();
    std::fs::write(&settings, "secret_files = [\"auth_secret\"]").unwrap();
    let again = Command::new(repository("deploy/make-secrets.sh")).arg(folder.path()).output();
    assert!(text(&again.unwrap()).contains("is of an earlier version"));
    assert_eq!(first[0].len(), 32, "a master key has 32 bytes");
}

#[tokio::test]
async fn every_command_line_is_understood_and_every_variable_is_a_setting() {
    let secrets = tempfile::tempdir().unwrap();
    let made = Command::new(repository("deploy/make-secrets.sh")).arg(secrets.path()).output();
    assert!(made.unwrap().status.success());
    for composition in both() {
        for (name, service) in composition.ours() {
            let mut print = docket(&["config", "print"]);
            print.args(words(&service["command"])).arg("--json").env_clear();
            let variables = environment(service);
            let here = |(name, value): &(String, String)| {
                (name.clone(), value.replace("/run/secrets", &secrets.path().to_string_lossy()))
            };
            let printed = print.envs(variables.iter().map(here)).output().await.unwrap();
            assert!(printed.status.success(), "{name}: {}", text(&printed));
            let settings: Vec<Value> = serde_json::from_slice(&printed.stdout).unwrap();
            let of_traces = |variable: &str| variable.starts_with("OTEL_");
            for (variable, _) in variables.into_iter().filter(|(name, _)| !of_traces(name)) {
                let by = format!("environment {variable}");
                let says = |setting: &Value| setting["source"].as_str().unwrap().ends_with(&by);
                assert!(settings.iter().any(says), "{name}: {variable} is no setting of it");
            }
        }
    }
}

/// The variables of the OpenTelemetry specification that our processes read.
const OF_TRACES: [&str; 5] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
];

#[test]
fn every_process_that_runs_can_be_told_where_traces_go_and_sends_none_by_itself() {
    for composition in both() {
        let runs = |service: &Value| service["healthcheck"]["disable"] != true;
        for (name, service) in composition.ours().into_iter().filter(|(_, one)| runs(one)) {
            let environment = environment(service);
            let told = environment.iter().filter(|(name, _)| name.starts_with("OTEL_"));
            let told: Vec<_> = told.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let variables: Vec<_> = told.iter().map(|(variable, _)| *variable).collect();
            assert_eq!(variables, OF_TRACES, "{name}");
            assert_eq!(told[0].1, "", "{name}: without an endpoint nothing is sent");
        }
    }
}

/// The instructions of the Dockerfile, each in one line.
fn instructions() -> Vec<String> {
    let text = std::fs::read_to_string(repository("Dockerfile")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let joined = lines.replace("\\\n", " ");
    joined.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_image_has_fixed_bases_runs_as_nobody_special_and_copies_what_is_there() {
    let instructions = instructions();
    let of = |word: &str| {
        let word = format!("{word} ");
        let all = instructions.iter().filter_map(move |line| line.strip_prefix(&word));
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    for base in of("FROM") {
        let image = base.split(' ').next().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{image}");
    }
    for copy in of("COPY").iter().filter(|copy| !copy.starts_with("--from=")) {
        let (sources, _) = copy.rsplit_once(' ').unwrap();
        for source in sources.split(' ') {
            assert!(repository(source).exists(), "COPY {copy}");
        }
    }
    assert_eq!(of("USER"), ["10001:10001"]);
    assert_eq!(of("ENTRYPOINT"), ["[\"docket\"]"]);
    assert!(of("HEALTHCHECK")[0].ends_with("CMD [\"docket\", \"health\"]"));
    let ignored = std::fs::read_to_string(repository(".dockerignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "secrets"), "secrets must not get into an image");
}
