//! Which public events of a page are notices to customers. Pure.

use std::sync::Arc;

use crate::public::{CloudEvent, NoticeKind};

/// The events that a customer is told of, each with what it is to them, and whose it is.
pub(super) fn notices(
    events: &[Arc<CloudEvent>],
) -> impl Iterator<Item = (NoticeKind, &str, &Arc<CloudEvent>)> {
    let followed = events.iter().zip(events.iter().skip(1).map(Some).chain([None]));
    followed.filter_map(|(event, next)| {
        let (kind, customer) = (event.notice?, event.customer_id.as_deref()?);
        let is_said = next.is_some_and(|next| is_said_by(event, kind, next));
        (!is_said).then_some((kind, customer, event))
    })
}

/// Whoever cancels all that is left hears that the order is cancelled, not also which lines. Both are one append; a page that ends between
/// them tells both.
fn is_said_by(event: &CloudEvent, kind: NoticeKind, next: &CloudEvent) -> bool {
    kind == NoticeKind::LinesCancelled
        && next.notice == Some(NoticeKind::OrderCancelled)
        && next.order_id == event.order_id
        && next.position == event.position + 1
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn event(position: u64, order: &str, notice: Option<NoticeKind>) -> Arc<CloudEvent> {
        Arc::new(CloudEvent {
            id: Uuid::nil(),
            position,
            name: notice.map_or("order.placed", NoticeKind::name),
            notice,
            subject: format!("orders/{order}"),
            order_id: Some(order.to_owned()),
            customer_id: (order != "guest").then(|| "c1".to_owned()),
            recorded_at: DateTime::UNIX_EPOCH,
            body: String::new(),
        })
    }

    fn positions(events: &[Arc<CloudEvent>]) -> Vec<u64> {
        notices(events).map(|(_, _, event)| event.position).collect()
    }

    #[test]
    fn a_guest_and_what_is_no_notice_are_passed_over() {
        let confirmed = Some(NoticeKind::OrderConfirmed);
        let page = [event(1, "o1", None), event(2, "guest", confirmed), event(3, "o1", confirmed)];
        assert_eq!(positions(&page), [3]);
    }

    #[test]
    fn an_order_that_is_cancelled_whole_is_told_of_once() {
        let (lines, all) = (Some(NoticeKind::LinesCancelled), Some(NoticeKind::OrderCancelled));
        assert_eq!(positions(&[event(1, "o1", lines), event(2, "o1", all)]), [2]);
        assert_eq!(positions(&[event(1, "o1", lines), event(2, "o2", all)]), [1, 2]);
        assert_eq!(positions(&[event(1, "o1", lines), event(9, "o1", all)]), [1, 9]);
        assert_eq!(positions(&[event(1, "o1", lines)]), [1]);
    }
}
