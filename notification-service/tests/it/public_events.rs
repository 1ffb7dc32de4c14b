//! Public events: their schemas, and that nothing is told that is personal.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use domain::event::Event;
use domain::orders::OrderEvent;
use event_store::{Metadata, RecordedEvent};
use notification_service::public::{CloudEvent, OrderFacts, PublicEvent, is_published, publish};
use serde_json::{Value, json};
use uuid::Uuid;

fn schemas() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// One of every stored event.
fn stored() -> Vec<Event> {
    let mut all = Vec::new();
    for entry in fs::read_dir(schemas().join("golden")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (event_type, version) = name.trim_end_matches(".json").split_once(".v").unwrap();
        let payload = fs::read_to_string(&path).unwrap();
        all.push(Event::from_json(event_type, version.parse().unwrap(), &payload).unwrap());
    }
    assert!(all.len() > 50, "{}", all.len());
    all
}

fn facts() -> OrderFacts {
    let placed = stored().into_iter().find_map(|event| match event {
        Event::Order(OrderEvent::OrderPlaced(placed)) => Some(placed),
        _ => None,
    });
    OrderFacts::of(&placed.unwrap())
}

fn told(event: &Event) -> Option<CloudEvent> {
    let recorded = RecordedEvent {
        position: 812,
        stream: event.stream().to_string().into(),
        version: 1,
        id: Uuid::from_u128(7),
        event_type: event.event_type().into(),
        schema_version: event.schema_version(),
        payload: event.to_json().unwrap(),
        metadata: Arc::new(Metadata {
            command_id: "secret-command".into(),
            actor: "secret-actor".into(),
            correlation_id: "c".into(),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        recorded_at: DateTime::UNIX_EPOCH,
    };
    CloudEvent::of("main", &recorded, event, Some(&facts())).unwrap()
}

fn generated() -> BTreeMap<String, String> {
    let types = PublicEvent::TYPES.iter();
    let schema = types.map(|kind| {
        let schema = (kind.schema)().to_value();
        (format!("{}.v{}.json", kind.name, kind.version), format!("{schema:#}\n"))
    });
    schema.collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = schemas().join("public");
    let update = std::env::var_os("DOCKET_UPDATE_SCHEMAS").is_some();
    for (name, schema) in generated() {
        let file = folder.join(&name);
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &schema).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(committed, schema, "{name} has drifted: run `cargo xtask schemas`");
    }
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(generated().contains_key(&name), "{name} belongs to no type");
    }
}

#[test]
fn what_is_told_is_what_its_schema_says_and_every_type_is_told_of_some_event() {
    let mut types: Vec<&str> = PublicEvent::TYPES.iter().map(|kind| kind.name).collect();
    for event in stored() {
        let Some(told) = told(&event) else { continue };
        types.retain(|name| *name != told.name);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        let kind = PublicEvent::TYPES.iter().find(|kind| kind.name == told.name).unwrap();
        let schema = (kind.schema)().to_value();
        if let Err(error) = jsonschema::validate(&schema, &body["data"]) {
            panic!("{}: {error}", told.name);
        }
        assert_eq!(body["specversion"], "1.0");
        assert_eq!(body["type"], told.name);
        assert_eq!(body["dataschema"], format!("urn:docket:public-event:{}:1", told.name));
        assert_eq!(body["sequence"], "00000000000000000812");
        for (name, value) in body.as_object().unwrap() {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            assert!(plain && (name == "data" || value.is_string()), "{name} is no attribute");
        }
    }
    assert_eq!(types, [""; 0], "nothing leads to these");
}

#[test]
fn the_list_of_what_is_published_is_what_is_published() {
    for event in stored() {
        let published = publish(&event, Some(&facts())).is_some();
        assert_eq!(is_published(event.event_type()), published, "{}", event.event_type());
    }
}

#[test]
fn nothing_sealed_nothing_free_and_nothing_of_the_inside_is_told() {
    for event in stored() {
        let Some(told) = told(&event) else { continue };
        let stored: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        for inside in
            ["sealed", "person", "secret-command", "secret-actor", "payment_method", "address"]
        {
            assert!(!told.body.contains(inside), "{}: {}", told.name, told.body);
        }
        // A reason is a stable code where a machine gave it; where a person did it is not told.
        if told.name != "order.rejected"
            && let Some(reason) = stored["reason"].as_str()
        {
            assert!(!told.body.contains(reason), "{}: {}", told.name, told.body);
        }
    }
}

#[test]
fn of_an_order_that_was_never_placed_nobody_is_told() {
    for event in stored().iter().filter(|event| event.order_id().is_some()) {
        assert_eq!(publish(event, None), None, "{}", event.event_type());
    }
    let erased = json!({ "customer_id": "17850" }).to_string();
    let erased = Event::from_json("CustomerErased", 1, &erased).unwrap();
    let told = told(&erased).unwrap();
    assert_eq!((told.subject.as_str(), told.order_id), ("customers/17850", None));
}
