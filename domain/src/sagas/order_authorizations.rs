//! How the order saga keeps its money held while the order waits: renewed in time, authorized anew where a provider
//! captures only once, let go when its time is over.

use chrono::{DateTime, Utc};

use super::definition::Answer;
use super::desk::Desk;
use super::expiry::EXPIRY;
use super::order_saga::OrderSaga;
use super::parcel_steps::CAPTURED;
use super::renewal::{HOLD, RENEWAL, Renewal};
use super::track::Track;
use super::{EventContext, SagaId, Timeouts};
use crate::event::Event;
use crate::ids::PaymentId;
use crate::payments::PaymentEvent;

impl OrderSaga {
    /// Whether the rest may be authorized anew: while the order only waits, and no money is on its way.
    pub(super) fn may_renew(&self) -> bool {
        self.facts.confirmed
            && self.facts.cancellations.is_empty()
            && self.facts.over.is_none()
            && self.renewal.is_none()
            && self.facts.uncaptured() > 0
            && self.parcels.values().all(|track| track.at >= CAPTURED)
    }

    /// When the authorization has to be renewed.
    pub(super) fn renewal_due(&self, timeouts: &Timeouts) -> Option<DateTime<Utc>> {
        let expires_at = self.facts.purse.expires_at().filter(|_| self.may_renew())?;
        Some(expires_at - timeouts.renew_before_expiry)
    }

    /// When the provider lets go of what it holds next, however the order stands.
    pub(super) fn next_expiry(&self) -> Option<DateTime<Utc>> {
        let runs = self.expiry.is_none() && self.facts.over.is_none();
        self.facts.purse.first_expiry().filter(|_| runs).map(|(_, until)| until)
    }

    pub(super) fn begin_expiry(&mut self) {
        self.facts.expiring =
            self.facts.purse.first_expiry().map(|(payment_id, _)| payment_id.clone());
        self.expiry = Some(Track::new());
    }

    pub(super) fn hear_expiry(
        &mut self,
        id: &SagaId,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) {
        let (Some(track), Some(payment_id)) = (&mut self.expiry, self.facts.expiring.clone())
        else {
            return;
        };
        let part = Some(payment_id.as_str());
        let desk = Desk {
            saga_id: id,
            part,
            occurred_at: self.facts.occurred_at,
            now: context.recorded_at,
        };
        match track.hear(&EXPIRY, &self.facts, event, context, &desk) {
            Some(Answer::Refused { .. }) => track.fail(true, context.recorded_at, timeouts),
            Some(Answer::Done) => {
                self.facts.purse.let_go(&payment_id);
                self.facts.expiring = None;
                self.expiry = None;
            }
            Some(Answer::Again | Answer::Unknown | Answer::Differs) | None => {}
        }
    }

    /// Begins what was begun when its time had come, as the log tells, and was forgotten by a restore of the sagas alone.
    pub(super) fn learn(&mut self, id: &SagaId, event: &Event, context: &EventContext<'_>) {
        if let Event::Payment(PaymentEvent::PaymentRequested(event)) = event {
            let next = || PaymentId::nth(&self.facts.order_id, self.facts.payments + 1);
            let first = self.facts.payments == 1 && event.payment_id == self.facts.first_payment();
            if self.renewal.is_none() && !first && event.payment_id == next() {
                self.begin_renewal();
            }
        }
        if let (Event::Command(_), None) = (event, &self.expiry) {
            let Some((payment_id, _)) = self.facts.purse.first_expiry() else { return };
            let asked = format!("{id}/{}/{payment_id}/", EXPIRY[0].name);
            if context.command_id.starts_with(&asked) {
                self.begin_expiry();
            }
        }
    }

    pub(super) fn begin_renewal(&mut self) {
        self.facts.payments += 1;
        self.facts.renewal = Some(Renewal {
            old: self.facts.purse.current.clone(),
            nth: self.facts.payments,
            refused: false,
        });
        self.renewal = Some(Track::new());
    }

    pub(super) fn hear_renewal(
        &mut self,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
        id: &SagaId,
    ) {
        let now = context.recorded_at;
        let payment = self.facts.further_payment();
        let part = payment.as_ref().map(PaymentId::as_str);
        let desk = &Desk { saga_id: id, part, occurred_at: self.facts.occurred_at, now };
        if let Some(hold) = &mut self.hold
            && let Some(Answer::Refused { .. }) =
                hold.hear(&HOLD, &self.facts, event, context, desk)
        {
            // Something was shipped already: it can't be held, and the person is called all the same.
            self.hold = None;
        }
        let Some(track) = &mut self.renewal else { return };
        match track.hear(RENEWAL.steps(), &self.facts, event, context, desk) {
            Some(Answer::Refused { .. }) if track.at == 0 => {
                track.fail(false, now, timeouts);
                self.hold = Some(Track::new());
                // A declined payment stays declined: the next attempt is a payment of its own.
                self.facts.payments += 1;
                if let Some(renewal) = &mut self.facts.renewal {
                    renewal.nth = self.facts.payments;
                    renewal.refused = true;
                }
            }
            Some(Answer::Refused { .. }) => track.fail(true, now, timeouts),
            Some(Answer::Done) if track.at == RENEWAL.steps().len() => {
                self.renewal = None;
                self.facts.renewal = None;
                // A hold that never came about is not needed any more.
                self.hold = self.hold.take().filter(|hold| !hold.needs_attention());
            }
            Some(Answer::Done | Answer::Again | Answer::Unknown | Answer::Differs) | None => {}
        }
    }
}
