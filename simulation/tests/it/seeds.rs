//! A batch of seeds is clean, the same seed is the same run, and everything of interest happened in the batch.

use std::collections::BTreeMap;
use std::thread;

use simulation::{Report, SOMETIMES, Settings, run};

const SEEDS: u64 = 200;
/// A run is of one thread, so two batches run beside each other.
const THREADS: u64 = 2;

fn batch(first: u64) -> Vec<(u64, Report)> {
    let seeds = (first..=SEEDS).step_by(usize::try_from(THREADS).unwrap());
    seeds.map(|seed| (seed, run(&Settings::of(seed)).unwrap())).collect()
}

#[test]
fn two_hundred_seeds_break_no_rule_and_everything_of_interest_happens() {
    let threads: Vec<_> = (1..=THREADS).map(|first| thread::spawn(move || batch(first))).collect();
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for (seed, report) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
        let again = format!("cargo xtask simulate --seed {seed}");
        assert_eq!(report.violations, [], "{again}");
        for (what, times) in report.happened {
            *happened.entry(what).or_default() += times;
        }
    }
    let never: Vec<_> = SOMETIMES.into_iter().filter(|what| !happened.contains_key(what)).collect();
    assert_eq!(never, [""; 0], "nothing is tested of what never happens");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=20 {
        let [one, other] = [(); 2].map(|()| run(&Settings::of(seed)).unwrap());
        assert_eq!((one.hash, one.steps), (other.hash, other.steps), "seed {seed}");
        assert!(one.steps > 50, "seed {seed}: {} steps", one.steps);
    }
}

#[test]
fn another_seed_is_another_run() {
    let [one, other] = [1, 2].map(|seed| run(&Settings::of(seed)).unwrap().hash);
    assert_ne!(one, other);
}
