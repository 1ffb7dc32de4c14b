//! How many streams there may be at a time: of all, of each, and of those who are not staff.
//!
//! **Invariant:** whoever opens as many as they may leaves room for others, and there is always some for staff.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::{Known, Role};
use service_kit::problem::{Code, Problem};

/// Streams at a time, at most.
const MOST: usize = 4_096;
/// Of those who are neither support nor operators, together.
const MOST_BUT_STAFF: usize = 3_584;
/// Of each.
const EACH: usize = 32;
/// Of each service: it may listen for many others.
const EACH_SERVICE: usize = 1_024;

/// The places. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    but_staff: usize,
    of: HashMap<String, usize>,
}

/// The place of one stream, which is given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    /// Who has it, where somebody was asked.
    whose: Option<String>,
    is_staff: bool,
}

impl Places {
    /// One more, for as long as it is kept.
    pub(super) fn take(&self, known: Option<&Known>) -> Result<Place, Problem> {
        let is = |role| known.is_some_and(|known| known.roles().any(|its| its == role));
        // Where nobody is asked who they are, everybody may everything.
        let is_staff = known.is_none() || is(Role::Support) || is(Role::Operator);
        let each = if is(Role::Service) { EACH_SERVICE } else { EACH };
        let whose = known.map(Known::name);
        let mut taken = self.taken();
        if let Some(whose) = &whose {
            let theirs = taken.of.get(whose).copied().unwrap_or_default();
            if theirs >= each {
                return Err(too_many_of_theirs(each));
            }
        }
        if taken.all >= MOST {
            return Err(full(&format!("{MOST} streams are open, as many as there may be")));
        }
        if !is_staff && taken.but_staff >= MOST_BUT_STAFF {
            let all = format!(
                "{MOST_BUT_STAFF} streams are open, as many as there may be beside those of staff"
            );
            return Err(full(&all));
        }
        taken.all += 1;
        taken.but_staff += usize::from(!is_staff);
        if let Some(whose) = &whose {
            *taken.of.entry(whose.clone()).or_default() += 1;
        }
        drop(taken);
        metrics::gauge!("docket_streams_open").increment(1.0);
        Ok(Place { places: self.clone(), whose, is_staff })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        taken.but_staff -= usize::from(!self.is_staff);
        if let Some(whose) = &self.whose
            && let Some(theirs) = taken.of.get_mut(whose)
        {
            *theirs -= 1;
            if *theirs == 0 {
                taken.of.remove(whose);
            }
        }
        drop(taken);
        metrics::gauge!("docket_streams_open").decrement(1.0);
    }
}

fn full(detail: &str) -> Problem {
    Problem::from(Code::Overloaded).detail(detail).retry_after(5)
}

fn too_many_of_theirs(each: usize) -> Problem {
    let detail = format!("you have {each} streams open, as many as one may have: end one of them");
    Problem::from(Code::RateLimited).detail(detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use access::{AuthSettings, Principal, Signer, Verifier, Wanted};
    use chrono::TimeDelta;
    use service_kit::clock;

    use super::*;

    /// Of these roles, each with a name of its own.
    async fn principals(roles: &[Role]) -> Vec<Principal> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
        let file = folder.path().join("auth.toml");
        let settings = "audience = \"docket\"\n[[issuers]]\nname = \"shop\"\nissuer = \"https://shop.test\"\n\
            algorithms = [\"HS256\"]\nsecret_files = [\"secret\"]\nroles = [\"customer\", \"support\", \"operator\", \"service\"]\n";
        std::fs::write(&file, settings).unwrap();
        let signer = Signer::of(AuthSettings::read(&file).unwrap(), None).unwrap();
        let verifier = Verifier::start(AuthSettings::read(&file).unwrap(), clock::system());
        let (verifier, now) = (verifier.await.unwrap(), clock::system()());
        let mut principals = Vec::new();
        for (n, role) in roles.iter().enumerate() {
            let (subject, roles) = (format!("n{n}"), vec![*role]);
            let wanted = Wanted { subject, roles, scopes: None, lasts: TimeDelta::hours(1) };
            let token = signer.sign(&wanted, now).unwrap();
            principals.push(verifier.verify(&token).await.unwrap());
        }
        principals
    }

    #[tokio::test]
    async fn who_has_as_many_as_they_may_is_told_so_and_others_are_not_hurt() {
        let places = Places::default();
        let (customer, support) = (Role::Customer, Role::Support);
        let who = principals(&[customer, customer, support, Role::Service]).await;
        for (one, each) in who.iter().zip([EACH, EACH, EACH, EACH_SERVICE]) {
            let mut theirs: Vec<Place> =
                (0..each).map(|_| places.take(one.known()).unwrap()).collect();
            let refused = places.take(one.known()).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.code()), (429, "rate_limited"));
            assert!(refused.to_json()["detail"].as_str().unwrap().contains(&each.to_string()));
            theirs.pop();
            theirs.push(places.take(one.known()).unwrap());
        }
        let taken = places.taken();
        assert!(taken.all == 0 && taken.but_staff == 0 && taken.of.is_empty(), "{taken:?}");
    }

    #[tokio::test]
    async fn there_is_room_for_staff_when_all_others_have_theirs() {
        let places = Places::default();
        let count = MOST_BUT_STAFF / EACH;
        let mut roles = vec![Role::Customer; count + 1];
        roles.extend([Role::Support, Role::Operator]);
        let who = principals(&roles).await;
        let take = |who: &Principal| places.take(who.known());
        let theirs = who[..count].iter().flat_map(|one| (0..EACH).map(move |_| take(one)));
        let _theirs: Vec<Place> = theirs.map(Result::unwrap).collect();
        let refused = take(&who[count]).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (503, "overloaded"));
        assert!(refused.to_json().to_string().contains("beside those of staff"));
        for staff in &who[count + 1..] {
            assert!(take(staff).is_ok());
        }
        let rest: Vec<_> = (0..MOST - MOST_BUT_STAFF).map(|_| places.take(None).unwrap()).collect();
        let refused = places.take(None).unwrap_err();
        assert!(refused.to_json().to_string().contains("4096 streams"), "{rest:?}");
    }
}
