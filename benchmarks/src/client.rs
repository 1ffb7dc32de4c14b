//! One HTTP connection, as thin as can be: the client shares the machine with what it measures, so whatever it costs is
//! taken from that. It knows what Docket's answers need: a status, and a body of a length that is said before.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use httparse::{EMPTY_HEADER, Response, Status};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Headers of an answer, at most.
const MOST_HEADERS: usize = 32;
/// Room for an answer, bytes; it grows when an answer is larger.
const ROOM: usize = 4096;

/// Longer than any order takes to be decided.
const PREFER_WAIT: (&str, &str) = ("prefer", "wait=30");

/// A command as it is sent.
pub(crate) struct Command {
    pub(crate) path: String,
    /// Its `Idempotency-Key`.
    pub(crate) key: String,
    pub(crate) body: String,
    /// Answered only when it is decided what becomes of it, and not when it is accepted.
    pub(crate) waits: bool,
}

impl Command {
    /// A command that is answered when it is accepted.
    pub(crate) fn new(path: String, key: String, body: String) -> Self {
        Self { path, key, body, waits: false }
    }
}

/// What is said to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    retry_after: bool,
    problem: bool,
}

impl Said {
    /// It was carried out.
    pub(crate) fn is_done(self) -> bool {
        (200..300).contains(&self.status)
    }

    /// It is to come again, and when, as a program can read it.
    pub(crate) fn is_later(self) -> bool {
        [429, 503].contains(&self.status) && self.retry_after && self.problem
    }
}

/// The beginning of an answer, and where its body begins and ends.
struct Head {
    said: Said,
    begins: usize,
    ends: usize,
}

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    request: String,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (request, answer) = (String::new(), Vec::with_capacity(ROOM));
        Ok(Self { stream, host: address.to_owned(), request, answer })
    }

    /// Reads JSON; an answer that is no success is an error.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Value> {
        let body = self.read_bytes(path).await?;
        serde_json::from_slice(body).context("the answer is no JSON")
    }

    /// Reads anything; an answer that is no success is an error.
    pub(crate) async fn read_bytes(&mut self, path: &str) -> Result<&[u8]> {
        let head = self.ask("GET", path, [("accept", "*/*")], "").await?;
        self.done(path, &head)
    }

    /// Sends a command and gives the answer's body; an answer that is no success is an error.
    pub(crate) async fn post(&mut self, command: &Command) -> Result<&[u8]> {
        self.post_unless_later(command).await?.context("there is no room for the command")
    }

    /// Sends a command and gives the answer's body; nothing when it is to come again later. Any other answer that is no success is an error.
    pub(crate) async fn post_unless_later(&mut self, command: &Command) -> Result<Option<&[u8]>> {
        let Command { path, key, body, waits } = command;
        let head = if *waits {
            self.ask("POST", path, [("idempotency-key", key.as_str()), PREFER_WAIT], body).await?
        } else {
            self.ask("POST", path, [("idempotency-key", key.as_str())], body).await?
        };
        if head.said.is_later() {
            return Ok(None);
        }
        self.done(path, &head).map(Some)
    }

    /// Sends a command, whatever is said to it; an error is only what breaks the connection.
    pub(crate) async fn attempt(&mut self, command: &Command) -> Result<Said> {
        let Command { path, key, body, .. } = command;
        let head = self.ask("POST", path, [("idempotency-key", key.as_str())], body).await?;
        Ok(head.said)
    }

    fn done(&self, path: &str, head: &Head) -> Result<&[u8]> {
        let Head { said, begins, ends } = *head;
        let body = &self.answer[begins..ends];
        ensure!(said.is_done(), "{path}: {}: {}", said.status, String::from_utf8_lossy(body));
        Ok(body)
    }

    async fn ask<const N: usize>(
        &mut self,
        method: &str,
        path: &str,
        headers: [(&str, &str); N],
        body: &str,
    ) -> Result<Head> {
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host)?;
        for (name, value) in headers {
            write!(self.request, "{name}: {value}\r\n")?;
        }
        let length = body.len();
        write!(
            self.request,
            "content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
        self.stream.write_all(self.request.as_bytes()).await?;
        let head = self.head().await?;
        while self.answer.len() < head.ends {
            self.read().await?;
        }
        Ok(head)
    }

    async fn head(&mut self) -> Result<Head> {
        self.answer.clear();
        loop {
            self.read().await?;
            let mut headers = [EMPTY_HEADER; MOST_HEADERS];
            let mut response = Response::new(&mut headers);
            let Status::Complete(begins) = response.parse(&self.answer)? else { continue };
            let status = response.code.context("an answer without a status")?;
            let header = |name: &str| {
                let mut headers = response.headers.iter();
                let found = headers.find(|header| header.name.eq_ignore_ascii_case(name));
                found.map(|header| header.value)
            };
            let length = header("content-length").context("an answer whose length is not said")?;
            let length: usize = std::str::from_utf8(length)?.parse()?;
            let said = Said {
                status,
                retry_after: header("retry-after").is_some(),
                problem: header("content-type") == Some(b"application/problem+json"),
            };
            return Ok(Head { said, begins, ends: begins + length });
        }
    }

    async fn read(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.answer).await?;
        ensure!(read > 0, "the platform closed the connection");
        Ok(())
    }
}
