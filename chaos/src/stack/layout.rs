//! What a fault needs to stand on.

use super::services::Role;

/// One process on SQLite, or several on PostgreSQL and JetStream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `docket dev`.
    Embedded,
    /// A process a service.
    Distributed,
}

/// What to start.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part that may be there")]
pub(crate) struct Layout {
    /// In one process or in several.
    pub(crate) kind: Kind,
    /// Servers of the broker.
    pub(crate) nats: usize,
    /// Settings of PostgreSQL.
    pub(crate) postgres: Vec<(&'static str, &'static str)>,
    /// A proxy between the services and their databases.
    pub(crate) proxied_database: bool,
    /// A proxy between the services and the broker.
    pub(crate) proxied_broker: bool,
    /// Services of which there is a second process.
    pub(crate) seconds: Vec<Role>,
    /// More environment for a service.
    pub(crate) env: Vec<(Role, &'static str, String)>,
    /// What a service's words stand behind, such as `prlimit --nofile=64`.
    pub(crate) before: Vec<(Role, Vec<String>)>,
    /// Services whose clock the fault sets.
    pub(crate) clocks: Vec<Role>,
    /// Something between the command-service and the payment provider that can be rude.
    pub(crate) gated_provider: bool,
    /// Services that begin with the binary of another version.
    pub(crate) other_version: Vec<Role>,
    /// Whether somebody outside is told of orders by webhook.
    pub(crate) told: bool,
    /// The data (embedded) or PostgreSQL's folder on a disk of so many MiB.
    pub(crate) small_disk_mib: Option<u32>,
}

impl Layout {
    /// One process.
    pub(crate) fn embedded() -> Self {
        Self {
            kind: Kind::Embedded,
            nats: 0,
            postgres: Vec::new(),
            proxied_database: false,
            proxied_broker: false,
            seconds: Vec::new(),
            env: Vec::new(),
            before: Vec::new(),
            clocks: Vec::new(),
            gated_provider: false,
            other_version: Vec::new(),
            told: false,
            small_disk_mib: None,
        }
    }

    /// A process a service, one server of each kind.
    pub(crate) fn distributed() -> Self {
        Self { kind: Kind::Distributed, nats: 1, ..Self::embedded() }
    }

    /// Either, as the seed says.
    pub(crate) fn either(random: &mut fastrand::Rng) -> Self {
        if random.bool() { Self::embedded() } else { Self::distributed() }
    }
}
