//! What goes wrong between here and the broker, or the log.

use event_store::StoreError;

use super::carrier::{CarrierError, PublishError};

/// Something whose source is whatever the client library says.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why work with the broker stops for a moment; it is begun anew after a wait.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{what}")]
    Broker { what: &'static str, source: Cause },
    #[error("another relay publishes too")]
    Fenced,
    #[error("the log can't be read")]
    Log(#[from] StoreError),
    #[error("the log's epoch can't be read or raised")]
    Epoch(#[source] Cause),
    #[error("an event can't be published")]
    Envelope(#[from] super::envelope::EnvelopeError),
    #[error("the log does not answer")]
    History(#[from] super::history::HistoryError),
    #[error("{0}")]
    Odd(String),
}

impl From<CarrierError> for Trouble {
    fn from(CarrierError { what, source }: CarrierError) -> Self {
        Self::Broker { what, source }
    }
}

impl From<PublishError> for Trouble {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::WrongLastSequence => Self::Fenced,
            PublishError::Carrier(error) => error.into(),
        }
    }
}

/// Names what failed.
pub(super) fn broker<E: std::error::Error + Send + Sync + 'static>(
    what: &'static str,
) -> impl FnOnce(E) -> Trouble {
    move |error| Trouble::Broker { what, source: Box::new(error) }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = source.source();
    }
    text
}
