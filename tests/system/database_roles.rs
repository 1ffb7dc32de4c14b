//! What the roles of `deploy/postgres/roles.sh` may, tried on a real server after `docket migrate`.

use std::process::Command;

use test_servers::{Postgres, PostgresSettings};

use crate::deployment::{Deployment, succeed};
use crate::platform::{docket, text};

/// Every role, and the one database that it may connect to.
const ROLES: [(&str, &str); 7] = [
    ("docket_log_owner", "docket_log"),
    ("docket_log_service", "docket_log"),
    ("docket_keys_owner", "docket_keys"),
    ("docket_keys_service", "docket_keys"),
    ("docket_reads", "docket_reads"),
    ("docket_sagas", "docket_sagas"),
    ("docket_notifications", "docket_notifications"),
];

const DATABASES: [&str; 7] = [
    "docket_log",
    "docket_keys",
    "docket_reads",
    "docket_sagas",
    "docket_notifications",
    "postgres",
    "template1",
];

/// What the role of the command-service may not do in the log's database, and what it is told.
const OF_THE_LOG: [(&str, &str); 17] = [
    ("UPDATE events SET payload = '{}'", "permission denied for table events"),
    ("DELETE FROM events", "permission denied for table events"),
    ("TRUNCATE events", "permission denied for table events"),
    ("DROP TABLE events", "must be owner of table events"),
    ("ALTER TABLE events DISABLE TRIGGER ALL", "must be owner of table events"),
    ("ALTER TABLE events ADD COLUMN more text", "must be owner of table events"),
    ("UPDATE commands SET status = 200", "permission denied for table commands"),
    ("DELETE FROM commands", "permission denied for table commands"),
    ("TRUNCATE commands", "permission denied for table commands"),
    ("UPDATE log_identity SET log = 'other'", "permission denied for table log_identity"),
    ("DELETE FROM log_identity", "permission denied for table log_identity"),
    ("DELETE FROM log_writer", "permission denied for table log_writer"),
    ("DELETE FROM log_migrations", "permission denied for table log_migrations"),
    ("CREATE TABLE more (id int)", "permission denied for schema public"),
    ("CREATE SCHEMA more", "permission denied for database docket_log"),
    ("CREATE TEMPORARY TABLE more (id int)", "permission denied to create temporary tables"),
    ("SET ROLE docket_log_owner", "permission denied to set role"),
];

/// The same for the keys: one that is erased stays as a tombstone.
const OF_THE_KEYS: [(&str, &str); 6] = [
    ("DELETE FROM keys", "permission denied for table keys"),
    ("TRUNCATE keys", "permission denied for table keys"),
    ("DROP TABLE keys", "must be owner of table keys"),
    ("UPDATE master_key_check SET sealed = ''", "permission denied for table master_key_check"),
    ("DELETE FROM erasures_applied", "permission denied for table erasures_applied"),
    ("SET ROLE docket_keys_owner", "permission denied to set role"),
];

/// What no role may, in its own database.
const OF_THE_SERVER: [(&str, &str); 6] = [
    ("CREATE DATABASE more", "permission denied to create database"),
    ("CREATE ROLE more", "permission denied to create role"),
    ("SET ROLE postgres", "permission denied to set role"),
    ("SELECT pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
    ("COPY (SELECT 1) TO PROGRAM 'cat'", "pg_execute_server_program"),
    ("ALTER SYSTEM SET fsync = off", "permission denied"),
];

/// A server with the roles, and the tables of log and keys made by their owners; `None` where there is no PostgreSQL.
async fn prepared() -> Option<Postgres> {
    let postgres = match PostgresSettings::default().without_fsync().start() {
        Ok(postgres) => postgres,
        Err(missing) => {
            test_servers::skipped(&missing);
            return None;
        }
    };
    let deployment = Deployment::lay_out();
    deployment.reach(&postgres);
    deployment.make_roles(&postgres);
    let mut migrate = docket(&["migrate"]);
    for (variable, secret) in [
        ("DOCKET_POSTGRES_URL_FILE", "log_url"),
        ("DOCKET_OWNER_POSTGRES_URL_FILE", "log_owner_url"),
        ("DOCKET_KEYS_POSTGRES_URL_FILE", "keys_url"),
        ("DOCKET_KEYS_OWNER_POSTGRES_URL_FILE", "keys_owner_url"),
    ] {
        migrate.env(variable, deployment.secrets().join(secret));
    }
    let output = migrate.output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    Some(postgres)
}

/// `psql` with a statement.
fn psql(postgres: &Postgres, role: &str, database: &str, statement: &str) -> Command {
    let mut psql = Command::new(postgres.programs().join("psql"));
    psql.env("PGHOST", "127.0.0.1").env("PGPORT", postgres.port().to_string());
    psql.args(["--no-psqlrc", "--username", role, "--dbname", database, "--command", statement]);
    psql
}

/// What should be refused and is not, or for another reason.
struct Breaches<'p> {
    postgres: &'p Postgres,
    found: Vec<String>,
}

impl Breaches<'_> {
    fn look(&mut self, role: &str, database: &str, statement: &str, why: &str) {
        let output = psql(self.postgres, role, database, statement).output().unwrap();
        let said = text(&output);
        if output.status.success() || !said.contains(why) {
            self.found.push(format!("{role} in {database}: {statement}: {said}"));
        }
    }
}

#[tokio::test]
async fn each_role_reaches_its_own_database_and_does_there_only_what_it_is_for() {
    let Some(postgres) = prepared().await else { return };
    let mut breaches = Breaches { postgres: &postgres, found: Vec::new() };
    for (role, own) in ROLES {
        for database in DATABASES {
            if database == own {
                succeed(&mut psql(&postgres, role, database, "SELECT 1"));
            } else {
                let why = format!("permission denied for database \"{database}\"");
                breaches.look(role, database, "SELECT 1", &why);
            }
        }
        for (statement, why) in OF_THE_SERVER {
            breaches.look(role, own, statement, why);
        }
    }
    for (statement, why) in OF_THE_LOG {
        breaches.look("docket_log_service", "docket_log", statement, why);
    }
    for (statement, why) in OF_THE_KEYS {
        breaches.look("docket_keys_service", "docket_keys", statement, why);
    }
    // Not even who owns the tables changes what happened.
    for statement in ["UPDATE events SET payload = '{}'", "DELETE FROM events", "TRUNCATE events"] {
        let why = "the log is append-only";
        breaches.look("docket_log_owner", "docket_log", statement, why);
    }
    assert!(breaches.found.is_empty(), "{:#?}", breaches.found);
    // Who owns a database makes tables in it.
    for (role, own) in [ROLES[4], ROLES[5], ROLES[6]] {
        succeed(&mut psql(&postgres, role, own, "CREATE TABLE own (id int)"));
    }
}
