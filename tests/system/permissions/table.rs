//! What each identity may, and that every server refuses the rest.

use test_servers::Nats;

use super::wire::Wire;
use crate::deployment::{Deployment, repository};

const IDENTITIES: [&str; 6] = [
    "command-service",
    "projection-service",
    "saga-orchestrator",
    "notification-service",
    "gateway",
    "operator",
];

/// Who may publish to a subject: the identities in their order, each `x` or `.`.
const PUBLISH: [(&str, &str); 51] = [
    // Only the log's owner says what happened, and how far the log is.
    ("docket.events.l.order.OrderPlaced", "x....."),
    ("docket.log.announced", "x....."),
    // Only the orchestrator commands.
    ("docket.commands.c0ffee", "..x..."),
    ("docket.commands.a.b", "......"),
    // Questions to the log's owner, and to the orchestrator.
    ("docket.log.announce", ".xxx.."),
    ("docket.log.history", ".xxx.."),
    ("docket.ask.record-action", ".xxx.."),
    ("docket.ask.person-key", ".x.x.."),
    ("docket.ask.master-key-check", ".x.x.."),
    ("docket.ask.sagas-of-order", ".x...."),
    // The stream of events is its owner's; others read it.
    ("$JS.API.STREAM.INFO.EVENTS", "xxxx.x"),
    ("$JS.API.STREAM.CREATE.EVENTS", "x....."),
    ("$JS.API.STREAM.UPDATE.EVENTS", "x....."),
    ("$JS.API.STREAM.DELETE.EVENTS", "x....."),
    ("$JS.API.STREAM.PURGE.EVENTS", "......"),
    ("$JS.API.STREAM.SNAPSHOT.EVENTS", "......"),
    ("$JS.API.STREAM.RESTORE.EVENTS", "......"),
    ("$JS.API.STREAM.MSG.GET.EVENTS", "x....."),
    ("$JS.API.STREAM.MSG.DELETE.EVENTS", "......"),
    ("$JS.API.DIRECT.GET.EVENTS", "......"),
    ("$JS.API.CONSUMER.CREATE.EVENTS", ".xxx.."),
    ("$JS.API.CONSUMER.MSG.NEXT.EVENTS.one", ".xxx.."),
    ("$JS.API.CONSUMER.INFO.EVENTS.one", ".xxx.x"),
    ("$JS.API.CONSUMER.DELETE.EVENTS.one", "......"),
    ("$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.one", "......"),
    // The queue is taken from by the log's owner only.
    ("$JS.API.STREAM.INFO.COMMANDS", "x....x"),
    ("$JS.API.STREAM.CREATE.COMMANDS", "x....."),
    ("$JS.API.STREAM.UPDATE.COMMANDS", "x....."),
    ("$JS.API.STREAM.DELETE.COMMANDS", "......"),
    ("$JS.API.STREAM.PURGE.COMMANDS", "......"),
    ("$JS.API.STREAM.MSG.GET.COMMANDS", "..x..."),
    ("$JS.API.STREAM.MSG.DELETE.COMMANDS", "......"),
    ("$JS.API.CONSUMER.CREATE.COMMANDS.participants", "x....."),
    ("$JS.API.CONSUMER.CREATE.COMMANDS.other", "......"),
    ("$JS.API.CONSUMER.MSG.NEXT.COMMANDS.participants", "x....."),
    ("$JS.API.CONSUMER.DELETE.COMMANDS.participants", "......"),
    ("$JS.ACK.COMMANDS.participants.1.1.1.1.0", "x....."),
    // Nobody makes a stream of their own, which would take in what others say.
    ("$JS.API.STREAM.CREATE.mine", "......"),
    ("$JS.API.INFO", ".....x"),
    ("$JS.API.STREAM.NAMES", ".....x"),
    ("$JS.API.STREAM.LIST", ".....x"),
    ("$JS.API.CONSUMER.NAMES.EVENTS", ".....x"),
    ("$JS.API.CONSUMER.LIST.EVENTS", ".....x"),
    ("$JS.API.CONSUMER.INFO.COMMANDS.participants", "x....x"),
    // Services are looked for by the gateway and by a person.
    ("$SRV.INFO.projection-service", "....xx"),
    ("$SRV.INFO.saga-orchestrator.id", ".....x"),
    ("$SRV.PING", ".....x"),
    ("$SRV.STATS.gateway", ".....x"),
    ("$SYS.REQ.SERVER.PING", "......"),
    ("$SRV.INFO", ".....x"),
    ("anything.else", "......"),
];

/// Who may answer into whose inbox without having been asked.
const ANSWER: [(&str, &str); 6] = [
    ("_INBOX_command-service.a.b", "......"),
    ("_INBOX_projection-service.a.b", "..x..."),
    ("_INBOX_saga-orchestrator.a.b", "......"),
    ("_INBOX_notification-service.a.b", "......"),
    ("_INBOX_gateway.a.b", ".xxx.."),
    ("_INBOX_operator.a.b", ".xxx.."),
];

/// Who may hear a subject.
const SUBSCRIBE: [(&str, &str); 26] = [
    ("docket.log.announced", ".xxx.."),
    ("docket.log.announce", "x....."),
    ("docket.log.history", "x....."),
    ("docket.ask.record-action", "x....."),
    ("docket.ask.person-key", "x....."),
    ("docket.ask.master-key-check", "x....."),
    ("docket.ask.sagas-of-order", "..x..."),
    // What happened and what is commanded goes by way of the streams.
    ("docket.events.>", "......"),
    ("docket.commands.>", "......"),
    ("$JS.API.>", "......"),
    ("$JS.ACK.>", "......"),
    (">", "......"),
    ("_INBOX.>", "......"),
    ("_INBOX_command-service.>", "x....."),
    ("_INBOX_projection-service.>", ".x...."),
    ("_INBOX_saga-orchestrator.>", "..x..."),
    ("_INBOX_notification-service.>", "...x.."),
    ("_INBOX_gateway.>", "....x."),
    ("_INBOX_operator.>", ".....x"),
    // Each service answers under its own name.
    ("$SRV.INFO", "xxxx.."),
    ("$SRV.INFO.command-service", "x....."),
    ("$SRV.STATS.projection-service", ".x...."),
    ("$SRV.PING.saga-orchestrator.id", "..x..."),
    ("$SRV.INFO.notification-service", "...x.."),
    ("$SRV.>", "......"),
    ("$SYS.>", "......"),
];

async fn hold_to(deployment: &Deployment, nats: &Nats) {
    for (place, identity) in IDENTITIES.iter().enumerate() {
        let mut wire = Wire::log_in(nats, &deployment.seed(identity)).await.unwrap();
        let may = |row: &str| row.as_bytes()[place] == b'x';
        for (subject, row) in PUBLISH.iter().chain(&ANSWER) {
            assert_eq!(wire.may_publish(subject).await, may(row), "{identity} publishes {subject}");
        }
        for (subject, row) in SUBSCRIBE {
            assert_eq!(wire.may_subscribe(subject).await, may(row), "{identity} hears {subject}");
        }
    }
}

#[tokio::test]
async fn each_identity_may_what_the_table_says_and_nothing_else() {
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    hold_to(&deployment, &nats).await;
}

#[tokio::test]
async fn on_every_node_of_the_cluster_too() {
    let deployment = Deployment::lay_out();
    let Some(cluster) = deployment.nats_cluster() else { return };
    for nats in &cluster.servers {
        hold_to(&deployment, nats).await;
    }
}

#[tokio::test]
async fn whoever_shows_no_key_or_a_stranger_s_is_not_let_in() {
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    assert_eq!(Wire::nobody(&nats).await, ["Authorization Violation"]);
    let seed = deployment.root().join("stranger.nk");
    std::fs::write(&seed, nkeys::KeyPair::new_user().seed().unwrap()).unwrap();
    let refused = Wire::log_in(&nats, &seed).await.err();
    assert_eq!(refused.as_deref(), Some("Authorization Violation"));
}

#[tokio::test]
async fn the_command_service_answers_whoever_asked_it_and_nobody_else() {
    const INBOX: &str = "_INBOX_notification-service.a.b";
    let deployment = Deployment::lay_out();
    let Some(nats) = deployment.nats() else { return };
    let log_in = async |name| Wire::log_in(&nats, &deployment.seed(name)).await.unwrap();
    let (mut owner, mut reader) =
        (log_in("command-service").await, log_in("notification-service").await);
    assert!(owner.refused("SUB docket.log.history 1\r\n").await.is_empty());
    assert!(reader.refused(&format!("SUB {INBOX} 1\r\n")).await.is_empty());
    assert!(!owner.may_publish(INBOX).await, "nobody asked");

    assert!(reader.refused(&format!("PUB docket.log.history {INBOX} 0\r\n\r\n")).await.is_empty());
    assert_eq!(owner.line().await, format!("MSG docket.log.history 1 {INBOX} 0"));
    assert_eq!(owner.line().await, "");
    for _part in 0..50 {
        assert!(owner.may_publish(INBOX).await, "a part of the answer");
        assert_eq!(reader.line().await, format!("MSG {INBOX} 1 0"));
        assert_eq!(reader.line().await, "");
    }
    assert!(!owner.may_publish("_INBOX_notification-service.a.c").await, "that is another inbox");
}

/// Whether a pattern of NATS takes a subject in.
fn takes(pattern: &str, subject: &str) -> bool {
    let mut words = subject.split('.');
    for token in pattern.split('.') {
        match (token, words.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (token, Some(word)) if token == word => {}
            _ => return false,
        }
    }
    words.next().is_none()
}

#[test]
fn every_entry_of_the_permissions_has_a_row_in_the_table() {
    let text = std::fs::read_to_string(repository("deploy/nats/permissions.conf")).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let entries: Vec<&str> = lines
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|entry| entry.contains('.') || entry.starts_with('$'))
        .collect();
    assert!(entries.len() > 80, "{entries:?}");
    for entry in entries {
        let rows = PUBLISH.iter().chain(&ANSWER).chain(&SUBSCRIBE);
        // Of the three words of the services' protocol, and of the services, one row stands for all.
        let mut rows = rows.map(|(subject, _)| *subject);
        let is_alike = entry.starts_with("$SRV.");
        assert!(
            is_alike || rows.any(|row| takes(entry, row) || row == entry),
            "no row is for {entry}"
        );
    }
}

#[tokio::test]
async fn the_permissions_can_be_included_in_a_configuration_of_one_s_own() {
    let (deployment, folder) = (Deployment::lay_out(), tempfile::tempdir().unwrap());
    let docket = folder.path().join("docket");
    std::fs::create_dir(&docket).unwrap();
    let permissions = repository("deploy/nats/permissions.conf");
    std::fs::copy(permissions, docket.join("permissions.conf")).unwrap();
    let identities = deployment.secrets().join("nats_identities");
    std::fs::copy(identities, docket.join("nats_identities")).unwrap();
    let own = folder.path().join("nats.conf");
    std::fs::write(&own, "include docket/permissions.conf\n").unwrap();
    let Some(nats) = test_servers::nats_of(&own) else { return };
    let stranger = async_nats::ConnectOptions::new().connect(nats.url()).await;
    assert!(stranger.is_err(), "nobody is let in without an identity");
    let seed = std::fs::read_to_string(deployment.seed("gateway")).unwrap();
    let known = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned());
    known.connect(nats.url()).await.unwrap();
}
