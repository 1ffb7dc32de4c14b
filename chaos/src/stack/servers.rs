//! PostgreSQL and NATS of one run, and what lies between them and the services.

use std::path::Path;

use anyhow::{Context as _, Result};
use test_servers::{Nats, NatsCluster, Postgres, PostgresSettings, Proxy};

use super::layout::{Kind, Layout};

/// The databases of the services.
const NAMES: [&str; 3] = ["log", "reads", "sagas"];

/// Addresses of the three databases.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    pub(crate) log: String,
    pub(crate) models: String,
    pub(crate) sagas: String,
}

/// The servers of a run.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) nats: Vec<Nats>,
    pub(crate) database_proxy: Option<Proxy>,
    pub(crate) broker_proxy: Option<Proxy>,
}

impl Servers {
    /// Those that a layout asks for; none for one process. PostgreSQL's data goes into a folder, if one is given.
    pub(crate) fn start(layout: &Layout, disk: Option<&Path>) -> Result<Option<Self>> {
        if layout.kind == Kind::Embedded {
            return Ok(None);
        }
        let mut settings = PostgresSettings::default();
        for (name, value) in &layout.postgres {
            settings = settings.set(name, value);
        }
        if let Some(disk) = disk {
            settings = settings.within(disk);
        }
        let postgres = settings.start().context("PostgreSQL can't be started")?;
        for name in NAMES {
            postgres.execute(&[&format!("CREATE DATABASE {name}")])?;
        }
        let nats = match layout.nats {
            1 => vec![Nats::start()?],
            several => NatsCluster::start(several)?.servers,
        };
        let proxy = |wanted: bool, port: u16| wanted.then(|| Proxy::to(port)).transpose();
        let database_proxy = proxy(layout.proxied_database, postgres.port())?;
        let broker_proxy = proxy(layout.proxied_broker, nats[0].port())?;
        Ok(Some(Self { postgres, nats, database_proxy, broker_proxy }))
    }

    /// The databases, past every proxy.
    pub(crate) fn databases(&self) -> Databases {
        let [log, models, sagas] = NAMES.map(|name| self.postgres.url(name));
        Databases { log, models, sagas }
    }

    /// The databases as the services reach them.
    pub(crate) fn reached(&self) -> Databases {
        let direct = self.databases();
        let Some(proxy) = &self.database_proxy else { return direct };
        let by_way = |url: &str| proxy.url(url, self.postgres.port());
        Databases {
            log: by_way(&direct.log),
            models: by_way(&direct.models),
            sagas: by_way(&direct.sagas),
        }
    }

    /// The broker as the services reach it.
    pub(crate) fn broker(&self) -> String {
        match &self.broker_proxy {
            Some(proxy) => proxy.url(&self.nats[0].url(), self.nats[0].port()),
            None => self.nats.iter().map(Nats::url).collect::<Vec<_>>().join(","),
        }
    }
}
