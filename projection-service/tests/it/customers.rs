//! What a customer hears while others' orders can't be shown.

use access::{AuthSettings, Role, Signer, Verifier, Wanted};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use chrono::TimeDelta;
use projection_service::ProjectionService;
use serde_json::Value;
use service_kit::access::Access;
use service_kit::clock;
use tower::ServiceExt as _;

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up, placed, post};

on_both! { a_customer_hears_nothing_of_others_orders_that_are_parked }

const DAY: &str = "2010-12-01T08:26:00Z";
const PARK: &str = r#"{"position":2,"reason":"upgrade at noon"}"#;

/// The service as it is asked with tokens, and the token of a customer.
pub(crate) async fn of_customer(service: &ProjectionService, customer: &str) -> (Router, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    let file = folder.path().join("auth.toml");
    let settings = "audience = \"docket\"\n[[issuers]]\nname = \"shop\"\nissuer = \"https://shop.test\"\n\
        algorithms = [\"HS256\"]\nsecret_files = [\"secret\"]\nroles = [\"customer\"]\n";
    std::fs::write(&file, settings).unwrap();
    let signer = Signer::of(AuthSettings::read(&file).unwrap(), None).unwrap();
    let verifier = Verifier::start(AuthSettings::read(&file).unwrap(), clock::system()).await;
    let (subject, roles) = (customer.to_owned(), vec![Role::Customer]);
    let wanted = Wanted { subject, roles, scopes: None, lasts: TimeDelta::minutes(5) };
    let token = signer.sign(&wanted, clock::system()()).unwrap();
    let (router, _) = service.router(&Access::tokens(verifier.unwrap())).split_for_parts();
    (router, format!("Bearer {token}"))
}

async fn a_customer_hears_nothing_of_others_orders_that_are_parked(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(DAY, &[placed("o1", "a", 1)]).await;
    let unread = shop.append_raw(DAY, "order-gift-for-ada", "OrderPlaced", "{}".into()).await;
    let end = shop.append(DAY, &[placed("o2", "a", 1)]).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let (router, token) = of_customer(&service, "c1").await;
    let told = async |path: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, &token);
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        (status, headers.contains_key("docket-stale"), body)
    };
    let cause = "something that happened since is not shown yet";

    let (_, is_old, orders) = told("/orders").await;
    assert!(is_old && orders["stale"]["cause"] == cause, "{orders}");
    assert_eq!(orders["items"].as_array().unwrap().len(), 1, "the model stands before {unread}");

    let parked = post(&service, "/projections/orders/park", Some("park"), PARK).await;
    assert_eq!(parked.status, StatusCode::OK, "{}", parked.body);
    caught_up(&service, end).await;
    let (_, is_old, orders) = told("/orders").await;
    assert!(is_old && orders["stale"]["cause"] == cause, "{orders}");
    assert_eq!(orders["items"].as_array().unwrap().len(), 2);
    let (status, _, another) = told("/orders/gift-for-ada").await;
    let (_, _, never) = told("/orders/gift-for-bob").await;
    assert_eq!((status, &another["code"]), (StatusCode::NOT_FOUND, &never["code"]), "{another}");
    let theirs = told("/orders/o1").await;
    assert_eq!((theirs.0, theirs.1), (StatusCode::OK, false));

    let staff = ask(&service, "GET", "/orders/gift-for-ada").await;
    assert_eq!(staff.body["code"], "key_parked", "{}", staff.body);
    service.shutdown().await;
}
