//! What `/openapi.json` says of it: the very actions that are decided by.

use access::{Action, Role};
use serde_json::{Map, Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr};

/// The name of the scheme.
pub const SCHEME: &str = "token";
/// Under which an operation says what it needs.
const NEEDS: &str = "x-docket-access";
/// What a guarded operation may answer besides.
const REFUSALS: [(&str, &str); 3] = [
    ("401", "There is no token, or one that is not taken."),
    ("403", "The token's roles or scopes do not allow this."),
    ("429", "Whoever the token is of asked too much: come again after `Retry-After`."),
];

/// The scheme: a token in the header.
pub fn scheme() -> SecurityScheme {
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(bearer.build())
}

/// Says which action these are, and who may.
pub(super) fn describe_needs(paths: &mut Paths, action: Action) {
    for operation in paths.paths.values_mut().flat_map(operations) {
        describe(operation, action);
    }
}

/// The same of one path that is no part of a router with a description.
pub fn describe_plain(api: &mut OpenApi, path: &str, action: Action) {
    for operation in api.paths.paths.get_mut(path).into_iter().flat_map(operations) {
        describe(operation, action);
    }
}

fn describe(operation: &mut Operation, action: Action) {
    let roles: Map<String, Value> = Role::ALL
        .into_iter()
        .map(|role| (role.as_str().to_owned(), action.granted_to(role).into()))
        .collect();
    let needs = json!({ "action": action.as_str(), "scope": action.scope(), "roles": roles });
    operation.extensions.get_or_insert_default().insert(NEEDS.to_owned(), needs);
}

/// Every operation that needs something takes a token, and says so.
pub(super) fn describe_guarded(api: &mut OpenApi) {
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        let needs = operation.extensions.as_ref().and_then(|known| known.get(NEEDS));
        let Some(scope) = needs.and_then(|needs| needs["scope"].as_str()) else { continue };
        operation.security = Some(vec![SecurityRequirement::new(SCHEME, [scope])]);
        for (status, description) in REFUSALS {
            let problem = Ref::from_schema_name("ProblemBody");
            let content = ContentBuilder::new().schema(Some(problem)).build();
            let response = ResponseBuilder::new().description(description);
            let response = response.content("application/problem+json", content).build();
            operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch]
        .into_iter()
        .flatten()
}
