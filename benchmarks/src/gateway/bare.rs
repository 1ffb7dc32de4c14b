//! A proxy that does nothing but pass on, with the HTTP library that the gateway is built on: it asks nobody who they are, counts
//! nothing, bounds nothing and gives up on nothing.

use std::convert::Infallible;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::uri::{Authority, Scheme};
use axum::http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::platform::{PATIENCE, Process, free_address, until_ready};

/// Starts one before this address, as a process of its own. Where it answers.
pub(super) async fn start(to: &str) -> Result<(String, Process)> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["proxy", &address, to]);
    let process = Process::start("a proxy that only passes on", command)?;
    until_ready(&address, PATIENCE).await?;
    Ok((address, process))
}

/// Is one, until it is ended.
pub(crate) async fn serve(listen: &str, to: &str) -> Result<()> {
    let to: Authority = to.parse().context("the address of whoever is asked can't be read")?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, to) = (client.clone(), to.clone());
        let pass_on = service_fn(move |request| pass_on(client.clone(), to.clone(), request));
        // Whoever goes away in the middle is nobody's loss.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), pass_on));
    }
}

async fn pass_on(
    client: Client<HttpConnector, Incoming>,
    to: Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(to);
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    let mut refused = Response::new(Body::empty());
    *refused.status_mut() = StatusCode::BAD_GATEWAY;
    Ok(client.request(request).await.map_or(refused, |answer| answer.map(Body::new)))
}
