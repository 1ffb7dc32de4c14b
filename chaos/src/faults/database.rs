//! PostgreSQL goes away, keeps nothing, is slow, or is busy with somebody else.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::fault::{Fault, Need};
use crate::readiness::SAID;
use crate::scene::{LONG, Scene};
use crate::stack::{Layout, Role, Stack};
use crate::storage::{self, Lock, Neighbour};
use crate::tools::children::backends;
use crate::tools::strace::Strace;

/// Who can't do without it. The gateway is ready as long as anybody behind it is.
pub(super) const NOT_READY_WITHOUT: [Role; 3] = [Role::Commands, Role::Models, Role::Sagas];

/// Makes system calls fail.
const STRACE: &[Need] = &[Need::Program("strace")];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F6",
        name: "kill -9 of PostgreSQL",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(killed(scene)),
        must: &["database killed", "retried until answered"],
        sometimes: &["503", LONG, SAID],
        ..Fault::USUAL
    },
    Fault {
        id: "F7",
        name: "EIO when PostgreSQL flushes a commit",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(flush_fails(scene)),
        must: &["panics of the database"],
        sometimes: &["retried until answered"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F9",
        name: "each flush of PostgreSQL's takes 0.2 to 0.8 s",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(slow(scene)),
        must: &["disk slowed", "acknowledged slowly"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F26",
        name: "tables are locked and sessions ended by an administrator",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(locked(scene)),
        must: &["tables locked"],
        sometimes: &["sessions ended"],
        ..Fault::USUAL
    },
    Fault {
        id: "F27",
        name: "PostgreSQL has no connection left",
        layout: |_| Layout { postgres: vec![("max_connections", "70")], ..Layout::distributed() },
        act: |scene| Box::pin(no_connections(scene)),
        must: &["connections taken"],
        sometimes: &["503", LONG, SAID],
        ..Fault::USUAL
    },
];

/// F6: `kill -9` of the postmaster; a while later it is started again.
async fn killed(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..4) {
        scene.moment(10..40).await;
        scene.stack_mut().await.servers()?.postgres.kill()?;
        scene.tally.one("database killed");
        scene.leave_away(&NOT_READY_WITHOUT, 0..3_000).await;
        scene.stack_mut().await.servers()?.postgres.start_again()?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F7: the disk gives an error as a commit is flushed. The server panics and recovers; what it committed may be there.
async fn flush_fails(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..30).await;
        let pids = log_backends(&*scene.stack().await)?;
        let nth = scene.random.u32(1..6);
        let mut strace =
            Strace::attach(&pids, "fdatasync", &format!("error=EIO:when={nth}")).await?;
        // After a panic, every process of the server but the first ends.
        ensure!(strace.until_they_end(Duration::from_secs(30)).await?, "the server did not panic");
        scene.tally.one("panics of the database");
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F9: every flush takes long. Commands are acknowledged all the same; so few clients never fill the queue, so that nobody is turned
/// away.
async fn slow(scene: &mut Scene) -> Result<()> {
    scene.moment(5..30).await;
    let pids = log_backends(&*scene.stack().await)?;
    let delay = scene.random.u32(200_000..800_000);
    let strace = Strace::attach(&pids, "fdatasync", &format!("delay_exit={delay}")).await?;
    scene.tally.one("disk slowed");
    let before = scene.load.acknowledged();
    scene.pause(4_000..7_000).await;
    scene.tally.add("acknowledged slowly", scene.load.acknowledged() - before);
    drop(strace);
    scene.recovers().await
}

/// F26: somebody else locks tables and ends sessions.
async fn locked(scene: &mut Scene) -> Result<()> {
    let databases = scene.stack_mut().await.servers()?.databases();
    for _ in 0..scene.random.u32(2..5) {
        scene.moment(5..25).await;
        let (url, table) = match scene.random.u32(..3) {
            0 => (&databases.log, "events"),
            1 => (&databases.sagas, "sagas.sagas"),
            _ => (&databases.sagas, "sagas.outbox"),
        };
        let lock = Lock::of(url, table).await?;
        scene.tally.one("tables locked");
        scene.pause(200..4_000).await;
        if scene.random.bool() {
            let ended = end_sessions(&*scene.stack().await).await?;
            scene.tally.add("sessions ended", ended);
        }
        lock.release().await?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F27: every connection that PostgreSQL gives is somebody else's.
async fn no_connections(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..25).await;
        let (url, databases) = {
            let mut stack = scene.stack_mut().await;
            let servers = stack.servers()?;
            (servers.postgres.url("postgres"), servers.databases())
        };
        let databases = [databases.log, databases.models, databases.sagas];
        let neighbour = Neighbour::take_all(&url, &databases).await?;
        scene.tally.add("connections taken", neighbour.taken());
        scene.leave_away(&NOT_READY_WITHOUT, 1_000..4_000).await;
        neighbour.leave().await;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// Ends what the services have open, as an administrator does; the number of sessions.
async fn end_sessions(stack: &Stack) -> Result<u64> {
    let databases = stack.servers_ref().context("there is a database")?.databases();
    let mut ended = 0;
    for url in [databases.log, databases.models, databases.sagas] {
        ended += storage::end_sessions(&url).await?;
    }
    Ok(ended)
}

/// The server's processes that serve the log.
fn log_backends(stack: &Stack) -> Result<Vec<u32>> {
    let servers = stack.servers_ref().context("there is a database")?;
    let found = backends(servers.postgres.process_id()?, "log");
    ensure!(!found.is_empty(), "nobody is connected to the log");
    Ok(found)
}
