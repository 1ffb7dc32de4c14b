//! The disk is full; a migration is cut off.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::awake::Awake;
use crate::client::Client;
use crate::fault::{Fault, Need};
use crate::patience::patience;
use crate::scene::Scene;
use crate::stack::{Kind, Layout};
use crate::storage;

/// What is counted of commands and of reads while there is no room.
const REFUSED: &str = "refused while it was full";
const READ: &str = "read while it was full";

/// Mounts a small disk.
const MOUNT: &[Need] = &[Need::Root, Need::Program("unshare"), Need::Program("mount")];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F8",
        name: "PostgreSQL's disk is full",
        layout: |_| Layout {
            small_disk_mib: Some(150),
            postgres: vec![("max_wal_size", "32MB"), ("min_wal_size", "32MB")],
            ..Layout::distributed()
        },
        act: |scene| Box::pin(full(scene)),
        must: &["disk filled", REFUSED],
        sometimes: &[READ, "database ended"],
        needs: MOUNT,
        ..Fault::USUAL
    },
    Fault {
        id: "F32",
        name: "kill -9 of a migration, and two at once",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(migration_killed(scene)),
        must: &["schemas compared"],
        sometimes: &["migrations killed"],
        ..Fault::USUAL
    },
    Fault {
        id: "F33",
        name: "SQLite's disk is full; a second process on the same data",
        layout: |_| Layout { small_disk_mib: Some(48), ..Layout::embedded() },
        act: |scene| Box::pin(second_writer(scene)),
        must: &["disk filled", REFUSED, "second processes refused"],
        sometimes: &[READ],
        needs: MOUNT,
        ..Fault::USUAL
    },
];

/// F8, F33: no room at all, under SQLite or under PostgreSQL, until commands were refused for it and a while longer.
async fn full(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(10..30).await;
        let before = turned_away(scene);
        fill(scene).await?;
        scene.tally.one("disk filled");
        until_refused(scene, before).await;
        scene.pause(500..2_000).await;
        scene.tally.add(REFUSED, turned_away(scene) - before);
        count_reads(scene).await?;
        make_room(scene).await?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// Takes all room of the disk; sometimes also what PostgreSQL has put aside for its next entries, without which it ends.
async fn fill(scene: &mut Scene) -> Result<()> {
    let stack = scene.stack().await;
    stack.disk.as_ref().context("there is a small disk")?.fill()?;
    if let Some(servers) = stack.servers_ref().filter(|_| scene.random.bool()) {
        storage::use_up_segments(&servers.databases().log).await;
    }
    Ok(())
}

/// There is room again. A PostgreSQL that could not recover for want of it has ended: an operator starts it.
async fn make_room(scene: &Scene) -> Result<()> {
    let mut stack = scene.stack_mut().await;
    stack.disk.as_ref().context("there is a small disk")?.free()?;
    if stack.kind == Kind::Embedded {
        return Ok(());
    }
    let postgres = &mut stack.servers()?.postgres;
    if postgres.process_id().is_err() || !answers(&postgres.url("postgres")).await {
        scene.tally.one("database ended");
        let _ = postgres.kill();
        postgres.start_again()?;
    }
    Ok(())
}

/// How often commands were answered that they were not carried out, or that nobody knows.
fn turned_away(scene: &Scene) -> u64 {
    ["503", "507", "unknown outcomes"].iter().map(|what| scene.tally.get(what)).sum()
}

/// Waits until commands were refused. Where none is, the run has tested nothing, and says so at its end.
async fn until_refused(scene: &Scene, before: u64) {
    let begun = Awake::now();
    while turned_away(scene) == before && begun.elapsed() < patience() / 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads need no room; a PostgreSQL that had to stop answers none.
async fn count_reads(scene: &Scene) -> Result<()> {
    let client =
        Client::with_deadline(scene.stack().await.entrance().url(), Duration::from_secs(2))?;
    let read = client.get("/v1/orders?limit=1").await;
    scene.tally.add(READ, u64::from(read.is_ok_and(|answer| answer.is_ok())));
    Ok(())
}

/// Whether it does within a few seconds.
async fn answers(url: &str) -> bool {
    use sqlx::Connection as _;
    let begun = Awake::now();
    while begun.elapsed() < Duration::from_secs(8) {
        if sqlx::PgConnection::connect(url).await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// F33: a second process wants the same data, and is refused with the first one's id.
async fn second_writer(scene: &mut Scene) -> Result<()> {
    full(scene).await?;
    let stack = scene.stack().await;
    let pid = stack.writer().pid().context("it runs")?;
    let (succeeded, out, err) = stack.docket(&["dev", "--listen", "127.0.0.1:0"]).await?;
    ensure!(!succeeded, "a second process runs on the same data");
    let said = format!("{out}{err}");
    ensure!(said.contains(&pid.to_string()), "a second process is not told of {pid}: {said}");
    scene.tally.one("second processes refused");
    Ok(())
}

/// Here one role owns the tables and runs the service.
fn migrate(url: &str) -> [&str; 5] {
    ["migrate", "--owner-postgres-url", url, "--postgres-url", url]
}

/// F32: `docket migrate` is killed midway, again and again, and runs twice at once; the tables are those of one that
/// nobody disturbed.
async fn migration_killed(scene: &mut Scene) -> Result<()> {
    let stack = scene.stack().await;
    let servers = stack.servers_ref().context("there is a database")?;
    let postgres = &servers.postgres;
    postgres.execute(&["CREATE DATABASE disturbed", "CREATE DATABASE undisturbed"])?;
    let (disturbed, undisturbed) = (postgres.url("disturbed"), postgres.url("undisturbed"));
    let words = migrate(&disturbed);
    for _ in 0..scene.random.u32(4..9) {
        let migrating = stack.docket(&words);
        let moment = Duration::from_millis(scene.random.u64(20..600));
        // What is dropped is killed.
        if tokio::time::timeout(moment, migrating).await.is_err() {
            scene.tally.one("migrations killed");
        }
    }
    let both = futures::future::join(stack.docket(&words), stack.docket(&words)).await;
    for migrated in [both.0?, both.1?] {
        ensure!(migrated.0, "a migration after a killed one failed: {}{}", migrated.1, migrated.2);
    }
    let (succeeded, ..) = stack.docket(&migrate(&undisturbed)).await?;
    ensure!(succeeded, "an undisturbed migration failed");
    let dump = |url: &str| {
        let mut dump = std::process::Command::new(postgres.programs().join("pg_dump"));
        dump.args(["--schema-only", "--no-comments", url]).output()
    };
    let (one, other) = (dump(&disturbed)?, dump(&undisturbed)?);
    ensure!(one.status.success(), "pg_dump: {}", String::from_utf8_lossy(&one.stderr));
    // Newer versions write a random word that a restore has to know.
    let plain = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().filter(|line| !line.starts_with('\\')).map(str::to_owned).collect::<Vec<_>>()
    };
    ensure!(plain(&one.stdout) == plain(&other.stdout), "the tables of a killed migration differ");
    scene.tally.one("schemas compared");
    drop(stack);
    scene.recovers().await
}
