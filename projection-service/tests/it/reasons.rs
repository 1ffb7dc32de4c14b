//! What an operator does to a read model is done for a reason, and the log says it first.

use std::sync::Arc;

use crate::notes::Notes;
use crate::place::{Place, on_both};
use crate::shop::{Shop, WHY, caught_up, post};

on_both! {
    without_a_reason_nothing_is_done_to_a_read_model_and_the_event_says_why,
}

/// What is done to a generation, in an order in which each does something; the word of the event.
const ACTIONS: [(&str, &str); 4] =
    [("rebuild", "rebuild"), ("rollback", "roll_back"), ("switch", "switch"), ("drop", "drop")];

async fn without_a_reason_nothing_is_done_to_a_read_model_and_the_event_says_why(place: Place) {
    let shop = Shop::new(place.home("models"));
    let notes = Arc::new(Notes::default());
    let service = shop.start_recording(notes.clone()).await;
    caught_up(&service, 0).await;
    for (n, (verb, action)) in ACTIONS.into_iter().enumerate() {
        let uri = format!("/projections/orders/{verb}");
        for body in ["", "null", "{}", r#"{"reason":null}"#, r#"{"reason":" "}"#] {
            let refused = post(&service, &uri, Some(verb), body).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["code"]),
                (400, &"invalid_body".into()),
                "{verb} {body}"
            );
            assert_eq!(refused.body["errors"][0]["pointer"], "/reason", "{verb} {body}");
        }
        assert_eq!(notes.all().len(), n, "{verb}: what is refused is not recorded");
        let done = post(&service, &uri, Some(verb), WHY).await;
        assert!(done.status.is_success(), "{verb}: {}", done.body);
        let recorded = &notes.all()[n]["body"];
        assert_eq!(
            (&recorded["action"], &recorded["reason"]),
            (&action.into(), &"looking into it".into())
        );
        let mut status = service.handles()[0].status();
        status.wait_for(|status| status.rebuild.is_none()).await.unwrap();
    }
    service.shutdown().await;
}
