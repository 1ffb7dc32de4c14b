//! The log's database is put back to a backup, while the broker, the read models, the sagas and the provider know more.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::client::Client;
use crate::fault::Fault;
use crate::scene::Scene;
use crate::stack::{Layout, Role};

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[Fault {
    id: "F34",
    name: "the log is put back to a backup, beside a broker that knows more",
    layout: |_| Layout::distributed(),
    act: |scene| Box::pin(log(scene)),
    must: &["backups", "restores"],
    sometimes: &["known to the provider alone"],
    ..Fault::USUAL
}];

/// F34: a backup is made at a random moment under load; some time later it is restored. What was acknowledged before the
/// backup began has to be there, and the shop goes on.
async fn log(scene: &mut Scene) -> Result<()> {
    scene.moment(10..60).await;
    let kept = scene.journal.acknowledged_so_far()?;
    let folder = tempfile::tempdir()?;
    let dump = folder.path().join("log.sql");
    backup(scene, &dump).await?;
    scene.tally.one("backups");
    scene.moment(10..40).await;
    let lost = scene.close_shop().await?;
    scene.tally.add("acknowledged before the restore", lost);

    scene.stack().await.of(Role::Commands).terminate()?;
    restore(scene, &dump).await?;
    scene.tally.one("restores");
    scene.stack().await.of(Role::Commands).start_again(None);
    scene.stack().await.until_ready(Role::Commands).await?;
    scene.open_shop_again(kept).await?;
    scene.recovers().await?;
    let entrance = Client::new(scene.stack().await.entrance().url())?;
    let epoch = entrance.until("/v1/projections", |_| true).await?;
    ensure!(epoch["items"].is_array(), "the models tell nothing: {epoch}");
    scene.stack().await.until_all_ready().await
}

async fn backup(scene: &Scene, to: &Path) -> Result<()> {
    let stack = scene.stack().await;
    let servers = stack.servers_ref().context("there is a database")?;
    let mut dump = Command::new(servers.postgres.programs().join("pg_dump"));
    run(dump.arg("--file").arg(to).arg(servers.databases().log)).await
}

async fn restore(scene: &Scene, dump: &Path) -> Result<()> {
    let stack = scene.stack().await;
    let servers = stack.servers_ref().context("there is a database")?;
    servers.postgres.execute(&["DROP DATABASE log WITH (FORCE)", "CREATE DATABASE log"])?;
    let mut psql = Command::new(servers.postgres.programs().join("psql"));
    let words = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file"];
    run(psql.args(words).arg(dump).arg(servers.databases().log)).await
}

async fn run(command: &mut Command) -> Result<()> {
    let mut command = tokio::process::Command::from(std::mem::replace(command, Command::new("")));
    let output = command.output().await.context("a program of PostgreSQL can't be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
