//! Several nats-servers that hold JetStream together.

use std::path::Path;

use crate::absent;
use crate::nats::Nats;
use crate::nats_binary::nats_server;
use crate::nats_configuration::Configuration;
use crate::port::free_port;

/// A cluster on the loopback.
#[derive(Debug)]
pub struct NatsCluster {
    /// Its servers; each can be stopped and started by itself.
    pub servers: Vec<Nats>,
}

/// A cluster; `None` when nats-server can't be had and the test may be skipped.
///
/// # Panics
/// When the servers do not start, or are not installed though they have to be.
pub fn nats_cluster(servers: usize) -> Option<NatsCluster> {
    if let Err(missing) = nats_server() {
        absent::skipped(&missing);
        return None;
    }
    match NatsCluster::start(servers) {
        Ok(cluster) => Some(cluster),
        Err(error) => panic!("{error:#}"),
    }
}

/// As [`nats_cluster`], on this very file as [`nats_of`](crate::nats_of) does it, with a server for each of these ports, over which
/// they reach each other.
///
/// # Panics
/// As [`nats_cluster`].
pub fn nats_cluster_of(file: &Path, ports: &[u16]) -> Option<NatsCluster> {
    if let Err(missing) = nats_server() {
        absent::skipped(&missing);
        return None;
    }
    match NatsCluster::start_on(file, ports) {
        Ok(cluster) => Some(cluster),
        Err(error) => panic!("{error:#}"),
    }
}

impl NatsCluster {
    /// Starts this many servers, and waits until they have a leader.
    pub fn start(servers: usize) -> anyhow::Result<Self> {
        let ports = (0..servers).map(|_| free_port()).collect::<Result<Vec<_>, _>>()?;
        let routes: Vec<String> =
            ports.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
        let routes = routes.join(", ");
        let mut cluster = Self { servers: Vec::new() };
        for port in ports {
            let config = format!(
                "cluster {{ name: docket, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}\n"
            );
            let mut server = Nats::prepare(Configuration::Own(config))?;
            server.launch()?;
            cluster.servers.push(server);
        }
        cluster.wait_until_healthy()?;
        Ok(cluster)
    }

    fn start_on(file: &Path, ports: &[u16]) -> anyhow::Result<Self> {
        let mut cluster = Self { servers: Vec::new() };
        for port in ports {
            let here = ["--cluster".to_owned(), format!("nats://127.0.0.1:{port}")];
            let mut server = Nats::prepare(Configuration::Given(file.to_owned(), here.into()))?;
            server.launch()?;
            cluster.servers.push(server);
        }
        cluster.wait_until_healthy()?;
        Ok(cluster)
    }

    fn wait_until_healthy(&mut self) -> anyhow::Result<()> {
        for server in &mut self.servers {
            server.wait_until_healthy()?;
        }
        Ok(())
    }

    /// Where clients connect: every server, separated by commas.
    pub fn url(&self) -> String {
        self.servers.iter().map(Nats::url).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_servers_find_each_other() {
        let Some(cluster) = nats_cluster(3) else { return };
        assert!(cluster.servers.iter().all(Nats::is_healthy));
    }
}
