//! What is taken, and who comes of it.

use access::{Action, Reach, Resource, Role, Signer, Wanted, authorize};
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::issuers::{Issuers, NOW, SECRET, claims_but, claims_of, with_secret};

const HS256: &str = r#"{"alg":"HS256"}"#;

#[tokio::test]
async fn every_kind_of_key_is_taken_of_the_issuer_that_has_it() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    let good = [
        with_secret(SECRET.as_bytes(), HS256, &claims_of("https://shared.test")),
        issuers
            .rsa
            .token(r#"{"alg":"RS256","kid":"r1","typ":"JWT"}"#, &claims_of("https://rsa.test")),
        issuers.curve.token(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims_of("https://curve.test")),
    ];
    for (token, issuer) in good.iter().zip(["shared", "rsa", "curve"]) {
        let principal = verifier.verify(token).await.unwrap();
        let known = principal.known().unwrap();
        assert_eq!(known.name(), format!("{issuer}:ada"));
        assert_eq!(known.roles().collect::<Vec<_>>(), [Role::Operator]);
    }
}

#[tokio::test]
async fn a_customer_is_who_the_claim_says_that_the_issuer_s_settings_name() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    let claims = json!({
        "iss": "https://customers.test", "aud": ["other", "docket"], "sub": "auth0|4f", "exp": NOW + 60,
        "customer_number": "17850", "https://shop.test/roles": ["customer", "newsletter"], "roles": ["operator"],
    });
    let token = issuers.customers.token(r#"{"alg":"EdDSA","kid":"e1"}"#, &claims.to_string());
    let principal = verifier.verify(&token).await.unwrap();
    let read = authorize(&principal, Action::ReadOrders, Resource::Some);
    assert_eq!(read, Ok(Reach::Own("17850")));
    let known = principal.known().unwrap();
    assert_eq!(
        (known.name().as_str(), known.id().as_str()),
        ("customers:auth0|4f", "customers:auth0|4f")
    );
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway_and_no_more() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    for (name, time, is_taken) in [
        ("exp", NOW - 29, true),
        ("exp", NOW - 30, false),
        ("nbf", NOW + 30, true),
        ("nbf", NOW + 31, false),
        ("iat", NOW + 30, true),
        ("iat", NOW + 31, false),
    ] {
        let claims = claims_but(name, time.into());
        let taken = verifier.verify(&with_secret(SECRET.as_bytes(), HS256, &claims)).await;
        assert_eq!(taken.is_ok(), is_taken, "{name} {}: {taken:?}", time - NOW);
    }
    let claims = claims_but("exp", json!(1_800_000_300.5));
    let taken = verifier.verify(&with_secret(SECRET.as_bytes(), HS256, &claims)).await.unwrap();
    let until = DateTime::from_timestamp_millis(1_800_000_330_500);
    assert_eq!(taken.known().map(access::Known::taken_until), until, "with the leeway");
}

#[tokio::test]
async fn a_token_is_confined_by_either_claim_that_issuers_use_and_by_both() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    let (read, cancel) = (Action::ReadOrders, Action::CancelOrder);
    for (scope, scp, may_read, may_cancel) in [
        (json!("orders:read"), None, true, false),
        (json!(""), None, false, false),
        (json!("orders:read orders:write"), Some(json!(["orders:read"])), true, false),
        (json!("orders:read"), Some(json!("orders:write")), false, false),
    ] {
        let mut claims: Value = serde_json::from_str(&claims_but("scope", scope.clone())).unwrap();
        if let Some(scp) = &scp {
            claims["scp"] = scp.clone();
        }
        let token = with_secret(SECRET.as_bytes(), HS256, &claims.to_string());
        let principal = verifier.verify(&token).await.unwrap();
        let may = |action| authorize(&principal, action, Resource::Some).is_ok();
        assert_eq!([may(read), may(cancel)], [may_read, may_cancel], "{scope} {scp:?}");
    }
    for scp in [json!(["orders:read", "stock:read"]), json!("orders:read stock:read")] {
        let token = with_secret(SECRET.as_bytes(), HS256, &claims_but("scp", scp.clone()));
        let principal = verifier.verify(&token).await.unwrap();
        let may = |action| authorize(&principal, action, Resource::Some).is_ok();
        assert_eq!([may(read), may(cancel)], [true, false], "{scp}");
    }
}

#[tokio::test]
async fn a_token_for_development_is_one_that_is_taken() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    let signer = Signer::of(issuers.settings(), None).unwrap();
    let wanted = Wanted {
        subject: "17850".to_owned(),
        roles: vec![Role::Customer],
        scopes: Some(vec!["orders:read".to_owned()]),
        lasts: TimeDelta::minutes(5),
    };
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let principal = verifier.verify(&signer.sign(&wanted, now).unwrap()).await.unwrap();
    let may = |action| authorize(&principal, action, Resource::Some);
    assert_eq!(may(Action::ReadOrders), Ok(Reach::Own("17850")));
    assert!(may(Action::PlaceOrder).is_err(), "the scope confines it");
    assert!(Signer::of(issuers.settings(), Some("rsa")).is_err(), "only they have their key");
}
