//! `schemas/events` and `schemas/commands`: JSON Schema 2020-12, generated from the types. `cargo xtask schemas` writes
//! them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use domain::command::Command;
use domain::event::Event;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

fn generated() -> BTreeMap<String, String> {
    let events = Event::types().map(|kind| {
        (format!("events/{}.v{}.json", kind.name, kind.schema_version), (kind.schema)())
    });
    let commands = Command::schemas()
        .into_iter()
        .map(|(name, schema)| (format!("commands/{name}.json"), schema));
    events
        .chain(commands)
        .map(|(path, schema)| {
            let value = schema.to_value();
            assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema", "{path}");
            (path, format!("{value:#}\n"))
        })
        .collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let update = std::env::var_os("DOCKET_UPDATE_SCHEMAS").is_some();
    for (path, schema) in generated() {
        let file = folder().join(&path);
        if update {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &schema).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(committed, schema, "{path} has drifted: run `cargo xtask schemas`");
    }
}

#[test]
fn no_schema_is_left_behind() {
    let generated = generated();
    for kind in ["events", "commands"] {
        for entry in fs::read_dir(folder().join(kind)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{kind}/{name}");
            // An event's older version stays: it is in somebody's log.
            let old_version = kind == "events" && !name.ends_with(".v1.json");
            assert!(generated.contains_key(&path) || old_version, "{path} belongs to no type");
        }
    }
}
