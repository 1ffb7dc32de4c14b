//! Golden files: `schemas/golden/{type}.v{version}.json`, one per event version ever written. They are added, never
//! changed: each must be readable for ever.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use domain::event::Event;

use crate::examples;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/golden")
}

#[test]
fn p12_evolvable_every_event_version_ever_written_is_readable() {
    let mut read = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (event_type, version) = name.split_once(".v").unwrap();
        let payload = fs::read_to_string(&path).unwrap();
        let event = Event::from_json(event_type, version.parse().unwrap(), &payload);
        event.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        read += 1;
    }
    assert!(read >= Event::types().count(), "only {read} golden files");
}

#[test]
fn p12_evolvable_an_event_is_written_as_its_golden_file_says() {
    let mut seen = BTreeSet::new();
    for event in examples::events() {
        let name = format!("{}.v{}.json", event.event_type(), event.schema_version());
        let path = folder().join(&name);
        let payload: serde_json::Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        if std::env::var_os("DOCKET_UPDATE_SCHEMAS").is_some() && !path.exists() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, format!("{payload:#}\n")).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no golden file {name}"));
        let golden: serde_json::Value = serde_json::from_str(&golden).unwrap();
        assert_eq!(payload, golden, "{name}: what is written has changed; it needs a new version");
        let back =
            Event::from_json(event.event_type(), event.schema_version(), &golden.to_string());
        assert_eq!(back.unwrap(), event, "{name}");
        seen.insert(event.event_type());
    }
    let all: BTreeSet<_> = Event::types().map(|kind| kind.name).collect();
    assert_eq!(seen, all, "every event type has an example");
}
