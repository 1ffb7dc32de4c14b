//! Receivers that are known by who signed their certificate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notification_service::{EgressSettings, Settings};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::bench::{Bench, id};

/// Certificates for the loopback, good for a hundred years; what signed them is gone.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../messaging/tests/jetstream/tls").join(name)
}

/// Answers 204 to everything, over TLS.
async fn receiver() -> SocketAddr {
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap();
    let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(certificates, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let _ =
                    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}

async fn attempt(bench: &Bench, settings: Settings) -> Value {
    let running = bench.start_with(settings).await;
    let address = receiver().await;
    let webhook = running.register(&format!("https://localhost:{}/", address.port())).await;
    bench.log.place(&format!("o{}", address.port())).await;
    let path = format!("/webhooks/{}/deliveries", id(&webhook));
    let page = running.until(&path, |page| page["items"][0]["attempts"].as_u64() > Some(0)).await;
    let shown = running.get(&format!("{path}/{}", page["items"][0]["id"])).await;
    running.service.shutdown().await;
    shown["log"][0].clone()
}

#[tokio::test]
async fn a_receiver_is_told_whose_certificate_somebody_vouches_for_and_no_other() {
    let bench = Bench::on_sqlite();
    let stranger = attempt(&bench, bench.settings()).await;
    assert_eq!(stranger["status"], Value::Null, "{stranger}");
    assert_eq!(stranger["error"], "its certificate is not taken: nobody vouches for it");
    let settings = bench.settings();
    let authorities = Some(file("authority.pem"));
    let egress = EgressSettings { authorities, ..settings.egress.clone() };
    let known = attempt(&bench, Settings { egress, ..settings }).await;
    assert_eq!(known["status"], 204, "{known}");
}
