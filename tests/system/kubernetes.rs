//! What the overlays of `deploy/kubernetes` come to, read as Kubernetes would read it. They are not run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::platform::{docket, text};

const OVERLAYS: [&str; 4] = ["distributed", "distributed-stripe", "distributed-tls", "single"];

/// Who has a certificate in the overlay with TLS.
const TLS_WORKLOADS: [&str; 6] = [
    "gateway",
    "command-service",
    "projection-service",
    "saga-orchestrator",
    "notification-service",
    "payment-simulator",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes")
}

fn documents(yaml: &str) -> Vec<Value> {
    use serde::Deserialize as _;
    let all = serde_norway::Deserializer::from_str(yaml).map(serde_norway::Value::deserialize);
    let all = all.map(|value| serde_norway::from_value(value.unwrap()).unwrap());
    all.filter(|value: &Value| !value.is_null()).collect()
}

/// The objects of every overlay; none where nothing builds them.
fn overlays() -> Vec<(&'static str, Vec<Value>)> {
    let built = OVERLAYS.map(|overlay| {
        let path = folder().join("overlays").join(overlay);
        for words in [["kustomize", "build"], ["kubectl", "kustomize"]] {
            let Ok(built) = Command::new(words[0]).arg(words[1]).arg(&path).output() else {
                continue;
            };
            assert!(built.status.success(), "{overlay}: {}", text(&built));
            return Some((overlay, documents(&String::from_utf8(built.stdout).unwrap())));
        }
        test_servers::skipped(&anyhow::anyhow!("neither kustomize nor kubectl is installed"));
        None
    });
    built.into_iter().flatten().collect()
}

fn name(object: &Value) -> String {
    format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}

/// The template of the pods that an object makes.
fn template(object: &Value) -> Option<&Value> {
    match object["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "Job" => Some(&object["spec"]["template"]),
        "CronJob" => Some(&object["spec"]["jobTemplate"]["spec"]["template"]),
        _ => None,
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Each object that makes pods, with the pod and its one container.
fn pods(objects: &[Value]) -> Vec<(String, &Value, &Value)> {
    let of = |object| {
        let pod = &template(object)?["spec"];
        let containers = pod["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1, "{}", name(object));
        Some((name(object), pod, &containers[0]))
    };
    objects.iter().filter_map(of).collect()
}

#[test]
fn every_pod_has_few_rights_and_says_what_it_needs() {
    for (overlay, objects) in overlays() {
        for (name, pod, container) in pods(&objects) {
            let name = format!("{overlay}: {name}");
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(
                pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
                "{name}"
            );
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["capabilities"]["drop"][0], "ALL", "{name}");
            let image = container["image"].as_str().unwrap();
            assert!(image.contains(':') && !image.ends_with(":latest"), "{name}: {image}");
            for resource in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
                assert!(container["resources"].pointer(resource).is_some(), "{name}: {resource}");
            }
        }
    }
}

/// Else all clients are the controller's one address, and what strangers do is counted against everybody.
#[test]
fn a_gateway_behind_an_ingress_knows_whose_word_counts_on_where_clients_come_from() {
    let mut behind_one = 0;
    for (overlay, objects) in overlays() {
        let is_behind_one = objects.iter().any(|object| object["kind"] == "Ingress");
        let pods = pods(&objects);
        let Some((_, _, gateway)) = pods.iter().find(|(name, ..)| name == "Deployment/gateway")
        else {
            continue;
        };
        let knows = items(&gateway["env"]).any(|it| it["name"] == "DOCKET_TRUSTED_PROXIES");
        assert_eq!(knows, is_behind_one, "{overlay}");
        behind_one += usize::from(is_behind_one);
    }
    assert!(behind_one > 0 || overlays().is_empty(), "an overlay has an Ingress");
}

#[test]
fn what_runs_on_is_probed_and_what_is_probed_listens() {
    for (overlay, objects) in overlays() {
        let runs = |name: &str| name.starts_with("Deployment") || name.starts_with("StatefulSet");
        for (name, pod, container) in pods(&objects).into_iter().filter(|(name, ..)| runs(name)) {
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                assert!(container[probe].is_object(), "{overlay}: {name} has no {probe}");
            }
            let lives = &container["livenessProbe"];
            // Who has to show a certificate is asked by itself.
            let asks_itself = serde_json::json!(["docket", "health", "--live"]);
            assert!(
                lives["httpGet"]["path"] == "/health/live"
                    || lives["exec"]["command"] == asks_itself,
                "{name}: {lives}"
            );
            let shows = items(&container["env"]).any(|one| one["name"] == "DOCKET_TLS_CERT_FILE");
            let in_clear = lives["httpGet"].is_object() && lives["httpGet"]["scheme"] != "HTTPS";
            assert!(!shows || !in_clear, "{name} is asked in clear where it speaks TLS");
            let listens =
                items(&container["env"]).find(|one| one["name"] == "DOCKET_LISTEN").unwrap();
            let port = container["ports"][0]["containerPort"].to_string();
            assert!(listens["value"].as_str().unwrap().ends_with(&format!(":{port}")), "{name}");
            assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() >= 20, "{name}");
        }
    }
}

/// Whether a selector takes these labels.
fn selects(selector: &Value, labels: &Value) -> bool {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = items(&selector["matchExpressions"]);
    pairs.into_iter().all(|(label, value)| labels[label] == *value)
        && expressions.all(|one| {
            items(&one["values"]).any(|value| labels[one["key"].as_str().unwrap()] == *value)
        })
}

#[test]
fn every_selector_finds_somebody_and_everybody_is_found() {
    for (overlay, objects) in overlays() {
        let labels: Vec<&Value> =
            objects.iter().filter_map(|one| Some(&template(one)?["metadata"]["labels"])).collect();
        let found = |selector: &Value| labels.iter().any(|labels| selects(selector, labels));
        for object in &objects {
            let (name, spec) = (name(object), &object["spec"]);
            match object["kind"].as_str().unwrap() {
                "Service" => {
                    let selector = serde_json::json!({ "matchLabels": spec["selector"] });
                    assert!(found(&selector), "{overlay}: {name} has no pod");
                }
                "PodDisruptionBudget" => assert!(found(&spec["selector"]), "{overlay}: {name}"),
                "NetworkPolicy" => assert!(found(&spec["podSelector"]), "{overlay}: {name}"),
                "HorizontalPodAutoscaler" => {
                    let target = &spec["scaleTargetRef"];
                    let is_it = |one: &&Value| {
                        one["kind"] == target["kind"] && one["metadata"]["name"] == target["name"]
                    };
                    let target = objects.iter().find(is_it).unwrap();
                    assert!(
                        target["spec"]["replicas"].is_null(),
                        "{name} and an apply would fight"
                    );
                }
                _ => {}
            }
        }
    }
}

fn drawn() -> TempDir {
    let secrets = tempfile::tempdir().unwrap();
    let drawn = Command::new(folder().join("../make-secrets.sh")).arg(secrets.path()).output();
    let drawn = drawn.unwrap();
    assert!(drawn.status.success(), "{}", text(&drawn));
    secrets
}

/// The Secrets that the script prints for an overlay, each with its files.
fn printed(overlay: &str, secrets: &Path) -> BTreeSet<(String, String)> {
    let words = [overlay.trim_end_matches("-stripe").trim_end_matches("-tls")];
    let printed = Command::new(folder().join("secrets.sh")).args(words).arg(secrets).output();
    let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
    let mut files = BTreeSet::new();
    for secret in documents(&printed) {
        let name = secret["metadata"]["name"].as_str().unwrap();
        let data = secret["data"].as_object().unwrap();
        files.extend(data.keys().map(|file| (name.to_owned(), file.clone())));
    }
    files
}

#[test]
fn people_s_tokens_are_signed_nowhere_and_services_by_the_one_that_needs_it() {
    let secrets = drawn();
    for (overlay, objects) in overlays() {
        let files = printed(overlay, secrets.path());
        let has = |secret: &str, file: &str| files.contains(&(secret.into(), file.into()));
        assert!(!files.iter().any(|(_, file)| file == "auth_dev.key"), "{overlay}");
        let mut asking = 0;
        for (name, pod, _) in pods(&objects) {
            let mut volumes = items(&pod["volumes"]);
            let Some(auth) = volumes.find(|volume| volume["name"] == "auth") else { continue };
            let secret = auth["secret"]["secretName"].as_str().unwrap();
            for file in ["auth.toml", "auth_dev.json", "auth_services.json"] {
                assert!(has(secret, file), "{overlay}: {name}: {secret}/{file}");
            }
            let signs = has(secret, "auth_services.key");
            assert_eq!(signs, name == "StatefulSet/command-service", "{overlay}: {name}");
            asking += 1;
        }
        assert!(asking > 0, "{overlay}: nobody asks who somebody is");
    }
}

#[test]
fn every_secret_that_is_mounted_is_printed_with_the_files_that_are_named() {
    let secrets = drawn();
    for (overlay, objects) in overlays() {
        let mut files = printed(overlay, secrets.path());
        // What Stripe and the mail server give nobody draws.
        let given = [("stripe", "secret_key"), ("stripe", "webhook_secret"), ("mail", "password")];
        files.extend(given.map(|(whose, file)| (format!("docket-{whose}"), file.into())));
        // Nor what cert-manager writes.
        for workload in TLS_WORKLOADS {
            let written = ["tls.crt", "tls.key", "ca.crt"];
            files.extend(written.map(|file| (format!("docket-tls-{workload}"), file.into())));
        }
        for (name, pod, container) in pods(&objects) {
            for variable in items(&container["env"]) {
                let Some(path) =
                    variable["value"].as_str().filter(|path| path.starts_with("/run/secrets/"))
                else {
                    continue;
                };
                let (mount, file) = path.rsplit_once('/').unwrap();
                let mount = items(&container["volumeMounts"]).find(|one| one["mountPath"] == mount);
                let mount =
                    mount.unwrap_or_else(|| panic!("{overlay}: {name} does not mount {path}"));
                let volume =
                    items(&pod["volumes"]).find(|one| one["name"] == mount["name"]).unwrap();
                let secret = volume["secret"]["secretName"].as_str().unwrap();
                assert!(
                    files.contains(&(secret.into(), file.into())),
                    "{overlay}: {name}: {secret}/{file}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_command_line_is_understood_and_every_variable_is_a_setting() {
    for (overlay, objects) in overlays() {
        for (name, _, container) in pods(&objects) {
            let words: Vec<&str> =
                items(&container["args"]).map(|word| word.as_str().unwrap()).collect();
            let mut variables: Vec<(String, String)> = items(&container["env"])
                .map(|one| {
                    (
                        one["name"].as_str().unwrap().to_owned(),
                        // What Kubernetes knows alone has none here.
                        one["value"].as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            for source in items(&container["envFrom"]) {
                let map = &source["configMapRef"]["name"];
                let map = objects.iter().find(|one| one["metadata"]["name"] == *map).unwrap();
                let pairs = map["data"].as_object().unwrap().iter();
                variables.extend(
                    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())),
                );
            }
            let mut help = docket(&words);
            help.arg("--help").env_clear();
            let help = help.output().await.unwrap();
            assert!(help.status.success(), "{overlay}: {name}: {}", text(&help));
            for (variable, _) in
                variables.iter().filter(|(variable, _)| variable.starts_with("DOCKET_"))
            {
                // `docket health` in the pod reads it, and says so in its own help.
                assert!(
                    text(&help).contains(&format!("[env: {variable}")),
                    "{overlay}: {name} does not know {variable}"
                );
            }
        }
    }
}

#[test]
fn with_tls_nobody_is_asked_in_clear_and_everybody_has_a_certificate_of_their_own() {
    let Some((_, objects)) = overlays().into_iter().find(|(name, _)| *name == "distributed-tls")
    else {
        return;
    };
    let mut with_one = BTreeSet::new();
    for (name, pod, container) in pods(&objects) {
        for variable in items(&container["env"]) {
            // What Kubernetes knows alone has none here.
            let value = variable["value"].as_str().unwrap_or_default();
            assert!(!value.contains("http://"), "{name}: {variable}");
        }
        let of_tls = |volume: &&Value| volume["name"] == "tls";
        if let Some(volume) = items(&pod["volumes"]).find(of_tls) {
            let workload = name.split_once('/').unwrap().1;
            assert_eq!(volume["secret"]["secretName"], format!("docket-tls-{workload}"));
            with_one.insert(workload.to_owned());
        }
    }
    assert_eq!(with_one, TLS_WORKLOADS.map(str::to_owned).into());
}
