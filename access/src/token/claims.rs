//! What a token says, once its signature is verified, and who comes of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::parts::Members;
use super::refused::Refused;
use crate::principal::{Known, Principal};
use crate::role::Role;
use crate::settings::IssuerSettings;

/// The latest time that a token may name, seconds since 1970: the end of the year 9999. Later ones are no time but for ever.
const MOST_SECONDS: f64 = 253_402_300_799.0;
/// The longest subject and customer id, in characters.
const MOST_SUBJECT: usize = 128;

/// The moment at which a token is looked at, seconds since 1970, and by how much clocks may differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) seconds: f64,
    pub(super) leeway: f64,
}

/// Who a token's claims make, of this issuer, for this audience.
pub(super) fn principal(
    claims: &Members,
    issuer: &IssuerSettings,
    audience: &str,
    now: Now,
) -> Result<Principal, Refused> {
    check_audience(claims, audience)?;
    let taken_until = check_times(claims, now)?;
    let subject = name(claims.get("sub"), "sub")?;
    let roles = if issuer.subjects.is_empty() {
        roles(claims, issuer)?
    } else {
        issuer.subjects.get(&subject).cloned().ok_or(Refused::NoRole)?
    };
    let customer =
        if roles.contains(&Role::Customer) { Some(customer(claims, issuer)?) } else { None };
    let scopes = scopes(claims)?;
    let issuer = issuer.name.clone();
    Ok(Principal::Known(Known { issuer, subject, roles, customer, scopes, taken_until }))
}

fn check_audience(claims: &Members, audience: &str) -> Result<(), Refused> {
    let is_it = match claims.get("aud") {
        None => return Err(Refused::Missing("aud")),
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => {
            if several.iter().any(|one| !one.is_string()) {
                return Err(Refused::Claim("aud"));
            }
            several.iter().any(|one| one == audience)
        }
        Some(_) => return Err(Refused::Claim("aud")),
    };
    if is_it { Ok(()) } else { Err(Refused::Audience) }
}

/// Until when it is taken.
fn check_times(claims: &Members, now: Now) -> Result<DateTime<Utc>, Refused> {
    let expires = time(claims, "exp")?.ok_or(Refused::Missing("exp"))?;
    if now.seconds >= expires + now.leeway {
        return Err(Refused::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|begins| begins > now.seconds + now.leeway) {
            return Err(Refused::NotYet(name));
        }
    }
    Ok(moment(expires + now.leeway))
}

/// A moment in seconds since 1970; one that is beyond all calendars is the last there is.
#[expect(clippy::cast_possible_truncation, reason = "what is too large is as large as there is")]
fn moment(seconds: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Seconds since 1970: a number, never a text.
fn time(claims: &Members, name: &'static str) -> Result<Option<f64>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=MOST_SECONDS).contains(seconds));
    seconds.map(Some).ok_or(Refused::Claim(name))
}

/// Those that are known here. One that the issuer may not give spoils the token: it is no slip.
fn roles(claims: &Members, issuer: &IssuerSettings) -> Result<BTreeSet<Role>, Refused> {
    let said = match claims.get(&issuer.roles_claim) {
        None => return Err(Refused::Missing("roles")),
        Some(Value::Array(said)) => said,
        Some(_) => return Err(Refused::Claim("roles")),
    };
    let words: Option<Vec<&str>> = said.iter().map(Value::as_str).collect();
    let words = words.ok_or(Refused::Claim("roles"))?;
    // An issuer may have roles for others, too.
    let roles: BTreeSet<Role> = words.into_iter().filter_map(Role::parse).collect();
    if let Some(&role) = roles.iter().find(|role| !issuer.roles.contains(role)) {
        return Err(Refused::RoleNotItsToGive(role));
    }
    if roles.is_empty() { Err(Refused::NoRole) } else { Ok(roles) }
}

fn customer(claims: &Members, issuer: &IssuerSettings) -> Result<String, Refused> {
    let id = match claims.get(&issuer.customer_claim) {
        None => return Err(Refused::Missing("the customer")),
        Some(Value::String(id)) => id,
        Some(_) => return Err(Refused::Claim("the customer")),
    };
    let is_one = !id.is_empty() && id.chars().count() <= MOST_SUBJECT && id.trim() == id;
    if is_one && !id.chars().any(char::is_control) {
        Ok(id.clone())
    } else {
        Err(Refused::Claim("the customer"))
    }
}

/// A name as it may stand in the log and in a header.
fn name(value: Option<&Value>, claim: &'static str) -> Result<String, Refused> {
    let name = match value {
        None => return Err(Refused::Missing(claim)),
        Some(Value::String(name)) => name,
        Some(_) => return Err(Refused::Claim(claim)),
    };
    if is_name(name) { Ok(name.clone()) } else { Err(Refused::Claim(claim)) }
}

/// Whether a text is a name that a token may have: visible ASCII characters, no blank among them.
pub(crate) fn is_name(text: &str) -> bool {
    let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    visible && (1..=MOST_SUBJECT).contains(&text.len())
}

/// What the token is confined to, also when that is nothing: by `scope`, as RFC 9068 has it, by `scp`, as some issuers do, or by both.
fn scopes(claims: &Members) -> Result<Option<BTreeSet<String>>, Refused> {
    let scope = match claims.get("scope") {
        None => None,
        Some(Value::String(words)) => Some(separated(words)),
        Some(_) => return Err(Refused::Claim("scope")),
    };
    let scp = match claims.get("scp") {
        None => None,
        Some(Value::String(words)) => Some(separated(words)),
        Some(Value::Array(words)) => {
            let words: Option<BTreeSet<_>> =
                words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
            Some(words.ok_or(Refused::Claim("scp"))?)
        }
        Some(_) => return Err(Refused::Claim("scp")),
    };
    Ok(match (scope, scp) {
        (Some(scope), Some(scp)) => Some(scope.intersection(&scp).cloned().collect()),
        (scope, scp) => scope.or(scp),
    })
}

/// Words separated by blanks.
fn separated(words: &str) -> BTreeSet<String> {
    words.split(' ').map(str::to_owned).collect()
}
