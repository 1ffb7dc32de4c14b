//! The compose files as an engine would read them: anchors, merges and variables resolved, one laid over the other.

use serde_json::Value;

use crate::deployment::repository;

/// How deep merges stand in merges, and more.
const MERGES: usize = 5;

/// Everything that was read.
pub(super) struct Composition(pub(super) Value);

impl Composition {
    /// Three NATS nodes.
    pub(super) fn whole() -> Self {
        Self::read(&["docker-compose.yml"])
    }

    /// One.
    pub(super) fn single() -> Self {
        Self::read(&["docker-compose.yml", "docker-compose.single.yml"])
    }

    fn read(files: &[&str]) -> Self {
        let mut whole = Value::Null;
        for file in files {
            let text = std::fs::read_to_string(repository(file)).unwrap();
            let mut value: serde_norway::Value =
                serde_norway::from_str(&with_defaults(&text)).unwrap();
            for _ in 0..MERGES {
                value.apply_merge().unwrap();
            }
            lay_over(&mut whole, serde_norway::from_value(value).unwrap());
        }
        assert!(!whole.to_string().contains("\"<<\""), "a merge was not resolved");
        Self(whole)
    }

    /// The services that start: those of a profile do not.
    pub(super) fn services(&self) -> Vec<(&str, &Value)> {
        let all = self.0["services"].as_object().unwrap().iter();
        all.filter(|(_, service)| service["profiles"].is_null())
            .map(|(name, service)| (name.as_str(), service))
            .collect()
    }

    /// Those of our own image.
    pub(super) fn ours(&self) -> Vec<(&str, &Value)> {
        let is_ours = |service: &Value| service["build"].is_string();
        self.services().into_iter().filter(|(_, service)| is_ours(service)).collect()
    }

    /// One that starts only when it is asked for.
    pub(super) fn tool(&self, name: &str) -> &Value {
        let service = &self.0["services"][name];
        assert!(service["profiles"].is_array(), "{name} starts with the rest");
        service
    }

    /// The names under a member of the whole file, such as `secrets`.
    pub(super) fn declares(&self, kind: &str, name: &str) -> bool {
        self.0[kind].as_object().unwrap().contains_key(name)
    }
}

/// The words of a list.
pub(super) fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

/// The environment of a service.
pub(super) fn environment(service: &Value) -> Vec<(String, String)> {
    let all = service["environment"].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    all.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// `${NAME:-default}` where nothing is set.
fn with_defaults(text: &str) -> String {
    let mut parts = text.split("${");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap();
        let (_, default) = variable.split_once(":-").expect("every variable has a default");
        plain.push_str(default);
        plain.push_str(rest);
    }
    plain
}

fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay_over(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}
