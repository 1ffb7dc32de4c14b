//! Receivers: an HTTP server that answers as it is told to, and one that speaks no HTTP at all.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::bench::PATIENCE;

/// What a receiver was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Told {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `order.placed of o1`.
    pub(crate) fn what(&self) -> String {
        let event = self.event();
        let subject = event["subject"].as_str().unwrap().split('/').next_back().unwrap().to_owned();
        format!("{} of {subject}", event["type"].as_str().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Status(u16),
    /// Says nothing, for ever.
    Hang,
    Redirect(String),
    /// Says this status to what is about this order, and 200 to all else.
    OfOrder(&'static str, u16),
}

/// An HTTP server.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    told: watch::Sender<Vec<Told>>,
    answer: Arc<Mutex<Answer>>,
}

type Shared = (watch::Sender<Vec<Told>>, Arc<Mutex<Answer>>);

impl Receiver {
    pub(crate) async fn answering(answer: Answer) -> Self {
        Self::at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn at(address: &str, answer: Answer) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, answer) = (watch::Sender::default(), Arc::new(Mutex::new(answer)));
        let router =
            Router::new().fallback(take).with_state((told.clone(), Arc::clone(&answer)) as Shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, told, answer }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.borrow().clone()
    }

    pub(crate) fn whats(&self) -> Vec<String> {
        self.told().iter().map(Told::what).collect()
    }

    /// Waits until it was told so often.
    pub(crate) async fn until(&self, count: usize) -> Vec<Told> {
        let mut told = self.told.subscribe();
        let waited =
            tokio::time::timeout(PATIENCE, told.wait_for(|told| told.len() >= count)).await;
        match waited {
            Ok(Ok(told)) => told.clone(),
            _ => panic!("told {:?}, and not {count} times", self.whats()),
        }
    }
}

async fn take(State((told, answer)): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let new = Told { headers, body };
    let answer = answer.lock().unwrap().clone();
    let is_about = |order: &str| new.what().ends_with(&format!(" of {order}"));
    let status = |status| StatusCode::from_u16(status).unwrap().into_response();
    let response = match answer {
        Answer::Status(code) => Some(status(code)),
        Answer::OfOrder(order, code) => Some(status(if is_about(order) { code } else { 200 })),
        Answer::Redirect(to) => {
            Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response())
        }
        Answer::Hang => None,
    };
    told.send_modify(|all| all.push(new));
    match response {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

/// A server that answers every connection with bytes of its own: first these, then that one for ever, as fast as it is taken or
/// slowly.
pub(crate) async fn raw(first: &'static str, endless: u8, slowly: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_raw(stream, first, endless, slowly));
        }
    });
    address
}

async fn answer_raw(mut stream: TcpStream, first: &'static str, endless: u8, slowly: bool) {
    let mut request = [0; 4096];
    if stream.read(&mut request).await.is_err() || stream.write_all(first.as_bytes()).await.is_err()
    {
        return;
    }
    let block = if slowly { vec![endless] } else { vec![endless; 64 * 1024] };
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    while stream.write_all(&block).await.is_ok() {
        if slowly {
            ticks.tick().await;
        }
    }
}
