//! The services behind the gateway as processes of their own, and the way of a request to one of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;
use service_kit::access::RELIES;
use service_kit::health::Health;
use service_kit::http::RequestId;
use service_kit::valve::Valve;
use tokio::task::JoinSet;

use crate::bodies::Bodies;
use crate::routes::{Service, handed_to};
use crate::upstream::{Base, Client, Handed, Policy, Upstream};
use crate::watching::{self, Without};
use crate::whose::Who;

/// Where the processes of each service are.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Of the command-service.
    pub commands: Vec<Base>,
    /// Of the projection-service.
    pub models: Vec<Base>,
    /// Of the saga-orchestrator.
    pub sagas: Vec<Base>,
    /// Of the notification-service.
    pub notifications: Vec<Base>,
    /// Of the payment simulator.
    pub simulator: Vec<Base>,
}

/// The services.
#[derive(Debug)]
pub struct Services {
    /// Who comes is asked here, and what they may is decided there.
    relies: bool,
    bodies: Bodies,
    commands: Arc<Upstream>,
    models: Arc<Upstream>,
    sagas: Arc<Upstream>,
    notifications: Arc<Upstream>,
    simulator: Arc<Upstream>,
}

impl Services {
    /// The services at these addresses, of which nothing is known yet. `relies` says whether whoever comes is asked who they are
    /// here: then a service that would ask nobody is told not to answer.
    pub fn at(addresses: Addresses, client: &Client, policy: Policy, relies: bool) -> Self {
        let upstream = |service: Service, bases| {
            Arc::new(Upstream::new(service.name(), bases, client.clone(), policy))
        };
        Self {
            relies,
            bodies: Bodies::default(),
            commands: upstream(Service::Commands, addresses.commands),
            models: upstream(Service::Models, addresses.models),
            sagas: upstream(Service::Sagas, addresses.sagas),
            notifications: upstream(Service::Notifications, addresses.notifications),
            simulator: upstream(Service::Simulator, addresses.simulator),
        }
    }

    /// Watches every process until the set is dropped, and tells the health of it. Without reads or sagas the gateway is less
    /// good: a balancer that took it away for them would take commands away too, and for commands, all that can be read. But it begins with
    /// commands. The simulator's ledger is only to look at.
    pub fn watch(&self, watched: &mut JoinSet<()>, health: &Health) {
        for service in Service::ALL {
            let without = match service {
                Service::Commands => {
                    let others = [&self.models, &self.sagas, &self.notifications];
                    Without::NotReady { nor: others.map(Arc::clone).into() }
                }
                Service::Models | Service::Sagas | Service::Notifications | Service::Simulator => {
                    Without::LessGood
                }
            };
            watching::watch(watched, self.get(service), health, without);
        }
    }

    /// How far behind the log the read models and sagas are: whichever is further.
    pub fn behind(&self) -> Duration {
        self.models.instances.behind().max(self.sagas.instances.behind())
    }

    /// The processes of a service are here now.
    pub(crate) fn are_at(&self, service: Service, places: &[Base]) {
        self.get(service).instances.are_at(places);
    }

    /// What a payment provider tells by itself. It has no token: its notices are signed, and the command-service looks at that.
    pub fn notices(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/payments/webhooks/{provider}", post(hand_on_notice))
            .with_state(Arc::clone(self))
    }

    /// Where the log ends, as the read models know it; nothing when they don't tell in time.
    pub async fn head(&self, within: Duration) -> Option<u64> {
        let models = self.get_json(Service::Models, "/v1/projections", within).await?;
        models["items"][0]["head"].as_u64()
    }

    /// Reads from a service that answers with JSON within this time, if it does.
    pub(crate) async fn get_json(
        &self,
        service: Service,
        path: &'static str,
        within: Duration,
    ) -> Option<Value> {
        self.get(service).get_json(path, within).await
    }

    /// Reads what a client has to say, hands it on under this id, and gives the answer back.
    pub(crate) async fn hand_on(
        &self,
        service: Service,
        head: Parts,
        (body, who): (&mut Body, Who<'_>),
        id: Option<HeaderValue>,
    ) -> Response {
        // Without a place: whoever sends slowly would hold it.
        match self.bodies.read(&head.method, body, who).await {
            Ok((body, _held)) => {
                self.hand_to(self.get(service), Handed::new(head, body, id), who).await
            }
            Err(problem) => problem.into_response(),
        }
    }

    /// Asks whoever answers this.
    pub(crate) async fn ask(&self, handed: Handed, who: Who<'_>) -> Response {
        let upstream = self.get(Service::of(&handed.method, handed.path.path()));
        self.hand_to(upstream, handed, who).await
    }

    async fn hand_to(&self, upstream: &Upstream, mut handed: Handed, who: Who<'_>) -> Response {
        handed.headers.remove(RELIES);
        if self.relies {
            handed.headers.insert(RELIES, HeaderValue::from_static("tokens"));
        }
        upstream.hand_on(handed, who).await
    }

    /// Shut for each as long as it has all that it may have.
    pub fn valve(self: &Arc<Self>) -> Valve {
        let services = Arc::clone(self);
        Valve::new(move |method, path| services.get(handed_to(method, path)?).refusal(method, path))
    }

    fn get(&self, service: Service) -> &Arc<Upstream> {
        match service {
            Service::Commands => &self.commands,
            Service::Models => &self.models,
            Service::Sagas => &self.sagas,
            Service::Notifications => &self.notifications,
            Service::Simulator => &self.simulator,
        }
    }
}

async fn hand_on_notice(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (mut head, mut body) = request.into_parts();
    let left = std::mem::take(&mut head.extensions);
    let id = left.get().and_then(|RequestId(id)| HeaderValue::from_str(id).ok());
    services.hand_on(Service::Commands, head, (&mut body, Who::left_on(&left)), id).await
}
