//! A payment provider that is asked over HTTP: what its client holds on to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use command_service::payments::{HttpProvider, PaymentProvider as _, ProviderAnswer};
use domain::payments::{Operation, ProviderOutcome};
use futures::future::join_all;
use service_kit::http::KEPT_CONNECTION;
use service_kit::service_token::ServiceToken;
use service_kit::tls::{ClientConfig, ClientTlsFiles, Trust, client_config};
use service_kit::watched::NamedFile;

use crate::simulator::call;

/// Calls at a time.
const BURST: usize = 8;
/// Far longer than a connection takes to close.
const PATIENCE: Duration = Duration::from_secs(20);

fn tls() -> ClientConfig {
    client_config(&ClientTlsFiles::default(), Trust::Named).unwrap()
}

/// A provider that answers once as many ask as a burst has; tells of each connection that is closed.
fn provider() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, closes) = channel();
    let all_ask = Arc::new(Barrier::new(BURST));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (all_ask, tell) = (Arc::clone(&all_ask), tell.clone());
            thread::spawn(move || answer(&connection.unwrap(), &all_ask, &tell));
        }
    });
    (format!("http://{address}"), closes)
}

fn answer(mut connection: &TcpStream, all_ask: &Barrier, tell: &Sender<()>) {
    let mut asked = BufReader::new(connection);
    while is_asked(&mut asked) {
        all_ask.wait();
        let said =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull";
        connection.write_all(said.as_bytes()).unwrap();
    }
    let _ = tell.send(());
}

/// Reads a request; false when there is none any more.
fn is_asked(asked: &mut BufReader<&TcpStream>) -> bool {
    let (mut line, mut length) = (String::new(), 0);
    while asked.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        if line == "\r\n" {
            return asked.read_exact(&mut vec![0; length]).is_ok();
        }
        let of_body = line.to_lowercase();
        let of_body = of_body.strip_prefix("content-length:").map(str::trim);
        length = of_body.map_or(length, |length| length.parse().unwrap());
        line.clear();
    }
    false
}

#[tokio::test]
async fn what_a_burst_opened_is_given_back_when_none_follows() {
    let (url, closes) = provider();
    let provider = HttpProvider::new(&url, PATIENCE, tls(), None).unwrap();
    let calls: Vec<_> = (1..).map(|n| call(Operation::Authorize, n, 500)).take(BURST).collect();
    let answers = join_all(calls.iter().map(|call| provider.call(call))).await;
    let is_unknown = |answer: &ProviderAnswer| {
        matches!(answer, ProviderAnswer::Said { outcome: ProviderOutcome::Unknown, .. })
    };
    assert!(answers.iter().all(is_unknown));

    tokio::time::pause();
    for _ in 0..2 {
        // One is kept from when it is free, a moment after its answer: whoever frees it has its turn first.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(KEPT_CONNECTION * 2).await;
    }
    let all_close = move || (0..BURST).all(|_| closes.recv_timeout(PATIENCE).is_ok());
    assert!(tokio::task::spawn_blocking(all_close).await.unwrap());
}

/// A provider that says this to everybody, and the head of what it was asked first.
fn says(status: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, asked) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let (mut head, mut line) = (String::new(), String::new());
            let mut lines = BufReader::new(&connection);
            while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                head.push_str(&std::mem::take(&mut line));
            }
            let _ = tell.send(head);
            let end = "content-length: 0\r\nconnection: close\r\n\r\n";
            write!(connection, "HTTP/1.1 {status}\r\n{end}").unwrap();
        }
    });
    (format!("http://{address}"), asked)
}

#[tokio::test]
async fn it_is_shown_the_token_of_the_service_and_one_that_it_does_not_take_did_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "a.service.token\n").unwrap();
    let token = ServiceToken::start(NamedFile::new("service_token_file", &path)).unwrap();
    let call = call(Operation::Authorize, 1, 500);
    for (status, is_turned_away) in
        [("401 Unauthorized", true), ("403 Forbidden", true), ("503 Service Unavailable", false)]
    {
        let (url, asked) = says(status);
        let provider = HttpProvider::new(&url, PATIENCE, tls(), Some(token.clone())).unwrap();
        let answer = provider.call(&call).await;
        let head = asked.recv_timeout(PATIENCE).unwrap().to_lowercase();
        assert!(head.contains("authorization: bearer a.service.token\r\n"), "{head}");
        let is_not_asked = matches!(answer, ProviderAnswer::NotAsked { .. });
        assert_eq!(is_not_asked, is_turned_away, "{status}: {answer:?}");
    }
}
