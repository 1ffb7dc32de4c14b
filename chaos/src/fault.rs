//! What a fault is: what it stands on, what is done, and what has to have happened.

use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;
use test_servers::{nats_server, postgres_programs};

use crate::scene::Scene;
use crate::stack::{Kind, Layout};

/// How the customers come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadShape {
    pub(crate) clients: usize,
    /// Whether all want the same scarce product.
    pub(crate) hot: bool,
    /// Between two commands of a client.
    pub(crate) pause: Duration,
}

impl LoadShape {
    /// A few customers.
    pub(crate) fn usual() -> Self {
        Self { clients: 6, hot: false, pause: Duration::from_millis(30) }
    }
}

/// What a tool needs that a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A program.
    Program(&'static str),
    /// The rights of root.
    Root,
}

/// What can go wrong.
pub(crate) struct Fault {
    /// Such as `F1`.
    pub(crate) id: &'static str,
    /// In a few words.
    pub(crate) name: &'static str,
    /// What it stands on, as the seed says.
    pub(crate) layout: fn(&mut fastrand::Rng) -> Layout,
    pub(crate) load: fn() -> LoadShape,
    /// Breaks it and heals it.
    pub(crate) act: for<'a> fn(&'a mut Scene) -> BoxFuture<'a, Result<()>>,
    /// What has to happen in each run, or it has tested nothing.
    pub(crate) must: &'static [&'static str],
    /// What has to happen in some run of several.
    pub(crate) sometimes: &'static [&'static str],
    /// What may not happen in any run.
    pub(crate) never: &'static [&'static str],
    pub(crate) needs: &'static [Need],
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Fault {
    /// One on a platform of any kind, under the usual load.
    pub(crate) const USUAL: Self = Self {
        id: "",
        name: "",
        layout: Layout::either,
        load: LoadShape::usual,
        act: |_| Box::pin(async { Ok(()) }),
        must: &[],
        sometimes: &[],
        never: &[],
        needs: &[],
    };

    /// What this machine lacks for it, with this seed.
    pub(crate) fn lacks(&self, seed: u64) -> Option<String> {
        let layout = (self.layout)(&mut fastrand::Rng::with_seed(seed));
        self.lacks_tools().or_else(|| match layout.kind {
            Kind::Embedded => None,
            Kind::Distributed => {
                let servers = postgres_programs().and_then(|_| nats_server());
                servers.err().map(|missing| format!("{missing:#}"))
            }
        })
    }

    fn lacks_tools(&self) -> Option<String> {
        self.needs.iter().find_map(|need| match need {
            Need::Program(program) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let found =
                    std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
                (!found).then(|| format!("`{program}` is not installed"))
            }
            Need::Root => {
                (!rustix::process::geteuid().is_root()).then(|| "it needs to be root".to_owned())
            }
        })
    }
}
