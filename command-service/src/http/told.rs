//! A command as it came: what stands around its body, and the body.
//!
//! **Invariant:** whatever keeps a command from the processor, its key is looked up first. A request that was carried out gets
//! its stored answer also when it breaks a rule that is younger than it, or when its person was erased since. Only who comes when
//! there is no room is told to come again, known or not.

use std::future::Future;

use access::Known;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use domain::command::Command;
use domain::given;
use domain::text::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::access::Caller;
use service_kit::business_time::BusinessTime;
use service_kit::extract::JsonBytes;
use service_kit::operator;
use service_kit::problem::Problem;

use super::accepted;
use super::app::App;
use super::asked::{Asked, Fingerprint};
use super::cause::Cause;
use crate::processor::{AnswerWith, Outcome};

/// A body of a command.
pub(super) trait CommandBody: Serialize + DeserializeOwned + Send + Sync {
    /// What no body at all, or `null`, stands for, if a body may be left out.
    fn of_nothing() -> Option<Self> {
        None
    }

    /// The business time that the client gives.
    fn occurred_at(&self) -> Option<BusinessTime>;

    /// Why, as far as the body says it.
    fn reason(&self) -> Option<Reason> {
        None
    }

    /// Where it gives the price of a line, instead of the catalog.
    fn price_at(&self) -> Option<String> {
        None
    }
}

macro_rules! command_bodies {
    ($($name:ident),+) => { $(
        impl $crate::http::told::CommandBody for $name {
            fn occurred_at(&self) -> Option<service_kit::business_time::BusinessTime> {
                self.occurred_at
            }
        }
    )+ };
    ($($name:ident or nothing),+) => { $(
        impl $crate::http::told::CommandBody for $name {
            fn of_nothing() -> Option<Self> {
                Some(Self::default())
            }

            fn occurred_at(&self) -> Option<service_kit::business_time::BusinessTime> {
                self.occurred_at
            }
        }
    )+ };
    ($($name:ident that may say why),+) => { $(
        impl $crate::http::told::CommandBody for $name {
            fn occurred_at(&self) -> Option<service_kit::business_time::BusinessTime> {
                self.occurred_at
            }

            fn reason(&self) -> Option<domain::text::Reason> {
                self.reason.as_ref().map(domain::given::Given::value)
            }
        }
    )+ };
    ($($name:ident with a reason),+) => { $(
        impl $crate::http::told::CommandBody for $name {
            fn of_nothing() -> Option<Self> {
                Some(Self::default())
            }

            fn occurred_at(&self) -> Option<service_kit::business_time::BusinessTime> {
                self.occurred_at
            }

            fn reason(&self) -> Option<domain::text::Reason> {
                self.reason.as_ref().map(domain::given::Given::value)
            }
        }
    )+ };
}
pub(super) use command_bodies;

/// A command as it came.
#[derive(Debug)]
pub(super) struct Told<B> {
    asked: Asked,
    fingerprint: Fingerprint,
    pub(super) body: B,
}

impl<B: CommandBody> FromRequest<App> for Told<B> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let asked = Asked::from_request_parts(&mut parts, app).await;
        let asked = asked.map_err(Problem::into_response)?;
        let bytes = JsonBytes::from_request(Request::from_parts(parts, body), app).await;
        let bytes = bytes.map_err(Problem::into_response)?;
        let told = Self::read(app, asked, &bytes).await;
        told.map_err(|refused| match refused {
            Refused::Again(outcome) => accepted::response(app, &outcome),
            Refused::Now(problem) => problem.into_response(),
        })
    }
}

/// Why there is nothing to carry out.
enum Refused {
    /// It was carried out before.
    Again(Outcome),
    /// It is not understood.
    Now(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Now(problem)
    }
}

impl<B: CommandBody> Told<B> {
    async fn read(app: &App, asked: Asked, bytes: &JsonBytes) -> Result<Self, Refused> {
        let nothing = if bytes.is_nothing() { B::of_nothing() } else { None };
        match nothing.map_or_else(|| bytes.read(), Ok) {
            Ok(body) => {
                asked.check(&body)?;
                let fingerprint = asked.fingerprint(app, &body)?;
                Ok(Self { asked, fingerprint, body })
            }
            Err(problem) => {
                // Without the rules of today, and only to know it again: it goes no further.
                let read = || serde_json::from_slice::<B>(bytes.as_bytes());
                let Ok(before) = given::as_before(read) else { return Err(problem.into()) };
                let fingerprint = asked.fingerprint(app, &before)?;
                let answered = app.answered_before(&fingerprint).await?;
                Err(answered.map_or(Refused::Now(problem), Refused::Again))
            }
        }
    }

    /// The same of a target whose id is drawn for this request.
    pub(super) fn of_something_new(self) -> Self {
        Self { asked: self.asked.of_something_new(), ..self }
    }

    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.asked.caller
    }

    /// What the command is known by.
    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Why it is to be done, which has to be said of what is done to what is another's. Asked for where the command is made, so
    /// that what was carried out before this was asked for keeps its answer.
    pub(super) fn why(&self) -> Result<Reason, Problem> {
        operator::why(self.body.reason())
    }

    /// Why it is to be done to what is there already: staff have to say it, and whoever else has something to say may. Asked for where
    /// the command is made, as [`why`](Self::why) is.
    pub(super) fn why_of_staff(&self) -> Result<Option<Reason>, Problem> {
        let said = self.body.reason();
        if self.caller().known().is_some_and(Known::is_staff) {
            return operator::why(said).map(Some);
        }
        Ok(said)
    }

    /// Carries the command out once it is made, which is where its personal data is sealed; gives back what the processor said.
    pub(super) async fn carry_out<C: Into<Command>>(
        &self,
        app: &App,
        made: impl Future<Output = Result<C, Problem>>,
        answer: AnswerWith,
    ) -> Result<Outcome, Problem> {
        let occurred_at = self.body.occurred_at();
        let ready = async {
            occurred_at.map_or(Ok(()), |time| time.check((app.clock)()))?;
            made.await
        };
        match ready.await {
            Ok(command) => {
                self.asked.execute(app, &self.fingerprint, occurred_at, command, answer).await
            }
            Err(problem) => app.answered_before(&self.fingerprint).await?.ok_or(problem),
        }
    }

    /// Carries out a command that has nothing to seal, and answers.
    pub(super) async fn run(
        &self,
        app: &App,
        command: impl Into<Command>,
        answer: AnswerWith,
    ) -> Result<Response, Problem> {
        self.run_made(app, async { Ok(command) }, answer).await
    }

    /// The same of what follows from something that is recorded.
    pub(super) async fn run_after(
        &self,
        app: &App,
        cause: Cause<'_>,
        command: Result<impl Into<Command>, Problem>,
        answer: AnswerWith,
    ) -> Result<Response, Problem> {
        let made = async {
            let command = command?;
            app.check_cause(self.body.occurred_at(), cause).await?;
            Ok(command)
        };
        self.run_made(app, made, answer).await
    }

    /// The business time that the client gives.
    pub(super) fn occurred_at(&self) -> Option<BusinessTime> {
        self.body.occurred_at()
    }

    /// Carries the command out once it is made, and answers.
    pub(super) async fn run_made<C: Into<Command>>(
        &self,
        app: &App,
        made: impl Future<Output = Result<C, Problem>>,
        answer: AnswerWith,
    ) -> Result<Response, Problem> {
        let outcome = self.carry_out(app, made, answer).await?;
        Ok(accepted::response(app, &outcome))
    }
}
