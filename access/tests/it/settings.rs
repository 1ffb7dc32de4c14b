//! Settings that would take more than was meant.

use access::AuthSettings;

const GOOD: &str = r#"audience = "docket"
[[issuers]]
name = "staff"
issuer = "https://staff.test"
algorithms = ["ES256"]
roles = ["operator"]
jwks_url = "https://staff.test/keys"
"#;

fn read(text: &str) -> Result<AuthSettings, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.toml");
    std::fs::write(&path, text).unwrap();
    AuthSettings::read(&path).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    })
}

#[test]
fn what_can_t_be_meant_is_refused_with_the_issuer_s_name() {
    read(GOOD).unwrap();
    for (from, to, said) in [
        ("\"docket\"", "\"\"", "`audience` is empty"),
        ("[[issuers]]", "leeway_seconds = 61\n[[issuers]]", "at most 60"),
        ("[\"operator\"]", "[]", "issuer `staff`: `roles` names none"),
        ("[\"operator\"]", "[\"root\"]", "unknown variant `root`"),
        ("\"staff\"", "\"Staff Members\"", "small letters"),
        ("\"https://staff.test\"", "\"\"", "`issuer` is empty"),
        ("[\"ES256\"]", "[]", "`algorithms` is one or more of"),
        ("[\"ES256\"]", "[\"none\"]", "`algorithms` is one or more of"),
        ("[\"ES256\"]", "[\"HS256\"]", "`HS…` goes with `secret_files`"),
        ("[\"ES256\"]", "[\"ES256\", \"HS256\"]", "`HS…` goes with `secret_files`"),
        ("https://staff.test/keys", "http://staff.test/keys", "is not https"),
        ("https://staff.test/keys", "file:///keys", "is not https"),
        ("jwks_url", "jwks_file = \"a\"\njwks_url", "exactly one of"),
        ("jwks_url = \"https://staff.test/keys\"", "", "exactly one of"),
        ("jwks_url", "jwks_ulr", "unknown field `jwks_ulr`"),
        ("jwks_url", "signing_key_file = \"a\"\njwks_url", "`signing_key_file` goes with"),
    ] {
        let wrong = GOOD.replacen(from, to, 1);
        assert_ne!(wrong, GOOD);
        let error = read(&wrong).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
    }
    let twice = format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]);
    assert!(read(&twice).unwrap_err().contains("has the name or the `issuer` of `staff`"));
    assert!(
        read("audience = \"docket\"\nissuers = []\n").unwrap_err().contains("nobody could come in")
    );
}

#[tokio::test]
async fn a_secret_that_could_be_guessed_and_a_file_without_keys_are_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.toml");
    let start = async |keys: &str, algorithm: &str| {
        let text = GOOD.replace("jwks_url = \"https://staff.test/keys\"", keys);
        std::fs::write(&path, text.replace("ES256", algorithm)).unwrap();
        let settings = AuthSettings::read(&path).unwrap();
        let clock = crate::issuers::clock();
        access::Verifier::start(settings, clock).await.err().map(|error| error.to_string())
    };
    std::fs::write(folder.path().join("short"), "geheim\n").unwrap();
    let said = start("secret_files = [\"short\"]", "HS256").await.unwrap();
    assert!(said.contains("less than 32 bytes") && !said.contains("geheim"), "{said}");
    std::fs::write(folder.path().join("empty.json"), "{\"keys\":[]}").unwrap();
    let said = start("jwks_file = \"empty.json\"", "ES256").await.unwrap();
    assert!(said.contains("issuer `staff`: no keys in"), "{said}");
    let said = start("secret_files = [\"missing\"]", "HS256").await.unwrap();
    assert!(said.contains("can't be read"), "{said}");
}
