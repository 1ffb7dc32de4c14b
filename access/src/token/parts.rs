//! A token taken apart, strictly: what two readers could understand differently is refused before anything is made of it.
//!
//! Nothing here is verified. **Invariant:** a part has no member twice, and a header that would lead to another key, another
//! format or an unknown extension does not get through.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::refused::Refused;

/// The largest token. One of a large issuer has some 2 KB.
pub(super) const MOST_BYTES: usize = 8 * 1024;
/// What is never taken of a header: keys, and where to get one.
const OWN_KEYS: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"];
/// What makes something else of a token than a plain signed one.
const NOT_PLAIN: [&str; 5] = ["b64", "zip", "enc", "cty", "epk"];

/// A token, not verified.
pub(super) struct Parts<'t> {
    pub(super) header: Members,
    pub(super) claims: Members,
    /// What is signed.
    pub(super) message: &'t str,
    pub(super) signature: &'t str,
}

/// The members of an object.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: Vec<(String, Value)>,
    said_twice: bool,
}

impl<'t> Parts<'t> {
    pub(super) fn of(token: &'t str) -> Result<Self, Refused> {
        if token.len() > MOST_BYTES {
            return Err(Refused::TooLarge);
        }
        let three = Refused::Malformed("it has not three parts");
        let (message, signature) = token.rsplit_once('.').ok_or(three.clone())?;
        let (header, claims) = message.split_once('.').ok_or(three.clone())?;
        if claims.contains('.') {
            return Err(three);
        }
        URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Refused::Malformed("its signature is not base64url"))?;
        let header = members(header)?;
        check(&header)?;
        Ok(Self { header, claims: members(claims)?, message, signature })
    }
}

fn check(header: &Members) -> Result<(), Refused> {
    if header.get("crit").is_some() {
        return Err(Refused::Critical);
    }
    if let Some(name) = OWN_KEYS.into_iter().find(|name| header.get(name).is_some()) {
        return Err(Refused::OwnKey(name));
    }
    if let Some(name) = NOT_PLAIN.into_iter().find(|name| header.get(name).is_some()) {
        return Err(Refused::NotPlain(name));
    }
    match header.get("typ") {
        None => Ok(()),
        Some(Value::String(typ)) => {
            let typ = typ.to_ascii_lowercase();
            let typ = typ.strip_prefix("application/").unwrap_or(&typ);
            if matches!(typ, "jwt" | "at+jwt") { Ok(()) } else { Err(Refused::Type) }
        }
        Some(_) => Err(Refused::Type),
    }
}

fn members(part: &str) -> Result<Members, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part);
    let bytes = bytes.map_err(|_| Refused::Malformed("a part of it is not base64url"))?;
    let members: Members = serde_json::from_slice(&bytes)
        .map_err(|_| Refused::Malformed("a part of it is no JSON object"))?;
    if members.said_twice { Err(Refused::SaidTwice) } else { Ok(members) }
}

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            members.said_twice |= members.get(&name).is_some();
            members.members.push((name, value));
        }
        Ok(members)
    }
}
