//! Just enough of PostgreSQL's protocol to create a database: a crate for it would make every build of `xtask` wait.
//!
//! Not for anything else: no password, no TLS, no results.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, bail};

const PATIENCE: Duration = Duration::from_secs(30);
const PROTOCOL_3: i32 = 196_608;

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) port: u16,
}

impl Server {
    /// The address of a database.
    pub(crate) fn url(self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Reads the address back; only those that [`url`](Self::url) makes.
    pub(crate) fn of_url(url: &str) -> anyhow::Result<Self> {
        let rest = url.strip_prefix("postgres://postgres@127.0.0.1:");
        let port = rest.and_then(|rest| rest.split('/').next()?.parse().ok());
        let port = port.context("it is an address such as postgres://postgres@127.0.0.1:5432")?;
        Ok(Self { port })
    }

    /// Runs statements, one after another, each by itself.
    pub(crate) fn execute(self, statements: &[&str]) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut hello = PROTOCOL_3.to_be_bytes().to_vec();
        hello.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
        stream.write_all(&framed(&hello)?)?;
        until_ready(&mut stream)?;
        for statement in statements {
            let mut message = vec![b'Q'];
            message.extend(framed(format!("{statement}\0").as_bytes())?);
            stream.write_all(&message)?;
            until_ready(&mut stream).with_context(|| format!("`{statement}` failed"))?;
        }
        // Terminate: without it the server would write a line about it into its log.
        Ok(stream.write_all(b"X\0\0\0\x04")?)
    }
}

/// The length stands before a message and counts itself.
fn framed(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = i32::try_from(message.len() + 4).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), message].concat())
}

/// Reads messages up to "ready for query".
fn until_ready(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut refusal = None;
    loop {
        let mut head = [0; 5];
        if let Err(error) = stream.read_exact(&mut head) {
            // A server that refuses a connection says so and closes it.
            return Err(refusal.map_or_else(|| error.into(), anyhow::Error::msg));
        }
        let [kind, length @ ..] = head;
        let length = usize::try_from(i32::from_be_bytes(length))?.saturating_sub(4);
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        match kind {
            b'E' => refusal = Some(String::from_utf8_lossy(&body).replace('\0', " ")),
            b'Z' => break,
            _ => {}
        }
    }
    match refusal {
        Some(refusal) => bail!(refusal),
        None => Ok(()),
    }
}
