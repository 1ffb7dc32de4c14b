//! TLS: the server is known by who signed its certificate, the client by a certificate of its own.

use std::path::{Path, PathBuf};

use messaging::jetstream::{ConnectionError, ConnectionSettings, TlsFiles, connect};

use crate::platform::until;

/// Certificates for the loopback, good for a hundred years; what signed them is gone.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jetstream/tls").join(name)
}

#[tokio::test]
async fn both_sides_show_their_certificates_and_commands_travel() {
    let config = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}\n",
        file("server.pem").display(),
        file("server.key").display(),
        file("authority.pem").display(),
    );
    let Some(nats) = test_servers::nats_with_config(&config) else { return };
    let client = Some((file("client.pem"), file("client.key")));
    let tls = TlsFiles { authority: Some(file("authority.pem")), client };
    let settings = ConnectionSettings { tls, ..ConnectionSettings::new(&nats.url(), "a test") };
    let client = connect(&settings).await.unwrap();
    until("there is a connection", || async { client.flush().await.is_ok() }).await;
    let streams = async_nats::jetstream::new(client.clone());
    until("JetStream answers", || async { streams.query_account().await.is_ok() }).await;
    assert!(client.server_info().tls_required, "nothing travels in clear text");
}

#[tokio::test]
async fn a_file_that_is_missing_is_said_at_once_and_by_name() {
    let tls = TlsFiles { authority: Some(file("nobody.pem")), client: None };
    let settings = ConnectionSettings { tls, ..ConnectionSettings::new("nats://localhost", "a") };
    let refused = connect(&settings).await.unwrap_err();
    assert!(matches!(&refused, ConnectionError::Tls { .. }), "{refused:?}");
    assert!(refused.to_string().contains("nobody.pem"), "{refused}");
}
