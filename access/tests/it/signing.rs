//! Keys that sign in an issuer's name, beside those of whom can only verify.

use access::{AuthSettings, IssueError, Principal, Role, Signer, Verifier, Wanted};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta};
use serde_json::json;
use tempfile::TempDir;

use crate::issuers::{Keys, NOW, clock};

const SETTINGS: &str = r#"audience = "docket"
[[issuers]]
name = "people"
issuer = "https://people.test"
algorithms = ["EdDSA"]
jwks_file = "people.json"
signing_key_file = "people.key"
roles = ["operator"]

[[issuers]]
name = "services"
issuer = "https://services.test"
algorithms = ["EdDSA"]
jwks_file = "services.json"
signing_key_file = "services.key"
roles = ["service"]
"#;

/// A folder with the settings, and the public keys and others' beside them, but no key that signs.
struct Folder {
    folder: TempDir,
    keys: [Ed25519KeyPair; 2],
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = [(), ()].map(|()| Ed25519KeyPair::generate().unwrap());
        std::fs::write(folder.path().join("auth.toml"), SETTINGS).unwrap();
        for (name, pair) in ["people", "services"].into_iter().zip(&keys) {
            let its = Keys::Edwards(Ed25519KeyPair::from_pkcs8(pkcs8(pair).as_slice()).unwrap());
            let set = json!({ "keys": [Keys::edwards().jwk("old"), its.jwk(name)] }).to_string();
            std::fs::write(folder.path().join(format!("{name}.json")), set).unwrap();
        }
        Self { folder, keys }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn settings(&self) -> AuthSettings {
        AuthSettings::read(&self.folder.path().join("auth.toml")).unwrap()
    }

    fn signer(&self) -> Result<Signer, IssueError> {
        Signer::of(self.settings(), None)
    }
}

fn pkcs8(pair: &Ed25519KeyPair) -> Vec<u8> {
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn wanted(role: Role) -> Wanted {
    let (subject, lasts) = ("command-service".to_owned(), TimeDelta::minutes(1));
    Wanted { subject, roles: vec![role], scopes: None, lasts }
}

#[tokio::test]
async fn who_has_only_public_keys_takes_tokens_and_makes_none() {
    let folder = Folder::new();
    let verifier = Verifier::start(folder.settings(), clock()).await.unwrap();
    let said = folder.signer().err().unwrap().to_string();
    assert!(said.contains("`signing_key_file` that is here"), "{said}");

    folder.write("services.key", &pem(&pkcs8(&folder.keys[1])));
    let (signer, now) = (folder.signer().unwrap(), DateTime::from_timestamp(NOW, 0).unwrap());
    let token = signer.sign(&wanted(Role::Service), now).unwrap();
    let Ok(Principal::Known(known)) = verifier.verify(&token).await else { panic!("{token}") };
    assert_eq!(known.name(), "services:command-service");
    let said = signer.sign(&wanted(Role::Operator), now).unwrap_err();
    assert!(matches!(said, IssueError::Role { .. }), "{said}");
    assert!(Signer::of(folder.settings(), Some("people")).is_err(), "its key is elsewhere");
}

#[test]
fn a_key_by_which_nobody_would_be_let_in_is_told_when_it_is_read() {
    let folder = Folder::new();
    let of_people = pem(&pkcs8(&folder.keys[0]));
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der>::as_der(&rsa).unwrap();
    for (key, said) in [
        (of_people.as_str(), "signs what no key in"),
        ("geheim", "holds no private key (PEM, PKCS#8)"),
        ("", "holds no private key (PEM, PKCS#8)"),
        (&pem(rsa.as_ref()), "holds a key that is none of Ed25519"),
    ] {
        folder.write("services.key", key);
        let told = folder.signer().err().unwrap().to_string();
        assert!(told.contains("services.key ") && told.contains(said), "{told}");
        assert!(!told.contains("geheim"), "{told}");
    }
    folder.write("services.json", "{}");
    folder.write("services.key", &of_people);
    let told = folder.signer().err().unwrap().to_string();
    assert!(told.contains("services.json: this is no JSON Web Key Set"), "{told}");
}
