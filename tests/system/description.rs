//! `/openapi.json` keeps what it promises: examples work, answers and groups are described.

use reqwest::StatusCode;
use serde_json::Value;

use crate::platform::Platform;

/// Every operation with this method.
fn operations<'a>(api: &'a Value, method: &'a str) -> Vec<(&'a str, &'a Value)> {
    let paths = api["paths"].as_object().unwrap();
    let found: Vec<_> =
        paths.iter().filter_map(|(path, item)| Some((path.as_str(), item.get(method)?))).collect();
    assert!(found.len() > 20, "{method}: {}", found.len());
    found
}

/// The example of a command's body.
fn example<'a>(api: &'a Value, command: &'a Value) -> Option<&'a Value> {
    let schema = &command["requestBody"]["content"]["application/json"]["schema"];
    let named = schema["$ref"].as_str().or_else(|| schema["oneOf"][0]["$ref"].as_str())?;
    api.pointer(named.strip_prefix('#')?)?.get("example")
}

/// The path with an id in every place of one.
fn addressed(path: &str) -> String {
    let word = |word: &str| if word.starts_with('{') { "1".to_owned() } else { word.to_owned() };
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_command_understands_the_example_of_its_body() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    for (path, command) in operations(&api, "post") {
        let body = example(&api, command).unwrap_or_else(|| panic!("{path} has no example"));
        let answer = platform.post(&addressed(path), path, body).await;
        let refused =
            [StatusCode::NOT_FOUND, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
        let understood = answer.status.is_success() || refused.contains(&answer.status);
        assert!(understood && answer.body["code"] != "not_found", "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_examples_of_a_product_its_stock_and_an_order_make_a_first_order() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    for path in ["/v1/products", "/v1/stock/{sku}/receive", "/v1/orders"] {
        let body = example(&api, &api["paths"][path]["post"]).unwrap();
        platform.post(&path.replace("{sku}", "22423"), path, body).await.ok();
    }
    platform.until("/v1/orders/first", |order| order["status"] == "confirmed").await;
}

#[tokio::test]
async fn what_a_position_and_a_body_may_be_answered_is_described() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    let takes_a_position = |read: &Value| {
        let named = read["parameters"].as_array().into_iter().flatten();
        named.into_iter().any(|parameter| parameter["name"] == "min_position")
    };
    let reads = operations(&api, "get").into_iter().filter(|(_, read)| takes_a_position(read));
    let commands = operations(&api, "post").into_iter();
    let promised = reads.map(|read| (read, ["400", "409", "503"]));
    for ((path, operation), statuses) in
        promised.chain(commands.map(|command| (command, ["400", "413", "415"])))
    {
        for status in statuses {
            let problem = &operation["responses"][status]["content"]["application/problem+json"];
            assert!(problem.is_object(), "{path} does not describe {status}");
        }
    }
}

#[tokio::test]
async fn every_group_of_routes_has_a_sentence() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    let tags = api["tags"].as_array().unwrap();
    for (path, operation) in operations(&api, "get").into_iter().chain(operations(&api, "post")) {
        let tag = tags.iter().find(|tag| tag["name"] == operation["tags"][0]);
        let told = tag.and_then(|tag| tag["description"].as_str()).unwrap_or_default();
        assert!(told.ends_with('.'), "{path} is in {}, which says nothing", operation["tags"]);
    }
}
