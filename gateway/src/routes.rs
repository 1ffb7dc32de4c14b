//! Which service answers a request.

use axum::http::Method;

/// Under which a payment provider tells by itself what happened.
const NOTICES: &str = "/v1/payments/webhooks/";

/// A service behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Takes commands, and knows the log.
    Commands,
    /// Knows the read models.
    Models,
    /// Carries orders through.
    Sagas,
    /// Tells the outside world what happens.
    Notifications,
    /// The simulated payment provider, of which only the ledger is looked at.
    Simulator,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Commands, Self::Models, Self::Sagas, Self::Notifications, Self::Simulator];

    /// The name of its process.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commands => "command-service",
            Self::Models => "projection-service",
            Self::Sagas => "saga-orchestrator",
            Self::Notifications => "notification-service",
            Self::Simulator => "payment-simulator",
        }
    }

    /// Who answers a request.
    pub fn of(method: &Method, path: &str) -> Self {
        let words = path.strip_prefix("/v1/").unwrap_or(path);
        let mut words = words.split('/');
        match (words.next().unwrap_or_default(), words.next(), words.next()) {
            ("sagas", ..) => Self::Sagas,
            ("webhooks" | "mails" | "notices", ..)
            | ("events", Some("stream"), None)
            | ("orders", Some(_), Some("stream")) => Self::Notifications,
            ("simulator", ..) => Self::Simulator,
            ("payments", Some("webhooks"), _) => Self::Commands,
            // Also with another method: who knows a path says which ones it takes.
            ("projections" | "payments" | "reports", ..)
            | ("orders" | "stock" | "customers" | "shipments", Some(_), None) => Self::Models,
            ("events", None, _) | ("dead-letters", ..) | (_, Some(_), Some(_)) => Self::Commands,
            _ if method == Method::POST => Self::Commands,
            _ => Self::Models,
        }
    }
}

/// Whether a request asks for something to be done that is decided by the log, as clients ask. What operators do about dead letters and
/// what a payment provider tells is none.
pub fn is_command(method: &Method, path: &str) -> bool {
    let others = ["/v1/dead-letters/", "/v1/payments/"];
    *method == Method::POST
        && Service::of(method, path) == Service::Commands
        && !others.iter().any(|other| path.starts_with(other))
}

/// Who a request is handed on to; nobody for what is answered here.
pub(crate) fn handed_to(method: &Method, path: &str) -> Option<Service> {
    let words = path.strip_prefix("/v1/")?;
    (!matches!(words, "dashboard" | "overview")).then(|| Service::of(method, path))
}

/// The same, of what only those may who show who they are.
pub(crate) fn guarded(method: &Method, path: &str) -> Option<Service> {
    handed_to(method, path).filter(|_| !is_notice(method, path))
}

/// Whether a payment provider may have sent it: then it is signed, and has no token.
pub(crate) fn is_notice(method: &Method, path: &str) -> bool {
    let is_a_providers = |provider: &str| !provider.is_empty() && !provider.contains('/');
    *method == Method::POST && path.strip_prefix(NOTICES).is_some_and(is_a_providers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_the_service_that_answers_it() {
        use Service::{Commands, Models, Notifications, Sagas, Simulator};
        for (method, path, service) in [
            (Method::POST, "/v1/orders", Commands),
            (Method::GET, "/v1/orders", Models),
            (Method::GET, "/v1/orders/events", Models),
            (Method::GET, "/v1/orders/o-1/events", Commands),
            (Method::GET, "/v1/events", Commands),
            (Method::GET, "/v1/dead-letters", Commands),
            (Method::GET, "/v1/dead-letters/4f", Commands),
            (Method::GET, "/v1/reports/sales", Models),
            (Method::POST, "/v1/projections/orders/rebuild", Models),
            (Method::POST, "/v1/sagas/order-1/retry", Sagas),
            (Method::GET, "/v1/sagas", Sagas),
            (Method::DELETE, "/v1/webhooks/wh_1", Notifications),
            (Method::GET, "/v1/webhooks/wh_1/deliveries/7", Notifications),
            (Method::GET, "/v1/mails/7", Notifications),
            (Method::POST, "/v1/mails/resend", Notifications),
            (Method::GET, "/v1/notices", Notifications),
            (Method::POST, "/v1/notices/019b/read", Notifications),
            (Method::GET, "/v1/orders/o-1/stream", Notifications),
            (Method::GET, "/v1/events/stream", Notifications),
            (Method::GET, "/v1/simulator/ledger", Simulator),
            (Method::GET, "/v1/payments/o-1-p1", Models),
            (Method::POST, "/v1/payments/webhooks/stripe", Commands),
            (Method::GET, "/v1/products/22423/price", Commands),
            (Method::POST, "/v1/reports/sales", Models),
            (Method::POST, "/v1/orders/o-1", Models),
            (Method::POST, "/v1/orders/o-1/cancel", Commands),
            (Method::POST, "/v1/customers", Commands),
            (Method::GET, "/v1/customers", Models),
        ] {
            assert_eq!(Service::of(&method, path), service, "{method} {path}");
        }
    }

    #[test]
    fn what_is_answered_here_is_handed_on_to_nobody() {
        let to = |path| handed_to(&Method::GET, path);
        for path in ["/v1/dashboard", "/v1/overview", "/health/ready", "/metrics", "/", "/docs"] {
            assert_eq!(to(path), None, "{path}");
        }
        assert_eq!(to("/v1/sagas"), Some(Service::Sagas));
    }

    #[test]
    fn what_a_payment_provider_sends_has_no_token_and_all_else_needs_one() {
        assert_eq!(guarded(&Method::POST, "/v1/payments/webhooks/stripe"), None);
        for (method, path, service) in [
            (Method::GET, "/v1/payments/webhooks/stripe", Service::Commands),
            (Method::DELETE, "/v1/payments/webhooks/stripe", Service::Commands),
            (Method::POST, "/v1/payments/webhooks/x/y", Service::Commands),
            (Method::POST, "/v1/payments/webhooks/", Service::Commands),
            (Method::GET, "/v1/sagas", Service::Sagas),
            (Method::GET, "/v1/", Service::Models),
        ] {
            assert_eq!(guarded(&method, path), Some(service), "{method} {path}");
        }
    }
}
