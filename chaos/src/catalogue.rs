//! Every fault, and what has to happen in some run of any.

use std::sync::LazyLock;

use crate::fault::Fault;
use crate::faults::{
    broker, clocks, database, disk, kills, load, network, pauses, poison, provider, restore,
    upgrade,
};
use crate::probes::{PROVIDER_BACK, PROVIDER_SHUT_OUT};
use crate::readiness::SAID;
use crate::told::TOLD;

/// What has to happen in some run of some fault, or all of them together have left something out.
pub(crate) const SOMEWHERE: [&str; 17] = [
    SAID,
    "conflicts decided again",
    "dedupe hits",
    "redeliveries",
    "compensated",
    PROVIDER_SHUT_OUT,
    PROVIDER_BACK,
    TOLD,
    "settled by hand",
    "returns received",
    "parcels sent in part",
    "parked",
    "letters replayed",
    "keys replayed",
    "rebuilds",
    "lease changes",
    "snapshots read",
];

/// A fault that tests over real processes cause, because it needs more than customers who order.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// The command that runs them.
    pub(crate) tests: &'static str,
}

/// What has a number and is caused by tests.
pub(crate) const ELSEWHERE: [Elsewhere; 2] = [
    Elsewhere {
        id: "F23",
        name: "receivers of webhooks fail, hang, redirect, drip, are gone, or answer without end",
        tests: "cargo nextest run -p docket --test system f23_",
    },
    Elsewhere {
        id: "F31",
        name: "SIGTERM with a hundred streams of server-sent events open",
        tests: "cargo nextest run -p docket --test system f31_",
    },
];

/// All of them, in the order of their numbers.
pub(crate) static FAULTS: LazyLock<Vec<&'static Fault>> = LazyLock::new(|| {
    let of_each = [
        kills::FAULTS,
        database::FAULTS,
        disk::FAULTS,
        broker::FAULTS,
        network::FAULTS,
        pauses::FAULTS,
        clocks::FAULTS,
        provider::FAULTS,
        poison::FAULTS,
        load::FAULTS,
        upgrade::FAULTS,
        restore::FAULTS,
    ];
    let mut all: Vec<&Fault> = of_each.into_iter().flatten().collect();
    all.sort_by_key(|fault| number(fault));
    all
});

fn number(fault: &Fault) -> u32 {
    fault.id.trim_start_matches('F').parse().expect("a fault is called such as F6")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_one_fault_s_and_they_are_in_order() {
        let numbers: Vec<u32> = FAULTS.iter().map(|fault| number(fault)).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        let is_known = |id: &str| FAULTS.iter().any(|fault| fault.id == id);
        assert!(ELSEWHERE.iter().all(|other| !is_known(other.id)), "{ELSEWHERE:?}");
        assert!(FAULTS.iter().all(|fault| !fault.must.is_empty()), "each has to do something");
    }
}
