//! A cart: an order whose lines and prices are still open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DraftCreated, LineNumber, OrderEvent, WantedLine};
use crate::ids::OrderId;
use crate::refusal::Refusal;

/// A cart: an order whose lines and prices are still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub(super) head: DraftCreated,
    pub(super) lines: BTreeMap<LineNumber, WantedLine>,
    last_line: LineNumber,
    pub(super) cancelled: bool,
    pub(super) erased: bool,
}

impl Draft {
    pub(super) fn new(head: DraftCreated) -> Self {
        Self { head, lines: BTreeMap::new(), last_line: 0, cancelled: false, erased: false }
    }

    /// The number of the next line: never one that was given before.
    pub(super) fn next_line(&self) -> LineNumber {
        self.last_line.saturating_add(1)
    }

    pub(super) fn line(
        &self,
        order_id: &OrderId,
        line: LineNumber,
    ) -> Result<&WantedLine, Refusal> {
        self.lines
            .get(&line)
            .ok_or_else(|| Refusal::LineNotFound { order_id: order_id.clone(), line })
    }

    pub(super) fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::LineAdded(event) => {
                self.last_line = self.last_line.max(event.line);
                let wanted = WantedLine {
                    sku: event.sku.clone(),
                    quantity: event.quantity,
                    unit_price: event.unit_price,
                };
                self.lines.insert(event.line, wanted);
            }
            OrderEvent::QuantityChanged(event) => {
                if let Some(line) = self.lines.get_mut(&event.line) {
                    line.quantity = event.quantity;
                }
            }
            OrderEvent::LineRemoved(event) => {
                self.lines.remove(&event.line);
            }
            OrderEvent::OrderCancelled(_) => self.cancelled = true,
            OrderEvent::OrderErased(_) => self.erased = true,
            OrderEvent::DraftCreated(_)
            | OrderEvent::OrderPlaced(_)
            | OrderEvent::OrderConfirmed(_)
            | OrderEvent::PaymentReplaced(_)
            | OrderEvent::RejectionStarted(_)
            | OrderEvent::OrderRejected(_)
            | OrderEvent::OrderHeld(_)
            | OrderEvent::HoldReleased(_)
            | OrderEvent::CancellationRequested(_)
            | OrderEvent::CancellationDeclined(_)
            | OrderEvent::LinesCancelled(_)
            | OrderEvent::LinesShipped(_)
            | OrderEvent::LinesDelivered(_)
            | OrderEvent::ReturnRequested(_)
            | OrderEvent::ReturnReceived(_)
            | OrderEvent::OrderCompleted(_) => {}
        }
    }
}
