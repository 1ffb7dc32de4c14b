//! Which of our crates may use which: the table of the design, held against `cargo metadata`.
//!
//! **Invariant:** services never depend on each other, and `domain` depends on nothing of ours. A crate that is not
//! in the table breaks it too, so that nobody adds one without saying what it may use.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

const SERVICE: &[&str] =
    &["access", "domain", "event-store", "messaging", "service-kit", "storage"];

/// Each crate with what it may use of ours.
const ALLOWED: [(&str, &[&str]); 20] = [
    ("access", &[]),
    ("domain", &[]),
    ("storage", &[]),
    ("service-kit", &["access"]),
    // It hands on what it does not understand.
    ("gateway", &["access", "service-kit"]),
    ("event-store", &["storage"]),
    ("messaging", &["event-store"]),
    ("invariants", &["domain", "event-store"]),
    ("command-service", SERVICE),
    ("notification-service", SERVICE),
    ("projection-service", SERVICE),
    ("saga-orchestrator", SERVICE),
    (
        "docket",
        &[
            "access",
            "command-service",
            "domain",
            "event-store",
            "gateway",
            "invariants",
            "messaging",
            "notification-service",
            "projection-service",
            "saga-orchestrator",
            "service-kit",
            "storage",
        ],
    ),
    // A tool that puts the services together on a virtual clock; it is part of nothing that is shipped.
    (
        "simulation",
        &[
            "command-service",
            "domain",
            "event-store",
            "invariants",
            "messaging",
            "projection-service",
            "saga-orchestrator",
            "service-kit",
            "storage",
        ],
    ),
    ("test-servers", &[]),
    ("chaos", &["invariants", TEST_SERVERS]),
    ("query-plans", &["storage"]),
    ("hostile-input", &[]),
    (
        "benchmarks",
        &[
            "command-service",
            "domain",
            "event-store",
            "messaging",
            "projection-service",
            "query-plans",
            "saga-orchestrator",
            "service-kit",
            "storage",
            TEST_SERVERS,
        ],
    ),
    ("xtask", &[TEST_SERVERS]),
];

/// Real servers for tests.
const TEST_SERVERS: &str = "test-servers";
/// What a test of any crate may use, and no crate ships.
const FOR_TESTS: [&str; 3] = [TEST_SERVERS, "query-plans", "hostile-input"];

/// Every edge that the table does not allow.
pub(crate) fn breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    Ok(breaches_in(&metadata(root)?))
}

/// Normal, build and test dependencies alike: a test that needs another service belongs in `tests/`.
fn breaches_in(metadata: &Value) -> Vec<String> {
    let text =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let list = |value: &Value, field: &str| {
        value.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut breaches = Vec::new();
    for package in list(metadata, "packages") {
        let name = text(&package, "name").unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            breaches.push(format!("crate `{name}` is not in the table of xtask/src/edges.rs"));
            continue;
        };
        for dependency in list(&package, "dependencies") {
            let used = text(&dependency, "name").unwrap_or_default();
            let tests = FOR_TESTS.contains(&used.as_str())
                && text(&dependency, "kind").as_deref() == Some("dev");
            let ours = text(&dependency, "path").is_some();
            if ours && !tests && !allowed.contains(&used.as_str()) {
                breaches.push(format!("crate `{name}` must not use `{used}`"));
            }
        }
    }
    breaches
}

fn metadata(root: &Path) -> anyhow::Result<Value> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let asked = cargo
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output();
    let output = asked.context("`cargo metadata` can't be started")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("`cargo metadata` answers JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_crates_use_only_what_the_design_allows() {
        assert_eq!(breaches(&crate::workspace()).unwrap(), [""; 0]);
    }

    #[test]
    fn another_edge_and_an_unknown_crate_are_named() {
        let edge = json!({ "name": "projection-service", "path": "x" });
        let foreign = json!({ "name": "serde" });
        let servers = json!({ "name": "test-servers", "path": "x" });
        let in_tests = json!({ "name": "test-servers", "path": "x", "kind": "dev" });
        let metadata = json!({ "packages": [
            { "name": "command-service", "dependencies": [edge, foreign, servers, in_tests] },
            { "name": "newcomer", "dependencies": [] },
        ] });
        let expected = [
            "crate `command-service` must not use `projection-service`",
            "crate `command-service` must not use `test-servers`",
            "crate `newcomer` is not in the table of xtask/src/edges.rs",
        ];
        assert_eq!(breaches_in(&metadata), expected);
    }
}
