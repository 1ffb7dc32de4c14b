//! Nothing happened before what it follows from.
//!
//! Only a time that a client gives is held against it: what happens now happens now, whatever was said of earlier events.

use domain::event::Event;
use domain::ids::{OrderId, ReturnId, ShipmentId};
use domain::orders::OrderEvent;
use domain::shipping::ShipmentEvent;
use domain::stream::Stream;
use service_kit::business_time::BusinessTime;
use service_kit::problem::Problem;

use super::app::App;
use super::decided::read;
use crate::codec;

/// What a command follows from.
#[derive(Debug)]
pub(super) enum Cause<'c> {
    /// The order was begun.
    Order(&'c OrderId),
    /// Something of the order arrived.
    Delivery(&'c OrderId),
    /// The return was requested.
    Return(&'c OrderId, &'c ReturnId),
    /// The parcel was packed.
    Parcel(&'c ShipmentId),
    /// The parcel left the house.
    Departure(&'c ShipmentId),
}

impl Cause<'_> {
    fn stream(&self) -> Stream {
        match self {
            Self::Order(id) | Self::Delivery(id) | Self::Return(id, _) => {
                Stream::Order((*id).clone())
            }
            Self::Parcel(id) | Self::Departure(id) => Stream::Shipment((*id).clone()),
        }
    }

    fn is(&self, event: &Event) -> bool {
        match (self, event) {
            (Self::Order(_), Event::Order(_))
            | (Self::Parcel(_), Event::Shipment(_))
            | (Self::Delivery(_), Event::Order(OrderEvent::LinesDelivered(_)))
            | (Self::Departure(_), Event::Shipment(ShipmentEvent::ShipmentShipped(_))) => true,
            (Self::Return(_, id), Event::Order(OrderEvent::ReturnRequested(event))) => {
                event.return_id == **id
            }
            _ => false,
        }
    }

    /// What happened then.
    fn words(&self) -> &'static str {
        match self {
            Self::Order(_) => "the order was begun",
            Self::Delivery(_) => "something of the order was delivered",
            Self::Return(..) => "the return was requested",
            Self::Parcel(_) => "the parcel was packed",
            Self::Departure(_) => "the parcel left",
        }
    }
}

impl App {
    /// Refuses a time before its cause. Without a cause it is for the domain to say what is missing.
    pub(super) async fn check_cause(
        &self,
        given: Option<BusinessTime>,
        cause: Cause<'_>,
    ) -> Result<(), Problem> {
        let Some(given) = given else { return Ok(()) };
        let events = read(&*self.log, &cause.stream()).await;
        let events = events.map_err(|error| self.unreadable_log(&error))?;
        let caused = events
            .iter()
            .find(|recorded| codec::decode(recorded).is_ok_and(|event| cause.is(&event)));
        match caused {
            Some(caused) => given.check_after(caused.metadata.occurred_at, cause.words()),
            None => Ok(()),
        }
    }
}
