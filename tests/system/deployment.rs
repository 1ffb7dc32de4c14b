//! What `deploy/` has for servers, where their containers see it: the files themselves, by links, and secrets drawn for one test.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use test_servers::{Nats, NatsCluster, Postgres, free_port};

use crate::platform::text;

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs a command that has to end well.
pub(crate) fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

/// A root folder with `/etc/nats` and `/run/secrets`.
pub(crate) struct Deployment(TempDir);

impl Deployment {
    pub(crate) fn lay_out() -> Self {
        let root = tempfile::tempdir().unwrap();
        let nats = root.path().join("etc/nats");
        std::fs::create_dir_all(&nats).unwrap();
        for file in ["single.conf", "cluster.conf", "permissions.conf"] {
            symlink(repository("deploy/nats").join(file), nats.join(file)).unwrap();
        }
        let deployment = Self(root);
        let mut make = Command::new(repository("deploy/make-secrets.sh"));
        succeed(make.arg(deployment.secrets()));
        // As the compose files mount it.
        let identities = deployment.secrets().join("nats_identities");
        symlink(identities, nats.join("nats_identities")).unwrap();
        deployment
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.root().join("run/secrets")
    }

    /// A folder in which a container sees these secrets, and no others.
    pub(crate) fn secrets_of(&self, container: &str, names: &[&str]) -> PathBuf {
        let folder = self.root().join("containers").join(container);
        std::fs::create_dir_all(&folder).unwrap();
        for name in names {
            let (secret, seen) = (self.secrets().join(name), folder.join(name));
            assert!(secret.is_file(), "{container}: there is no secret {name}");
            if !seen.exists() {
                symlink(secret, seen).unwrap();
            }
        }
        folder
    }

    /// The seed by which somebody logs in to NATS.
    pub(crate) fn seed(&self, identity: &str) -> PathBuf {
        self.secrets().join(format!("{identity}.nk"))
    }

    /// Changes every secret that is text: here the servers are elsewhere.
    pub(crate) fn change_secrets(&self, change: impl Fn(&str) -> String) {
        for secret in std::fs::read_dir(self.secrets()).unwrap() {
            let path = secret.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            // As its owner may: the files are for reading only.
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, change(&text)).unwrap();
        }
    }

    /// The addresses of databases are those of this server.
    pub(crate) fn reach(&self, postgres: &Postgres) {
        let here = format!("127.0.0.1:{}", postgres.port());
        self.change_secrets(|told| told.replace("postgres:5432", &here));
    }

    /// What the container of PostgreSQL does at its first start.
    pub(crate) fn make_roles(&self, postgres: &Postgres) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::iter::once(postgres.programs().to_owned());
        let path = std::env::join_paths(programs.chain(std::env::split_paths(&path))).unwrap();
        let mut script = Command::new("sh");
        script.arg(repository("deploy/postgres/roles.sh")).env("PATH", path);
        script.env("SECRETS", self.secrets()).env("PGHOST", "127.0.0.1");
        succeed(script.env("PGPORT", postgres.port().to_string()));
    }

    /// One server on `deploy/nats/single.conf`; `None` when it can't be had and the test may be skipped.
    pub(crate) fn nats(&self) -> Option<Nats> {
        test_servers::nats_of(&self.root().join("etc/nats/single.conf"))
    }

    /// Three on `deploy/nats/cluster.conf`.
    pub(crate) fn nats_cluster(&self) -> Option<NatsCluster> {
        let ports = [(); 3].map(|()| free_port().unwrap());
        self.change_secrets(|text| {
            let here = |text: String, (port, node): (&u16, u8)| {
                text.replace(&format!("nats-{node}:6222"), &format!("127.0.0.1:{port}"))
            };
            ports.iter().zip(1..).fold(text.to_owned(), here)
        });
        test_servers::nats_cluster_of(&self.root().join("etc/nats/cluster.conf"), &ports)
    }
}
