//! Tokens that say who somebody is and not what: those of Kubernetes' service accounts.

use access::{Action, AuthSettings, Principal, Refused, Resource, Verifier, authorize};
use serde_json::{Value, json};

use crate::issuers::{AUDIENCE, Keys, NOW, clock};

const COMMANDS: &str = "system:serviceaccount:docket:command-service";
const SETTINGS: &str = r#"audience = "docket"
[[issuers]]
name = "cluster"
issuer = "https://kubernetes.default.svc.cluster.local"
algorithms = ["RS256"]
jwks_file = "keys.json"
roles = ["service"]
subjects = { "system:serviceaccount:docket:command-service" = ["service"] }
"#;

/// As Kubernetes signs one for a pod.
fn token(keys: &Keys, subject: &str, more: &Value) -> String {
    let mut claims = json!({
        "aud": [AUDIENCE], "exp": NOW + 3_600, "iat": NOW, "nbf": NOW, "jti": "c1",
        "iss": "https://kubernetes.default.svc.cluster.local", "sub": subject,
        "kubernetes.io": { "namespace": "docket", "serviceaccount": { "name": "a", "uid": "b" } },
    });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    keys.token(r#"{"alg":"RS256","kid":"k1"}"#, &claims.to_string())
}

#[tokio::test]
async fn who_is_named_in_the_settings_has_the_roles_there_and_nobody_else_any() {
    let (keys, folder) = (Keys::rsa(), tempfile::tempdir().unwrap());
    let path = folder.path().join("auth.toml");
    std::fs::write(&path, SETTINGS).unwrap();
    let set = json!({ "keys": [keys.jwk("k1")] }).to_string();
    std::fs::write(folder.path().join("keys.json"), set).unwrap();
    let verifier = Verifier::start(AuthSettings::read(&path).unwrap(), clock()).await.unwrap();
    let none = json!({});
    let Ok(Principal::Known(known)) = verifier.verify(&token(&keys, COMMANDS, &none)).await else {
        panic!("it is named");
    };
    assert_eq!(known.name(), format!("cluster:{COMMANDS}"));
    let principal = Principal::Known(known);
    let decided = authorize(&principal, Action::CallProvider, Resource::Some);
    assert!(decided.is_ok(), "it is a service");
    // What it says of itself counts for nothing.
    let claims = json!({ "roles": ["service"] });
    let other = "system:serviceaccount:docket:default";
    for stranger in [token(&keys, other, &none), token(&keys, other, &claims)] {
        assert!(matches!(verifier.verify(&stranger).await, Err(Refused::NoRole)));
    }
}

#[test]
fn a_subject_has_roles_and_only_those_that_the_issuer_may_give() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.toml");
    for roles in ["[]", "[\"operator\"]"] {
        let wrong = SETTINGS.replace("= [\"service\"] }", &format!("= {roles} }}"));
        std::fs::write(&path, wrong).unwrap();
        let said = AuthSettings::read(&path).unwrap_err().to_string();
        assert!(said.contains("issuer `cluster`: `subjects`: `system:"), "{said}");
    }
}
