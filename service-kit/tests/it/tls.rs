//! TLS at an address of ours: who is let in, who is not, and who hurts whom.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use rustls::pki_types::ServerName;
use service_kit::server::{Ending, ServerSettings, serve};
use service_kit::tls::{
    ClientTlsFiles, ServerTls, ServerTlsFiles, Trust, client_config, config_for_own,
};
use tempfile::TempDir;
use test_servers::{Authority, Usage};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// More than any socket holds, in bytes.
const LARGE: usize = 100_000_000;

/// Certificates of two authorities, and a server that shows one.
struct Bench {
    folder: TempDir,
    authority: Authority,
    address: SocketAddr,
    draining: CancellationToken,
}

impl Bench {
    /// A server for `localhost`, which asks clients for certificates or does not.
    async fn start(asks: bool, handshake_within: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("ours").unwrap();
        let path = |name: &str| folder.path().join(name);
        authority.write(&path("ca.pem")).unwrap();
        let signed = authority.sign(&["localhost"], Usage::Both).unwrap();
        signed.write(&path("server.pem"), &path("server.key")).unwrap();
        let files = ServerTlsFiles {
            certificate: path("server.pem"),
            key: path("server.key"),
            client_authorities: asks.then(|| path("ca.pem")),
        };
        let tls = ServerTls::start(files).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        let router = router.route("/large", get(|| async { "x".repeat(LARGE) }));
        let taken_within = Duration::from_secs(1);
        let settings =
            ServerSettings { handshake_within, taken_within, ..ServerSettings::default() };
        let draining = CancellationToken::new();
        let ending = Ending { draining: draining.clone(), ..Ending::default() };
        tokio::spawn(serve(listener, router, settings, Some(tls), ending));
        Self { folder, authority, address, draining }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Believes who signed the server's certificate.
    fn believes(&self) -> ClientTlsFiles {
        ClientTlsFiles { authorities: Some(self.path("ca.pem")), identity: None }
    }

    /// The same, showing a certificate that this one signed.
    fn shows(&self, authority: &Authority, usage: Usage) -> ClientTlsFiles {
        let files = (self.path("client.pem"), self.path("client.key"));
        authority.sign(&["a-client"], usage).unwrap().write(&files.0, &files.1).unwrap();
        ClientTlsFiles { identity: Some(files), ..self.believes() }
    }

    async fn asked(&self, files: &ClientTlsFiles, name: &'static str) -> io::Result<String> {
        let config = client_config(files, Trust::Named).unwrap();
        asked(self.address, config, name).await
    }
}

/// The answer to one request.
async fn asked(
    address: SocketAddr,
    config: rustls::ClientConfig,
    name: &'static str,
) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(ServerName::try_from(name).unwrap(), stream).await?;
    said(stream).await
}

async fn said(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end")?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_server_is_believed_by_its_name_and_by_who_signed_it() {
    let bench = Bench::start(false, PATIENCE).await;
    assert!(bench.asked(&bench.believes(), "localhost").await.unwrap().ends_with("here"));
    let wrong = bench.asked(&bench.believes(), "other.example").await.unwrap_err().to_string();
    assert!(wrong.contains("not valid for name"), "{wrong}");
    let other = Authority::new("ours").unwrap();
    other.write(&bench.path("other.pem")).unwrap();
    let files = ClientTlsFiles { authorities: Some(bench.path("other.pem")), identity: None };
    let wrong = bench.asked(&files, "localhost").await.unwrap_err().to_string();
    assert!(wrong.contains("invalid peer certificate"), "{wrong}");
    let wrong = bench.asked(&ClientTlsFiles::default(), "localhost").await.unwrap_err();
    assert!(wrong.to_string().contains("UnknownIssuer"), "whom the machine trusts: {wrong}");
}

#[tokio::test]
async fn a_client_is_let_in_by_who_signed_its_certificate() {
    let bench = Bench::start(true, PATIENCE).await;
    let shows = bench.shows(&bench.authority, Usage::Both);
    assert!(bench.asked(&shows, "localhost").await.unwrap().ends_with("here"));
    let none = bench.asked(&bench.believes(), "localhost").await.unwrap_err().to_string();
    assert!(none.contains("CertificateRequired"), "{none}");
    let stranger = Authority::new("ours").unwrap();
    for (authority, usage, alert) in [
        (&stranger, Usage::Both, ""),
        (&bench.authority, Usage::Expired, "CertificateExpired"),
        (&bench.authority, Usage::Server, ""),
    ] {
        let shows = bench.shows(authority, usage);
        let refused = bench.asked(&shows, "localhost").await.unwrap_err().to_string();
        assert!(refused.contains("fatal alert") && refused.contains(alert), "{usage:?}: {refused}");
    }
}

#[tokio::test]
async fn a_process_of_this_machine_is_known_by_the_very_certificate_it_shows() {
    let bench = Bench::start(true, PATIENCE).await;
    let config = |certificate: &Path, key: &Path| {
        config_for_own(certificate.to_owned(), key.to_owned(), &ClientTlsFiles::default()).unwrap()
    };
    let own = config(&bench.path("server.pem"), &bench.path("server.key"));
    assert!(asked(bench.address, own, "127.0.0.1").await.unwrap().ends_with("here"));
    let (other, key) = (bench.path("other.pem"), bench.path("other.key"));
    bench.authority.sign(&["localhost"], Usage::Both).unwrap().write(&other, &key).unwrap();
    let refused = asked(bench.address, config(&other, &key), "localhost").await.unwrap_err();
    assert!(refused.to_string().contains("ApplicationVerificationFailure"), "{refused}");
}

#[tokio::test]
async fn what_is_spoken_is_http_1_and_the_old_versions_of_tls_are_not() {
    let bench = Bench::start(false, PATIENCE).await;
    for (offered, taken) in [(&["h2", "http/1.1"][..], true), (&[], true), (&["h2"], false)] {
        let mut config = client_config(&bench.believes(), Trust::Named).unwrap();
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let answer = asked(bench.address, config, "localhost").await;
        assert_eq!(answer.is_ok(), taken, "{offered:?}: {answer:?}");
    }
    // A hello of TLS 1.1, which says its version in bytes 9 and 10.
    let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap());
    assert!(answer.first().is_none_or(|kind| *kind == 0x15), "an alert, or the end: {answer:?}");
}

#[tokio::test]
async fn who_speaks_http_in_clear_is_told_what_is_spoken_here() {
    let bench = Bench::start(true, PATIENCE).await;
    let answer = said(TcpStream::connect(bench.address).await.unwrap()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("\"code\":\"tls_required\"") && answer.contains("https://"),
        "{answer}"
    );
    assert!(!answer.contains("here\r\n"), "{answer}");
}

#[tokio::test]
async fn handshakes_that_do_not_end_hold_up_nobody_and_end_in_time() {
    let within = Duration::from_secs(5);
    let bench = Bench::start(false, within).await;
    let begun = Instant::now();
    let mut half_open = Vec::new();
    for sent in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        for _ in 0..100 {
            let mut stream = TcpStream::connect(bench.address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            half_open.push(stream);
        }
    }
    assert!(bench.asked(&bench.believes(), "localhost").await.unwrap().ends_with("here"));
    for mut stream in half_open {
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        drop(read.expect("it is closed"));
    }
    assert!(begun.elapsed() >= within, "nobody is thrown out before");
}

#[tokio::test]
async fn at_the_end_a_handshake_is_not_waited_for() {
    let bench = Bench::start(false, Duration::from_mins(10)).await;
    let mut half_open = TcpStream::connect(bench.address).await.unwrap();
    // It was taken: the next one is served.
    assert!(bench.asked(&bench.believes(), "localhost").await.unwrap().ends_with("here"));
    bench.draining.cancel();
    let read = tokio::time::timeout(PATIENCE, half_open.read_to_end(&mut Vec::new())).await;
    drop(read.expect("it is closed"));
}

#[tokio::test]
async fn renewed_certificates_are_shown_and_believed_without_a_restart() {
    let bench = Bench::start(true, PATIENCE).await;
    let shows = bench.shows(&bench.authority, Usage::Both);
    let kept = client_config(&shows, Trust::Named).unwrap();
    assert!(asked(bench.address, kept.clone(), "localhost").await.unwrap().ends_with("here"));
    // Another authority takes the place of the first, on both sides.
    let next = Authority::new("next").unwrap();
    next.write(&bench.path("ca.pem")).unwrap();
    let renewed = next.sign(&["localhost"], Usage::Both).unwrap();
    renewed.write(&bench.path("server.pem"), &bench.path("server.key")).unwrap();
    bench.shows(&next, Usage::Both);
    let begun = Instant::now();
    let by_now = || client_config(&shows, Trust::Named).unwrap();
    while asked(bench.address, by_now(), "localhost").await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the server shows what it showed before");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while let Err(error) = asked(bench.address, kept.clone(), "localhost").await {
        assert!(begun.elapsed() < PATIENCE, "the client believes whom it believed before: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_loses_the_connection_also_with_tls() {
    let bench = Bench::start(false, PATIENCE).await;
    let config = client_config(&bench.believes(), Trust::Named).unwrap();
    let stream = TcpStream::connect(bench.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut taken = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut taken)).await;
    let read = read.expect("it is closed");
    assert!(taken.len() < LARGE, "{read:?}: it was given all of it");
}
