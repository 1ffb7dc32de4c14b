//! Every bad token that is known, refused, and for the right reason.

use access::{Refused, Role};
use serde_json::{Value, json};

use crate::issuers::{
    Issuers, Keys, NOW, SECRET, base64, claims, claims_but, claims_of, with_secret,
};

const HS256: &str = r#"{"alg":"HS256"}"#;

fn shared(header: &str, claims: &str) -> String {
    with_secret(SECRET.as_bytes(), header, claims)
}

/// A good one but for its header.
fn header(header: &str) -> String {
    shared(header, &claims().to_string())
}

/// A good one but for one claim; without it when it is `null`.
fn claim(name: &str, value: Value) -> String {
    shared(HS256, &claims_but(name, value))
}

/// A header with the algorithm and one member more.
fn with(member: &str) -> String {
    header(&format!(r#"{{"alg":"HS256",{member}}}"#))
}

type Bad = (&'static str, String, Refused);

fn no_tokens() -> Vec<Bad> {
    let good = header(HS256);
    let three = || Refused::Malformed("it has not three parts");
    let not_base64 = || Refused::Malformed("a part of it is not base64url");
    let not_json = || Refused::Malformed("a part of it is no JSON object");
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, sign) = (parts[0], parts[1], parts[2]);
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    vec![
        ("nothing", String::new(), three()),
        ("a word", "token".to_owned(), three()),
        ("two parts", format!("{head}.{body}"), three()),
        ("four parts", format!("{good}.{sign}"), three()),
        ("five parts, as an encrypted one", format!("{good}.{sign}.{sign}"), three()),
        ("only dots", "..".to_owned(), not_json()),
        ("a huge one", format!("{head}.{}.{sign}", "A".repeat(9000)), Refused::TooLarge),
        ("padding", format!("{head}.{body}=.{sign}"), not_base64()),
        ("plain base64", format!("{head}.{body}+/.{sign}"), not_base64()),
        ("a line break in it", format!("{head}.{body}\n.{sign}"), not_base64()),
        ("a blank before it", format!(" {good}"), not_base64()),
        (
            "bits behind the last letter",
            format!("{head}.{body}.{sign}="),
            Refused::Malformed("its signature is not base64url"),
        ),
        ("a header that is no JSON", format!("{}.{body}.{sign}", base64("alg")), not_json()),
        ("a header that is a list", format!("{}.{body}.{sign}", base64("[]")), not_json()),
        ("a header with more behind it", format!("{}.{body}.{sign}", base64("{} {}")), not_json()),
        ("claims that are a text", format!("{head}.{}.{sign}", base64("\"x\"")), not_json()),
        (
            "claims that are not UTF-8",
            format!("{head}.{}.{sign}", base64(b"{\"a\":\"\xff\"}")),
            not_json(),
        ),
        (
            "claims that are deep",
            format!("{head}.{}.{sign}", base64(format!("{{\"a\":{deep}}}"))),
            not_json(),
        ),
    ]
}

fn headers() -> Vec<Bad> {
    let claims = claims().to_string();
    let unsigned = format!("{}.{}.", base64(r#"{"alg":"none"}"#), base64(&claims));
    let attacker = Keys::curve();
    let jwk = attacker.jwk("c1");
    let own = attacker.token(
        &json!({ "alg": "ES256", "kid": "c1", "jwk": jwk }).to_string(),
        &claims_of("https://curve.test"),
    );
    let none_in = |alg: &str| header(&format!(r#"{{"alg":"{alg}"}}"#));
    vec![
        ("alg none, unsigned", unsigned, Refused::Algorithm),
        ("alg none, signed", none_in("none"), Refused::Algorithm),
        ("alg None", none_in("None"), Refused::Algorithm),
        ("alg NONE", none_in("NONE"), Refused::Algorithm),
        ("alg hs256", none_in("hs256"), Refused::Algorithm),
        ("no alg", header("{}"), Refused::Algorithm),
        ("alg is a number", header(r#"{"alg":256}"#), Refused::Algorithm),
        ("another alg of the same secret", none_in("HS512"), Refused::Algorithm),
        ("alg said twice", header(r#"{"alg":"HS256","alg":"none"}"#), Refused::SaidTwice),
        ("crit", with(r#""crit":["exp"]"#), Refused::Critical),
        ("an empty crit", with(r#""crit":[]"#), Refused::Critical),
        ("b64", with(r#""b64":false"#), Refused::NotPlain("b64")),
        ("compressed", with(r#""zip":"DEF""#), Refused::NotPlain("zip")),
        ("encrypted", with(r#""enc":"A256GCM""#), Refused::NotPlain("enc")),
        ("another token in it", with(r#""cty":"JWT""#), Refused::NotPlain("cty")),
        ("its own key", own, Refused::OwnKey("jwk")),
        ("where to get its key", with(r#""jku":"https://evil.test/keys""#), Refused::OwnKey("jku")),
        (
            "where to get its certificate",
            with(r#""x5u":"https://evil.test""#),
            Refused::OwnKey("x5u"),
        ),
        ("its own certificate", with(r#""x5c":["MIIB"]"#), Refused::OwnKey("x5c")),
        ("the print of a certificate", with(r#""x5t":"x""#), Refused::OwnKey("x5t")),
        ("a token to log out", with(r#""typ":"logout+jwt""#), Refused::Type),
        ("a proof of possession", with(r#""typ":"dpop+jwt""#), Refused::Type),
        ("typ is a number", with(r#""typ":1"#), Refused::Type),
        ("a kid that is a path", with(r#""kid":"../../dev/null""#), Refused::Key),
        ("a kid that is SQL", with(r#""kid":"x' OR 1=1 --""#), Refused::Key),
        ("a kid that is a number", with(r#""kid":1"#), Refused::Key),
        ("a kid that is long", with(&format!(r#""kid":"{}""#, "k".repeat(300))), Refused::Key),
    ]
}

/// Tokens whose signature is somebody's, and not that of who they say to be of.
fn signatures(issuers: &Issuers) -> Vec<Bad> {
    let good = header(HS256);
    let (message, _) = good.rsplit_once('.').unwrap();
    let rsa = issuers.rsa.jwk("r1");
    let public = rsa["n"].as_str().unwrap().to_owned();
    let of_rsa = claims_of("https://rsa.test");
    let rs256 = r#"{"alg":"RS256","kid":"r1"}"#;
    let from_rsa = issuers.rsa.token(rs256, &of_rsa);
    let (_, body_and_sign) = from_rsa.split_once('.').unwrap();
    let (_, sign) = body_and_sign.split_once('.').unwrap();
    let other_claims = base64(of_rsa.replace("ada", "eve"));
    let of_curve = claims_of("https://curve.test");
    let es256 = r#"{"alg":"ES256","kid":"c1"}"#;
    let zeros = base64([0; 64]);
    vec![
        ("no signature", format!("{message}."), Refused::Signature),
        ("half a signature", good[..good.len() - 23].to_owned(), Refused::Signature),
        (
            "another secret",
            with_secret(b"another secret of 32 bytes......", HS256, &claims().to_string()),
            Refused::Signature,
        ),
        ("an empty secret", with_secret(b"", HS256, &claims().to_string()), Refused::Signature),
        (
            "other claims under a good signature",
            format!("{}.{other_claims}.{sign}", base64(rs256)),
            Refused::Signature,
        ),
        (
            "a public key as a secret",
            with_secret(public.as_bytes(), HS256, &of_rsa),
            Refused::Algorithm,
        ),
        (
            "a public key as a secret, under its kid",
            with_secret(public.as_bytes(), r#"{"alg":"HS256","kid":"r1"}"#, &of_rsa),
            Refused::Algorithm,
        ),
        (
            "RSA with a padding that the issuer does not use",
            issuers.rsa.token(r#"{"alg":"PS256","kid":"r1"}"#, &of_rsa),
            Refused::Algorithm,
        ),
        (
            "a curve's signature of all zeros",
            format!("{}.{}.{zeros}", base64(es256), base64(&of_curve)),
            Refused::Signature,
        ),
        (
            "another curve's key under the same kid",
            Keys::curve().token(es256, &of_curve),
            Refused::Signature,
        ),
        ("a key of another issuer", issuers.curve.token(es256, &of_rsa), Refused::Algorithm),
        (
            "a kid of another issuer",
            issuers.rsa.token(r#"{"alg":"RS256","kid":"c1"}"#, &of_rsa),
            Refused::Key,
        ),
        (
            "an unknown kid",
            issuers.rsa.token(r#"{"alg":"RS256","kid":"r2"}"#, &of_rsa),
            Refused::Key,
        ),
        ("an empty kid", issuers.rsa.token(r#"{"alg":"RS256","kid":""}"#, &of_rsa), Refused::Key),
    ]
}

fn what_they_say() -> Vec<Bad> {
    let twice = |member: &str| {
        let mut text = claims().to_string();
        text.insert_str(1, &format!("{member},"));
        shared(HS256, &text)
    };
    let iss = || Refused::Issuer;
    vec![
        ("no iss", claim("iss", Value::Null), Refused::Missing("iss")),
        ("an unknown iss", claim("iss", "https://evil.test".into()), iss()),
        ("iss with a slash more", claim("iss", "https://shared.test/".into()), iss()),
        ("iss in capitals", claim("iss", "HTTPS://SHARED.TEST".into()), iss()),
        ("iss is a list", claim("iss", json!(["https://shared.test"])), Refused::Claim("iss")),
        ("iss twice", twice(r#""iss":"https://evil.test""#), Refused::SaidTwice),
        ("no aud", claim("aud", Value::Null), Refused::Missing("aud")),
        ("another aud", claim("aud", "billing".into()), Refused::Audience),
        ("aud in capitals", claim("aud", "Docket".into()), Refused::Audience),
        ("aud that begins with ours", claim("aud", "docket2".into()), Refused::Audience),
        ("a list of other auds", claim("aud", json!(["billing", "crm"])), Refused::Audience),
        ("an empty list of auds", claim("aud", json!([])), Refused::Audience),
        ("aud is an object", claim("aud", json!({ "docket": true })), Refused::Claim("aud")),
        ("a list with a number", claim("aud", json!(["docket", 1])), Refused::Claim("aud")),
        ("no exp", claim("exp", Value::Null), Refused::Missing("exp")),
        ("exp as a text", claim("exp", "1900000000".into()), Refused::Claim("exp")),
        ("exp below zero", claim("exp", (-1).into()), Refused::Claim("exp")),
        ("exp beyond all years", claim("exp", 1e300.into()), Refused::Claim("exp")),
        ("exp in milliseconds", claim("exp", ((NOW + 60) * 1_000).into()), Refused::Claim("exp")),
        ("exp is a list", claim("exp", json!([NOW + 60])), Refused::Claim("exp")),
        ("expired beyond the leeway", claim("exp", (NOW - 31).into()), Refused::Expired),
        ("expired long ago", claim("exp", 0.into()), Refused::Expired),
        ("exp twice", twice(&format!(r#""exp":{}"#, NOW + 9999)), Refused::SaidTwice),
        ("not before a minute from now", claim("nbf", (NOW + 60).into()), Refused::NotYet("nbf")),
        ("nbf as a text", claim("nbf", "soon".into()), Refused::Claim("nbf")),
        ("issued tomorrow", claim("iat", (NOW + 86_400).into()), Refused::NotYet("iat")),
        ("no sub", claim("sub", Value::Null), Refused::Missing("sub")),
        ("an empty sub", claim("sub", "".into()), Refused::Claim("sub")),
        ("a sub with a line break", claim("sub", "ada\nroot".into()), Refused::Claim("sub")),
        ("a sub that is a number", claim("sub", 17850.into()), Refused::Claim("sub")),
        ("a sub that is long", claim("sub", "a".repeat(129).into()), Refused::Claim("sub")),
        ("no roles", claim("roles", Value::Null), Refused::Missing("roles")),
        ("roles as a text", claim("roles", "operator".into()), Refused::Claim("roles")),
        ("roles with a number", claim("roles", json!(["operator", 7])), Refused::Claim("roles")),
        ("no role", claim("roles", json!([])), Refused::NoRole),
        ("a role in capitals", claim("roles", json!(["Operator"])), Refused::NoRole),
        ("unknown roles", claim("roles", json!(["root", "admin"])), Refused::NoRole),
        ("scope is a list", claim("scope", json!(["orders:read"])), Refused::Claim("scope")),
        ("scp is a number", claim("scp", json!(7)), Refused::Claim("scp")),
        ("scp has what is no word", claim("scp", json!(["orders:read", 7])), Refused::Claim("scp")),
    ]
}

fn of_customers(issuers: &Issuers) -> Vec<Bad> {
    let eddsa = r#"{"alg":"EdDSA","kid":"e1"}"#;
    let claims = |roles: Value, customer: Value| {
        let claims = json!({
            "iss": "https://customers.test", "aud": "docket", "sub": "eve", "exp": NOW + 60,
            "https://shop.test/roles": roles, "customer_number": customer,
        });
        issuers.customers.token(eddsa, &claims.to_string())
    };
    let may_not = Refused::RoleNotItsToGive;
    vec![
        (
            "customers' issuer makes an operator",
            claims(json!(["operator"]), json!("1")),
            may_not(Role::Operator),
        ),
        (
            "… beside a customer",
            claims(json!(["customer", "service"]), json!("1")),
            may_not(Role::Service),
        ),
        (
            "a customer who is nobody",
            claims(json!(["customer"]), Value::Null),
            Refused::Claim("the customer"),
        ),
        (
            "a customer with an empty id",
            claims(json!(["customer"]), json!("")),
            Refused::Claim("the customer"),
        ),
        (
            "a customer with blanks around",
            claims(json!(["customer"]), json!(" 17850")),
            Refused::Claim("the customer"),
        ),
    ]
}

#[tokio::test]
async fn every_bad_token_is_refused_for_the_right_reason() {
    let issuers = Issuers::new();
    let verifier = issuers.verifier().await;
    verifier.verify(&header(HS256)).await.expect("what they are made from is good");
    let corpus: Vec<Bad> =
        [no_tokens(), headers(), signatures(&issuers), what_they_say(), of_customers(&issuers)]
            .concat();
    assert!(corpus.len() >= 40, "{}", corpus.len());
    let mut wrong = Vec::new();
    for (name, token, reason) in corpus {
        let said = verifier.verify(&token).await;
        if said.as_ref().err() != Some(&reason) {
            wrong.push(format!("{name}: {said:?} and not {reason:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
