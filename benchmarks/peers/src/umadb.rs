//! `UmaDB`: a server with a file of its own, and a condition on a tag in the place of a stream's version.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreAsync as _, DcbQuery, DcbQueryItem,
};
use uuid::Uuid;

use crate::event::{EVENT_TYPE, Metadata, Stock, StockReceived};
use crate::install;
use crate::peer::{Attempt, Peer, Site, Stream};
use crate::row::Shape;

/// How long the server may take to start; machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Calls share a connection. With one for each of 64 clients it stored a fifth less, with a single one about as much.
const MOST_CONNECTIONS: usize = 4;
/// The events of one append while loading.
const LOADED_AT_ONCE: usize = 500;
/// Runs the server until its standard input ends, which it does when the process that started it is gone.
const PROGRAM: &str = "
import os, sys, threading
from umadb.umadb_server_cli import main

def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)

threading.Thread(target=end_with_parent, daemon=True).start()
main()
";

/// Its connections, and its server.
pub(crate) struct UmaDb {
    connections: Vec<AsyncUmaDbClient>,
    server: Server,
}

struct Server {
    url: String,
    // Dropped in this order.
    _process: Child,
    _folder: TempDir,
}

impl UmaDb {
    /// Starts the server over an empty file and loads the streams.
    pub(crate) async fn open(site: Site) -> anyhow::Result<Self> {
        let server = Server::start().await?;
        let first = server.ready().await?;
        load(&first, site.shape).await?;
        let mut connections = vec![first];
        while connections.len() < usize::try_from(site.clients)?.min(MOST_CONNECTIONS) {
            connections.push(server.connect().await?);
        }
        Ok(Self { connections, server })
    }

    fn connection(&self, stream: Stream) -> anyhow::Result<&AsyncUmaDbClient> {
        let number = usize::try_from(stream.client)? % self.connections.len().max(1);
        let connection = self.connections.get(number);
        connection.with_context(|| format!("{} has no connections", self.server.url))
    }

    async fn append_after(
        &self,
        stream: Stream,
        event: &StockReceived,
        after: Option<u64>,
    ) -> anyhow::Result<Attempt> {
        let condition = DcbAppendCondition::new(query(stream)).after(after);
        let events = vec![encoded(stream, event)?];
        match self.connection(stream)?.append(events, Some(condition), None).await {
            Ok(position) => Ok(Attempt::Done(position)),
            Err(DcbError::IntegrityError(_)) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }
}

impl Server {
    async fn start() -> anyhow::Result<Self> {
        let packages = install::umadb().await?;
        let folder = tempfile::Builder::new().prefix("peers-umadb-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new("python3")
            .args(["-c", PROGRAM, "--listen", &format!("127.0.0.1:{port}"), "--db-path"])
            .arg(folder.path())
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("`python3` can't be started")?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _process: process, _folder: folder })
    }

    async fn connect(&self) -> Result<AsyncUmaDbClient, DcbError> {
        UmaDbClient::new(self.url.clone()).connect_async().await
    }

    /// The first connection that is answered.
    async fn ready(&self) -> anyhow::Result<AsyncUmaDbClient> {
        let begun = Instant::now();
        loop {
            match self.connect().await {
                Ok(connection) if connection.head().await.is_ok() => return Ok(connection),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error.into()),
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
}

async fn load(connection: &AsyncUmaDbClient, shape: Shape) -> anyhow::Result<()> {
    let streams: Vec<u32> = (0..shape.streams).collect();
    let event = StockReceived::sample();
    for _ in 0..shape.events_each {
        for some in streams.chunks(LOADED_AT_ONCE) {
            let events = some.iter().map(|number| encoded(Stream::of(*number, 1), &event));
            connection.append(events.collect::<Result<_, _>>()?, None, None).await?;
        }
    }
    Ok(())
}

impl Peer for UmaDb {
    /// The events of all streams alternate, and are numbered together.
    fn expected_at_first(&self, stream: Stream, shape: Shape) -> u64 {
        let before = u64::from(shape.events_each.saturating_sub(1)) * u64::from(shape.streams);
        before + u64::from(stream.number) + 1
    }

    async fn append(&self, stream: Stream, expected: u64) -> anyhow::Result<Attempt> {
        self.append_after(stream, &StockReceived::sample(), Some(expected)).await
    }

    async fn command(&self, stream: Stream) -> anyhow::Result<Attempt> {
        let connection = self.connection(stream)?;
        let own = Some(query(stream));
        let (events, head) = connection.read_with_head(own, None, false, None).await?;
        let mut stock = Stock::default();
        for stored in events {
            stock.apply(serde_json::from_slice(&stored.event.data)?);
        }
        self.append_after(stream, &stock.receive()?, head).await
    }

    async fn read_all(&self) -> anyhow::Result<u64> {
        let connection = self.connection(Stream::of(0, 1))?;
        let mut response = connection.read(None, None, false, None).await?;
        let mut count = 0;
        loop {
            let events = response.next_batch().await?;
            if events.is_empty() {
                return Ok(count);
            }
            for stored in events {
                let _decoded: StockReceived = serde_json::from_slice(&stored.event.data)?;
                count += 1;
            }
        }
    }
}

fn name(stream: Stream) -> String {
    format!("stock-{:08}", stream.number)
}

fn query(stream: Stream) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().types([EVENT_TYPE]).tags([name(stream)]))
}

fn encoded(stream: Stream, event: &StockReceived) -> anyhow::Result<DcbEvent> {
    let event = DcbEvent::new()
        .event_type(EVENT_TYPE)
        .tags([name(stream)])
        .data(serde_json::to_vec(event)?)
        .uuid(Uuid::from_u128(fastrand::u128(..)))
        .metadata(Metadata::sample().entries());
    Ok(event)
}
