//! One example of every event.

use chrono::{DateTime, TimeZone, Utc};
use domain::catalog::*;
use domain::customers::*;
use domain::event::Event;
use domain::ids::*;
use domain::inventory::*;
use domain::money::{Currency, Money};
use domain::operations::*;
use domain::orders::*;
use domain::payments::*;
use domain::personal::Personal;
use domain::sagas::*;
use domain::shipping::*;
use domain::text::*;

fn order() -> OrderId {
    OrderId::parse("536365").unwrap()
}

fn customer() -> CustomerId {
    CustomerId::parse("17850").unwrap()
}

fn sku() -> Sku {
    Sku::parse("85123A").unwrap()
}

fn units(quantity: u32) -> Quantity {
    Quantity::new(quantity).unwrap()
}

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap()
}

fn time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2010, 12, 8, 8, 26, 0).unwrap()
}

fn sealed<T>(person: &str) -> Personal<T> {
    Personal::from_sealed(person, "c2VhbGVk")
}

fn lines() -> Vec<LineQuantity> {
    vec![LineQuantity { line: 1, quantity: units(6) }]
}

fn skus() -> Vec<SkuQuantity> {
    vec![SkuQuantity { sku: sku(), quantity: units(6) }]
}

fn address() -> ShippingAddress {
    let country = Country::parse("United Kingdom").unwrap();
    ShippingAddress { country, details: Some(sealed("customer-17850")) }
}

/// One example of every event of every context.
pub(crate) fn events() -> Vec<Event> {
    [
        catalog(),
        customers(),
        stock(),
        reservations(),
        drafts(),
        placed(),
        after_the_pivot(),
        payments(),
        refunds(),
        shipments(),
        commands(),
        operations(),
    ]
    .concat()
}

fn catalog() -> Vec<Event> {
    let name = Label::parse("WHITE HANGING HEART T-LIGHT HOLDER").unwrap();
    vec![
        ProductRegistered { sku: sku(), name, unit_price: gbp(255), stocked: true }.into(),
        PriceChanged { sku: sku(), unit_price: gbp(295), reason: None }.into(),
        ProductRenamed {
            sku: sku(),
            name: Label::parse("WHITE HEART T-LIGHT HOLDER").unwrap(),
            reason: None,
        }
        .into(),
        ProductDiscontinued { sku: sku(), reason: None }.into(),
    ]
}

fn customers() -> Vec<Event> {
    let person = "customer-17850";
    let customer_id = customer();
    vec![
        CustomerRegistered {
            customer_id: customer_id.clone(),
            name: Some(sealed(person)),
            email: Some(sealed(person)),
            phone: None,
        }
        .into(),
        ContactChanged {
            customer_id: customer_id.clone(),
            name: None,
            email: None,
            phone: Some(sealed(person)),
            reason: None,
        }
        .into(),
        CustomerBlocked { customer_id: customer_id.clone(), reason: Some(reason("fraud")) }.into(),
        CustomerErased { customer_id, reason: None }.into(),
    ]
}

fn stock() -> Vec<Event> {
    let (sku, order_id, quantity) = (sku(), order(), units(6));
    vec![
        StockReceived { sku: sku.clone(), quantity, reason: None }.into(),
        StockAdjusted { sku: sku.clone(), delta: -2, reason: reason("damaged") }.into(),
        StockReserved { sku: sku.clone(), order_id: order_id.clone(), quantity }.into(),
        StockReleased { sku: sku.clone(), order_id: order_id.clone(), quantity }.into(),
        StockShipped { sku: sku.clone(), order_id: order_id.clone(), quantity }.into(),
        StockRestocked { sku: sku.clone(), order_id: order_id.clone(), quantity }.into(),
        StockWrittenOff { sku, order_id, quantity }.into(),
    ]
}

fn reservations() -> Vec<Event> {
    let order_id = order();
    let shipment_id = ShipmentId::nth(&order_id, 1);
    let return_id = ReturnId::nth(&order_id, 1);
    let short = vec![Shortage { sku: sku(), requested: units(6), available: 2 }];
    vec![
        ReservationMade { order_id: order_id.clone(), lines: skus() }.into(),
        ReservationRefused { order_id: order_id.clone(), short }.into(),
        ReservationReleased { order_id: order_id.clone(), lines: skus(), cancellation_id: None }
            .into(),
        ReservationShipped { order_id: order_id.clone(), shipment_id, lines: skus() }.into(),
        ReturnStocked { order_id, return_id, lines: skus(), restocked: true }.into(),
    ]
}

fn drafts() -> Vec<Event> {
    let order_id = order();
    vec![
        DraftCreated {
            order_id: order_id.clone(),
            customer_id: Some(customer()),
            currency: Currency::parse("GBP").unwrap(),
            payment_method: PaymentMethod::parse("pm_ok").unwrap(),
            shipping_address: address(),
            reference: Some(Label::parse("536365").unwrap()),
        }
        .into(),
        LineAdded {
            order_id: order_id.clone(),
            line: 1,
            sku: sku(),
            quantity: units(6),
            unit_price: Some(gbp(255)),
        }
        .into(),
        QuantityChanged { order_id: order_id.clone(), line: 1, quantity: units(8) }.into(),
        LineRemoved { order_id, line: 1 }.into(),
    ]
}

fn placed() -> Vec<Event> {
    let order_id = order();
    let line =
        PlacedLine { line: 1, sku: sku(), quantity: units(6), unit_price: 255, stocked: true };
    vec![
        OrderPlaced {
            order_id: order_id.clone(),
            customer_id: Some(customer()),
            currency: Currency::parse("GBP").unwrap(),
            lines: vec![line],
            total: 1_530,
            payment_method: PaymentMethod::parse("pm_ok").unwrap(),
            shipping_address: address(),
            reference: Some(Label::parse("536365").unwrap()),
            reason: None,
        }
        .into(),
        OrderConfirmed {
            order_id: order_id.clone(),
            payment_id: Some(PaymentId::nth(&order_id, 1)),
        }
        .into(),
        PaymentReplaced { order_id: order_id.clone(), payment_id: PaymentId::nth(&order_id, 2) }
            .into(),
        RejectionStarted { order_id: order_id.clone(), reason: reason("out_of_stock") }.into(),
        OrderRejected { order_id: order_id.clone(), reason: reason("out_of_stock") }.into(),
        OrderHeld { order_id: order_id.clone(), reason: Some(reason("address unclear")) }.into(),
        HoldReleased { order_id: order_id.clone(), reason: None }.into(),
        OrderCancelled { order_id: order_id.clone(), reason: Some(reason("changed my mind")) }
            .into(),
        OrderErased { order_id, reason: None }.into(),
    ]
}

fn after_the_pivot() -> Vec<Event> {
    let order_id = order();
    let cancellation_id = CancellationId::nth(&order_id, 1);
    let shipment_id = ShipmentId::nth(&order_id, 1);
    let return_id = ReturnId::nth(&order_id, 1);
    vec![
        CancellationRequested {
            order_id: order_id.clone(),
            cancellation_id: Some(cancellation_id.clone()),
            lines: lines(),
            reason: Some(reason("changed my mind")),
        }
        .into(),
        CancellationDeclined {
            order_id: order_id.clone(),
            cancellation_id: cancellation_id.clone(),
            reason: reason("already_shipped"),
        }
        .into(),
        LinesCancelled {
            order_id: order_id.clone(),
            cancellation_id,
            lines: lines(),
            amount: 1_530,
        }
        .into(),
        LinesShipped {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            lines: lines(),
        }
        .into(),
        LinesDelivered { order_id: order_id.clone(), shipment_id, lines: lines() }.into(),
        ReturnRequested {
            order_id: order_id.clone(),
            return_id: return_id.clone(),
            lines: lines(),
            reason: Some(reason("too small")),
        }
        .into(),
        ReturnReceived {
            order_id: order_id.clone(),
            return_id,
            lines: lines(),
            restock: true,
            amount: 1_530,
            reason: None,
        }
        .into(),
        OrderCompleted { order_id }.into(),
    ]
}

fn payments() -> Vec<Event> {
    let order_id = order();
    let payment_id = PaymentId::nth(&order_id, 1);
    let shipment_id = ShipmentId::nth(&order_id, 1);
    let amount = gbp(1_530);
    let method = PaymentMethod::parse("pm_ok").unwrap();
    let (p, o) = (|| payment_id.clone(), || order_id.clone());
    vec![
        PaymentRequested { payment_id: p(), order_id: o(), amount, method, attempt: 1 }.into(),
        PaymentAuthorized {
            payment_id: p(),
            order_id: o(),
            amount,
            expires_at: time(),
            multi_capture: true,
            reference: None,
        }
        .into(),
        PaymentDeclined { payment_id: p(), order_id: o(), code: reason("declined") }.into(),
        PaymentOutcomeUnknown {
            payment_id: p(),
            order_id: o(),
            operation: Operation::Authorize,
            attempt: 1,
            found: None,
        }
        .into(),
        CaptureRequested {
            payment_id: p(),
            order_id: o(),
            shipment_id: shipment_id.clone(),
            amount,
            attempt: 1,
            reference: None,
        }
        .into(),
        PaymentCaptured {
            payment_id: p(),
            order_id: o(),
            shipment_id: shipment_id.clone(),
            amount,
        }
        .into(),
        CaptureFailed {
            payment_id: p(),
            order_id: o(),
            shipment_id,
            code: reason("capture_refused"),
            retriable: false,
        }
        .into(),
        AuthorizationExpired { payment_id: p(), order_id: o(), amount }.into(),
        PaymentSettledByHand {
            payment_id: p(),
            order_id: o(),
            unmet: Unmet::Capture { shipment_id: ShipmentId::nth(&order_id, 1) },
            amount,
            settlement: Settlement::Elsewhere,
            reason: reason("paid by bank transfer"),
        }
        .into(),
    ]
}

fn refunds() -> Vec<Event> {
    let order_id = order();
    let payment_id = PaymentId::nth(&order_id, 1);
    let return_id = ReturnId::nth(&order_id, 1);
    let amount = gbp(1_530);
    let (p, o) = (|| payment_id.clone(), || order_id.clone());
    vec![
        VoidRequested {
            payment_id: p(),
            order_id: o(),
            amount,
            attempt: 1,
            cancellation_id: None,
            reference: None,
        }
        .into(),
        AuthorizationVoided { payment_id: p(), order_id: o(), amount, cancellation_id: None }
            .into(),
        VoidRefused { payment_id: p(), order_id: o(), code: reason("busy"), retriable: true }
            .into(),
        RefundRequested {
            payment_id: p(),
            order_id: o(),
            return_id: return_id.clone(),
            amount,
            attempt: 1,
            reference: None,
        }
        .into(),
        PaymentRefunded { payment_id: p(), order_id: o(), return_id: return_id.clone(), amount }
            .into(),
        RefundFailed {
            payment_id: p(),
            order_id: o(),
            return_id,
            code: reason("refund_failed"),
            retriable: false,
        }
        .into(),
    ]
}

fn shipments() -> Vec<Event> {
    let order_id = order();
    let shipment_id = ShipmentId::nth(&order_id, 1);
    let cancellation_id = CancellationId::nth(&order_id, 1);
    let parcel = vec![ShipmentLine { line: 1, sku: sku(), quantity: units(6) }];
    let (s, o) = (|| shipment_id.clone(), || order_id.clone());
    vec![
        ShipmentCreated { shipment_id: s(), order_id: o(), lines: parcel.clone() }.into(),
        ShipmentSplit {
            shipment_id: s(),
            order_id: o(),
            remainder_id: ShipmentId::nth(&order_id, 2),
            moved: lines(),
        }
        .into(),
        ShipmentShipped {
            shipment_id: s(),
            order_id: o(),
            carrier: Label::parse("Royal Mail").unwrap(),
            tracking: Label::parse("RM123").unwrap(),
            lines: parcel.clone(),
        }
        .into(),
        ShipmentDelivered { shipment_id: s(), order_id: o(), lines: parcel }.into(),
        ShipmentCancelled {
            shipment_id: s(),
            order_id: o(),
            cancellation_id: cancellation_id.clone(),
            lines: lines(),
            whole: true,
        }
        .into(),
        ShipmentCancellationRefused {
            shipment_id: s(),
            order_id: o(),
            cancellation_id,
            code: reason("already_shipped"),
        }
        .into(),
    ]
}

fn commands() -> Vec<Event> {
    let command_id = format!("{}/confirm_order/1", SagaId::of_order(&order()));
    let command = "ConfirmOrder".to_owned();
    vec![
        CommandRefused {
            order_id: order(),
            command_id: command_id.clone(),
            command: command.clone(),
            code: reason("cancellation_requested"),
        }
        .into(),
        CommandUnneeded {
            order_id: order(),
            command_id: command_id.clone(),
            command: command.clone(),
        }
        .into(),
        CommandParked { order_id: order(), command_id, command, cause: reason("unreadable") }
            .into(),
    ]
}

fn operations() -> Vec<Event> {
    vec![
        OperatorActed {
            subject: SubjectId::of_projection("orders"),
            action: OperatorAction::ParkKey,
            key: Some(Label::parse("536365").unwrap()),
            position: Some(812),
            actor: Label::parse("ada").unwrap(),
            reason: Some(reason("written by a newer version")),
        }
        .into(),
    ]
}
