//! Errors as RFC 9457 `application/problem+json`, with a stable `code` that a program can rely on.

mod body;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use self::body::Said;
use crate::http::say_id;

pub use self::body::{Mistake, MistakeBody, ProblemBody};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// The public codes of errors that are not the domain's. Each has a page in `docs/errors/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name),+ }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code, such as `invalid_body`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            /// One line for people.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    InvalidBody = "invalid_body", BAD_REQUEST, "The body is not what this command takes";
    InvalidQuery = "invalid_query", BAD_REQUEST, "The query has a parameter that can't be read";
    InvalidPath = "invalid_path", BAD_REQUEST, "The path has an id that can't be read";
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header can't be read";
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "The cursor is not one that this list gave";
    InvalidLimit = "invalid_limit", BAD_REQUEST, "The limit is a number from 1 to 1,000";
    TimeInFuture = "time_in_future", UNPROCESSABLE_ENTITY, "A business time is at most a day ahead of the clock";
    TimeBeforeCause = "time_before_cause", UNPROCESSABLE_ENTITY, "A business time is not before that of what it follows from";
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "A command needs an Idempotency-Key";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    TlsRequired = "tls_required", BAD_REQUEST, "This address speaks TLS and nothing else";
    MisdirectedRequest = "misdirected_request", MISDIRECTED_REQUEST, "The request came by a name that is not this one's";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "This needs a token that is taken here";
    Forbidden = "forbidden", FORBIDDEN, "Whoever the token is of may not do this";
    InvalidSignature = "invalid_signature", UNAUTHORIZED, "The signature is not one of who the notice says it is from";
    NotFound = "not_found", NOT_FOUND, "There is nothing under this path";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This path does not take this method";
    SagaNotFound = "saga_not_found", NOT_FOUND, "There is no such saga";
    ProjectionNotFound = "projection_not_found", NOT_FOUND, "There is no such projection";
    SagaNotInAttention = "saga_not_in_attention", UNPROCESSABLE_ENTITY, "The saga does not need attention";
    SagaNotResolvable = "saga_not_resolvable", UNPROCESSABLE_ENTITY, "What failed can't be settled by hand";
    StreamUnreadable = "stream_unreadable", INTERNAL_SERVER_ERROR, "What the command needs has an event that can't be read here";
    DeadLetterNotFound = "dead_letter_not_found", NOT_FOUND, "There is no such dead letter";
    DeadLetterUnreadable = "dead_letter_unreadable", UNPROCESSABLE_ENTITY, "The dead letter can't be understood by this version either";
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "There is no such webhook";
    DeliveryNotFound = "delivery_not_found", NOT_FOUND, "The webhook has no such delivery";
    WebhookRefused = "webhook_refused", UNPROCESSABLE_ENTITY, "The address of the webhook may not be asked";
    TooManyWebhooks = "too_many_webhooks", CONFLICT, "There are as many webhooks as there may be";
    MailNotFound = "mail_not_found", NOT_FOUND, "There is no such mail";
    NoMailServer = "no_mail_server", CONFLICT, "Customers get no mail here";
    NoticeNotFound = "notice_not_found", NOT_FOUND, "There is no such notice";
    PositionOfAnotherHistory = "position_of_another_history", CONFLICT, "The position belongs to another history of the log";
    VersionMismatch = "version_mismatch", PRECONDITION_FAILED, "The version is not the one of If-Match";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request did not come to its end in time";
    EventTooLarge = "event_too_large", UNPROCESSABLE_ENTITY, "The command would leave an event larger than 512 KiB";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "A body is application/json";
    PositionNotReached = "position_not_reached", SERVICE_UNAVAILABLE, "The read model has not reached this position yet";
    ModelFaulted = "model_faulted", SERVICE_UNAVAILABLE, "The read model stands still at an event that it can't read";
    RebuildRunning = "rebuild_running", CONFLICT, "The read model is being rebuilt already";
    KeyParked = "key_parked", SERVICE_UNAVAILABLE, "What is asked for is parked in the read model";
    KeyNotParked = "key_not_parked", NOT_FOUND, "The key is not parked in this read model";
    NotParkable = "not_parkable", CONFLICT, "The read model does not stand still at this event of one key";
    ParkingFull = "parking_full", CONFLICT, "No more can be parked in this read model";
    KeyStillFaulted = "key_still_faulted", UNPROCESSABLE_ENTITY, "An event of the parked key still can't be applied";
    NoGenerationKept = "no_generation_kept", UNPROCESSABLE_ENTITY, "No such generation of the read model is kept";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "There were too many requests; come again later";
    Busy = "busy", CONFLICT, "Another command has to finish first";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "There is more work than can be taken now";
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "It is not known yet whether the command was carried out";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "A part that this needs can't be reached now";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something is wrong here, not with the request";
}

/// An error as the client gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: String,
    detail: Option<String>,
    errors: Vec<Mistake>,
    extensions: Map<String, Value>,
    retry_after_seconds: Option<u32>,
    /// How to say who one is.
    challenge: Option<String>,
    /// For the log only.
    cause: Option<String>,
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code.status(), code.as_str(), code.title())
    }
}

impl Problem {
    /// A problem with a code of the domain's; for the codes of this crate use `Problem::from(Code::..)`.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title: title.into(),
            detail: None,
            errors: Vec::new(),
            extensions: Map::new(),
            retry_after_seconds: None,
            challenge: None,
            cause: None,
        }))
    }

    /// Says what happened in this case.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Points at what is wrong.
    #[must_use]
    pub fn mistake(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(Mistake { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Points at everything that is wrong.
    #[must_use]
    pub fn mistakes(mut self, mistakes: impl IntoIterator<Item = Mistake>) -> Self {
        self.0.errors.extend(mistakes);
        self
    }

    /// Adds a member, such as the current version.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Tells when to come again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Tells how to say who one is: the value of `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(mut self, challenge: impl Into<String>) -> Self {
        self.0.challenge = Some(challenge.into());
        self
    }

    /// Keeps what went wrong here for the log line of the request; the client is told nothing of it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// What went wrong here, for the log.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The body, as the client reads it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self.said(None)).unwrap_or_default()
    }

    /// The same in bytes, with the id of the request where it is known.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        serde_json::to_vec(&self.said(request_id)).unwrap_or_default()
    }

    /// The whole answer to a request of this id, where no layer is that adds it.
    pub(crate) fn answer(&self, request_id: String) -> Response {
        let body = self.body(Some(&request_id));
        let mut response = self.response(body);
        say_id(&mut response, request_id);
        response
    }

    fn said<'p>(&'p self, request_id: Option<&'p str>) -> Said<'p> {
        let Parts { status, code, title, detail, errors, extensions, .. } = &*self.0;
        Said::of((code, *status, title), (detail.as_deref(), errors), request_id, extensions)
    }

    fn response(&self, body: Vec<u8>) -> Response {
        let mut response = (self.0.status, body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.0.challenge.as_deref().map(HeaderValue::from_str)
            && let Ok(challenge) = challenge
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response(self.body(None));
        // The layer of `http` adds the request id to the body.
        response.extensions_mut().insert(self);
        response
    }
}

/// What went wrong here is logged with the request that it failed, and the client is told nothing of it.
pub fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    Problem::from(Code::Internal).caused_by(in_one_line(error))
}

/// An error with its causes. One that is in the words of what it caused already is not said again.
fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !said.ends_with(&words) {
            said = format!("{said}: {words}");
        }
        source = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Broken {
        #[error("the file is gone")]
        Gone,
        #[error("reading failed: {0}")]
        Read(#[source] Box<Self>),
        #[error("no answer")]
        Answer(#[source] Box<Self>),
    }

    #[test]
    fn every_cause_is_said_once() {
        let read = || Broken::Read(Box::new(Broken::Gone));
        assert_eq!(in_one_line(&read()), "reading failed: the file is gone");
        let answer = Broken::Answer(Box::new(read()));
        assert_eq!(in_one_line(&answer), "no answer: reading failed: the file is gone");
    }
}
