//! Every fault, with its number in the list of faults.

use std::time::Duration;

use crate::fault::{Fault, LoadShape, Need};
use crate::faults::{
    broker, clocks, database, disk, kills, load, network, pauses, poison, provider, restore,
    upgrade,
};
use crate::stack::{Layout, Role};

/// Makes system calls fail.
const STRACE: &[Need] = &[Need::Program("strace")];
/// Mounts a small disk.
const MOUNT: &[Need] = &[Need::Root, Need::Program("unshare"), Need::Program("mount")];
/// Files that a process may have open where they are to run out: what it needs itself, and some clients' connections. One
/// process for everything has more than a hundred of its own.
const FEW_HANDLES: [(Role, &str); 2] =
    [(Role::Dev, "--nofile=260"), (Role::Gateway, "--nofile=120")];

fn distributed(_: &mut fastrand::Rng) -> Layout {
    Layout::distributed()
}

fn behind_a_proxy(_: &mut fastrand::Rng) -> Layout {
    Layout { proxied_database: true, ..Layout::distributed() }
}

fn behind_a_gate(_: &mut fastrand::Rng) -> Layout {
    Layout { gated_provider: true, ..Layout::distributed() }
}

/// What has to happen in some run of some fault, or all of them together have left something out.
pub(crate) const SOMEWHERE: [&str; 9] = [
    "conflicts decided again",
    "dedupe hits",
    "redeliveries",
    "compensated",
    "parked",
    "letters replayed",
    "rebuilds",
    "lease changes",
    "snapshots read",
];

/// All of them, in order.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F1",
        name: "kill -9 of what takes commands",
        act: |scene| Box::pin(kills::writer(scene)),
        must: &["kills", "retried until answered"],
        sometimes: &["retries that had happened", "dedupe hits", "compensated"],
        ..Fault::USUAL
    },
    Fault {
        id: "F2",
        name: "kill -9 between append and answer",
        act: |scene| Box::pin(kills::between_append_and_answer(scene)),
        must: &["killed at a system call"],
        sometimes: &["retries that had happened"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F3",
        name: "kill -9 of the orchestrator at any step",
        layout: distributed,
        act: |scene| Box::pin(kills::sagas(scene)),
        must: &["killed at a system call"],
        sometimes: &["compensated"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F4",
        name: "kill -9 of the projection-service in mid-batch",
        layout: distributed,
        act: |scene| Box::pin(kills::models(scene)),
        must: &["kills"],
        ..Fault::USUAL
    },
    Fault {
        id: "F5",
        name: "kill -9 of the relay with publishes unanswered",
        layout: distributed,
        act: |scene| Box::pin(kills::relay(scene)),
        must: &["killed with publishes unanswered"],
        ..Fault::USUAL
    },
    Fault {
        id: "F6",
        name: "kill -9 of PostgreSQL",
        layout: distributed,
        act: |scene| Box::pin(database::killed(scene)),
        must: &["database killed", "retried until answered"],
        sometimes: &["503"],
        ..Fault::USUAL
    },
    Fault {
        id: "F7",
        name: "EIO when PostgreSQL flushes a commit",
        layout: distributed,
        act: |scene| Box::pin(database::flush_fails(scene)),
        must: &["panics of the database"],
        sometimes: &["retried until answered"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F8",
        name: "PostgreSQL's disk is full",
        layout: |_| Layout {
            small_disk_mib: Some(150),
            postgres: vec![("max_wal_size", "32MB"), ("min_wal_size", "32MB")],
            ..Layout::distributed()
        },
        act: |scene| Box::pin(disk::full(scene)),
        must: &["disk filled"],
        sometimes: &["refused while it was full"],
        needs: MOUNT,
        ..Fault::USUAL
    },
    Fault {
        id: "F9",
        name: "PostgreSQL's disk is slow",
        layout: distributed,
        act: |scene| Box::pin(database::slow(scene)),
        must: &["disk slowed", "acknowledged slowly"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F10",
        name: "kill -9 of nats-server, again and again",
        layout: distributed,
        act: |scene| Box::pin(broker::killed(scene)),
        must: &["broker killed", "commands taken without the broker"],
        ..Fault::USUAL
    },
    Fault {
        id: "F11",
        name: "EIO or ENOSPC under nats-server",
        layout: distributed,
        act: |scene| Box::pin(broker::disk_fails(scene)),
        must: &["disk errors of the broker"],
        sometimes: &["commands taken without the broker"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F12",
        name: "the broker's store is deleted",
        layout: distributed,
        act: |scene| Box::pin(broker::wiped(scene)),
        must: &["broker wiped", "published again"],
        sometimes: &["holes filled from the log"],
        ..Fault::USUAL
    },
    Fault {
        id: "F13",
        name: "a bit flips in the broker's store",
        layout: distributed,
        act: |scene| Box::pin(broker::bit_flipped(scene)),
        must: &["bits flipped"],
        ..Fault::USUAL
    },
    Fault {
        id: "F14",
        name: "of three nats-servers the leader or two are killed",
        layout: |_| Layout { nats: 3, ..Layout::distributed() },
        act: |scene| Box::pin(broker::of_three(scene)),
        must: &["leaders killed", "quorums lost", "commands taken meanwhile"],
        ..Fault::USUAL
    },
    Fault {
        id: "F15",
        name: "partition between services and database, or of its answers",
        layout: behind_a_proxy,
        act: |scene| Box::pin(network::database_partitioned(scene)),
        must: &["retried until answered"],
        sometimes: &["partitions", "partitions of answers", "unknown outcomes"],
        ..Fault::USUAL
    },
    Fault {
        id: "F16",
        name: "half-open connections to the database",
        layout: behind_a_proxy,
        act: |scene| Box::pin(network::half_open(scene)),
        must: &["connections half open"],
        ..Fault::USUAL
    },
    Fault {
        id: "F17",
        name: "partition between services and broker",
        layout: |_| Layout { proxied_broker: true, ..Layout::distributed() },
        act: |scene| Box::pin(network::broker_partitioned(scene)),
        must: &["partitions", "commands taken without the broker"],
        ..Fault::USUAL
    },
    Fault {
        id: "F18",
        name: "an orchestrator wakes after another took its lease",
        layout: |_| Layout { seconds: vec![Role::Sagas], ..Layout::distributed() },
        act: |scene| Box::pin(pauses::orchestrator_replaced(scene)),
        must: &["pauses", "lease changes"],
        ..Fault::USUAL
    },
    Fault {
        id: "F19",
        name: "what takes commands stands still for a while",
        layout: |random| {
            if random.bool() {
                Layout { seconds: vec![Role::Commands], ..Layout::distributed() }
            } else {
                Layout::embedded()
            }
        },
        act: |scene| Box::pin(pauses::writer(scene)),
        must: &["pauses"],
        sometimes: &["lease changes"],
        ..Fault::USUAL
    },
    Fault {
        id: "F20",
        name: "clocks an hour off, and set while they run",
        layout: |random| {
            if random.bool() {
                Layout { clocks: vec![Role::Dev], ..Layout::embedded() }
            } else {
                Layout { clocks: clocks::HAVE_A_CLOCK.to_vec(), ..Layout::distributed() }
            }
        },
        act: |scene| Box::pin(clocks::set(scene)),
        must: &["clocks set"],
        sometimes: &["started with a wrong clock", "messages lost meanwhile"],
        needs: &[Need::Program("cc")],
        ..Fault::USUAL
    },
    Fault {
        id: "F21",
        name: "the payment provider is slow, fails, loses answers, hears twice",
        layout: behind_a_gate,
        act: |scene| Box::pin(provider::rude(scene)),
        must: &["asked a rude provider"],
        sometimes: &[
            "asked a provider that fails",
            "asked a provider that fails afterwards",
            "asked a provider that loses answers",
            "asked a provider that hears twice",
            "asked a slow provider",
            "asked a silent provider",
        ],
        ..Fault::USUAL
    },
    Fault {
        id: "F22",
        name: "the payment provider is away for long",
        layout: behind_a_gate,
        act: |scene| Box::pin(provider::away(scene)),
        must: &["payments waited", "acknowledged without the provider"],
        sometimes: &["provider gone", "provider silent", "asked in vain"],
        ..Fault::USUAL
    },
    Fault {
        id: "F24",
        name: "an event and a message that this version can't read",
        layout: distributed,
        act: |scene| Box::pin(poison::left_behind(scene)),
        must: &["models faulted", "models went on", "parked", "letters replayed"],
        ..Fault::USUAL
    },
    Fault {
        id: "F25",
        name: "forty customers want one product",
        load: || LoadShape { clients: 40, hot: true, pause: Duration::ZERO },
        act: |scene| Box::pin(load::hot(scene)),
        must: &["compensated"],
        ..Fault::USUAL
    },
    Fault {
        id: "F26",
        name: "tables are locked and sessions ended by an administrator",
        layout: distributed,
        act: |scene| Box::pin(database::locked(scene)),
        must: &["tables locked"],
        sometimes: &["sessions ended"],
        ..Fault::USUAL
    },
    Fault {
        id: "F27",
        name: "PostgreSQL has no connection left",
        layout: |_| Layout { postgres: vec![("max_connections", "70")], ..Layout::distributed() },
        act: |scene| Box::pin(database::no_connections(scene)),
        must: &["connections taken"],
        sometimes: &["503"],
        ..Fault::USUAL
    },
    Fault {
        id: "F28",
        name: "no file handles left for connections",
        layout: |random| {
            let few =
                |(role, most): (Role, &str)| (role, vec!["prlimit".to_owned(), most.to_owned()]);
            let before = FEW_HANDLES.map(few).to_vec();
            Layout { before, ..Layout::either(random) }
        },
        act: |scene| Box::pin(load::no_handles(scene)),
        must: &["idle connections"],
        needs: &[Need::Program("prlimit")],
        ..Fault::USUAL
    },
    Fault {
        id: "F29",
        name: "every process is replaced in order, and sometimes back again",
        layout: |_| {
            let other_version =
                vec![Role::Models, Role::Sagas, Role::Commands, Role::Simulator, Role::Gateway];
            let seconds = upgrade::TWO_OF_EACH.to_vec();
            Layout { seconds, other_version, ..Layout::distributed() }
        },
        act: |scene| Box::pin(upgrade::rolling(scene)),
        must: &["upgrades", "replaced in order", "lease changes"],
        sometimes: &["rollbacks"],
        ..Fault::USUAL
    },
    Fault {
        id: "F30",
        name: "read models are rebuilt under writes",
        act: |scene| Box::pin(load::rebuilt(scene)),
        must: &["rebuilds"],
        ..Fault::USUAL
    },
    Fault {
        id: "F32",
        name: "kill -9 of a migration, and two at once",
        layout: distributed,
        act: |scene| Box::pin(disk::migration_killed(scene)),
        must: &["schemas compared"],
        sometimes: &["migrations killed"],
        ..Fault::USUAL
    },
    Fault {
        id: "F33",
        name: "SQLite's disk is full; a second process on the same data",
        layout: |_| Layout { small_disk_mib: Some(48), ..Layout::embedded() },
        act: |scene| Box::pin(disk::second_writer(scene)),
        must: &["disk filled", "second processes refused"],
        sometimes: &["refused while it was full"],
        needs: MOUNT,
        ..Fault::USUAL
    },
    Fault {
        id: "F34",
        name: "the log is put back to a backup, beside a broker that knows more",
        layout: distributed,
        act: |scene| Box::pin(restore::log(scene)),
        must: &["backups", "restores"],
        sometimes: &["known to the provider alone"],
        ..Fault::USUAL
    },
    Fault {
        id: "F35",
        name: "ten times the customers, and a kill under them",
        act: |scene| Box::pin(load::storm(scene)),
        must: &["kills", "acknowledged in the storm"],
        ..Fault::USUAL
    },
];
