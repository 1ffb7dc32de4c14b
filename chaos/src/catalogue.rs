//! Every fault, and what has to happen in some run of any.

use std::sync::LazyLock;

use crate::fault::Fault;
use crate::faults::{
    broker, clocks, database, disk, kills, load, network, pauses, poison, provider, restore,
    upgrade,
};
use crate::readiness::SAID;

/// What has to happen in some run of some fault, or all of them together have left something out.
pub(crate) const SOMEWHERE: [&str; 10] = [
    SAID,
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
        assert!(FAULTS.iter().all(|fault| !fault.must.is_empty()), "each has to do something");
    }
}
