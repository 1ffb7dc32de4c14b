//! What a service says that has not the permissions that it needs.

use std::process::Stdio;
use std::time::Duration;

use test_servers::Nats;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::deployment::Deployment;
use crate::platform::docket;

const PATIENCE: Duration = Duration::from_mins(2);

/// Starts a projection-service with this seed and reads what it logs until a line has all of these words.
async fn says(deployment: &Deployment, nats: &Nats, seed: &str, words: &[&str]) -> Option<String> {
    let database = test_servers::database()?;
    let mut service = docket(&["projection-service", "--listen", "127.0.0.1:0"]);
    service.env("DOCKET_POSTGRES_URL", database.url()).env("DOCKET_NATS_URL", nats.url());
    service.env("DOCKET_NATS_NKEY_FILE", deployment.seed(seed));
    service.env("DOCKET_MASTER_KEY_FILE", deployment.secrets().join("master.key"));
    let mut service =
        service.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(service.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
            said.push(line);
        }
        panic!("it ended");
    });
    let found = found.await;
    Some(found.unwrap_or_else(|_| panic!("{words:?} is not said: {said:#?}")))
}

fn public(deployment: &Deployment, identity: &str) -> String {
    let seed = std::fs::read_to_string(deployment.seed(identity)).unwrap();
    nkeys::KeyPair::from_seed(seed.trim()).unwrap().public_key()
}

#[tokio::test]
async fn it_names_the_subject_and_whom_the_server_knows_it_as() {
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    let key = public(&deployment, "saga-orchestrator");
    for subject in ["_INBOX_projection-service.", "docket.ask.master-key-check"] {
        let words = ["ERROR", "does not let this identity", subject, &key];
        if says(&deployment, &nats, "saga-orchestrator", &words).await.is_none() {
            return;
        }
    }
}

#[tokio::test]
async fn a_stranger_says_that_it_is_not_let_in_and_as_whom() {
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    let stranger = nkeys::KeyPair::new_user();
    std::fs::write(deployment.seed("stranger"), stranger.seed().unwrap()).unwrap();
    let key = stranger.public_key();
    let words = ["ERROR", "does not let this identity in", &key];
    says(&deployment, &nats, "stranger", &words).await;
}

#[tokio::test]
async fn a_file_without_a_seed_ends_the_start_and_is_named() {
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    let Some(database) = test_servers::database() else { return };
    std::fs::write(deployment.seed("empty"), "nothing\n").unwrap();
    let mut service = docket(&["projection-service", "--listen", "127.0.0.1:0"]);
    service.env("DOCKET_POSTGRES_URL", database.url()).env("DOCKET_NATS_URL", nats.url());
    service.env("DOCKET_NATS_NKEY_FILE", deployment.seed("empty"));
    service.env("DOCKET_MASTER_KEY_FILE", deployment.secrets().join("master.key"));
    let output = service.output().await.unwrap();
    let said = crate::platform::text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("empty.nk holds no seed of a user's NKey"), "{said}");
}
