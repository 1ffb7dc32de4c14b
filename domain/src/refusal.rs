//! Why a command is refused: the whole list, each with its stable public code.
//!
//! **Invariant:** a code never changes its meaning and is never given twice; clients and sagas branch on it. The
//! message is for people and may change.

use crate::figures::grouped;
use crate::ids::{CancellationId, CustomerId, OrderId, PaymentId, ReturnId, ShipmentId, Sku};
use crate::money::Currency;
use crate::orders::LineNumber;

macro_rules! refusals {
    (
        not found: { $(#[doc = $missing_title:literal] $missing:ident { $($id:ident: $id_type:ty),+ } = $missing_code:literal, $missing_text:literal;)+ }
        rules: { $(#[doc = $rule_title:literal] $rule:ident { $($field:ident: $type:ty),* } = $rule_code:literal, $rule_text:literal $(with ($($arg:tt)+))?;)+ }
    ) => {
        /// Why a command is refused. Nothing of it happened.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $(
                #[doc = $missing_title]
                #[error($missing_text)]
                $missing { $(#[doc = concat!("The `", stringify!($id), "` that was asked for.")] $id: $id_type),+ },
            )+
            $(
                #[doc = $rule_title]
                #[error($rule_text $(, $($arg)+)?)]
                $rule { $(#[doc = concat!("The `", stringify!($field), "` that the message names.")] $field: $type),* },
            )+
        }

        impl Refusal {
            /// Every public code, in the order of this list.
            pub const CODES: &'static [&'static str] = &[$($missing_code,)+ $($rule_code,)+];

            /// The stable public code, such as `order_not_found`.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$missing { .. } => $missing_code,)+
                    $(Self::$rule { .. } => $rule_code,)+
                }
            }

            /// Every public code with its title and whether it is a "not found".
            pub const PAGES: &'static [(&'static str, &'static str, bool)] = &[
                $(($missing_code, $missing_title, true),)+
                $(($rule_code, $rule_title, false),)+
            ];

            /// One line for people that holds for every refusal of this code.
            pub fn title(&self) -> &'static str {
                match self {
                    $(Self::$missing { .. } => sentence($missing_title),)+
                    $(Self::$rule { .. } => sentence($rule_title),)+
                }
            }

            /// True when what the command is addressed to does not exist.
            pub fn is_not_found(&self) -> bool {
                match self {
                    $(Self::$missing { .. } => true,)+
                    $(Self::$rule { .. } => false,)+
                }
            }
        }
    };
}

/// A doc comment as a title: without its full stop, as all titles are.
fn sentence(doc: &'static str) -> &'static str {
    doc.trim_ascii().trim_end_matches('.')
}

refusals! {
    not found: {
        /// There is no such order.
        OrderNotFound { order_id: OrderId } = "order_not_found", "there is no order `{order_id}`";
        /// There is no such customer.
        CustomerNotFound { customer_id: CustomerId } = "customer_not_found", "there is no customer `{customer_id}`";
        /// There is no such product.
        ProductNotFound { sku: Sku } = "product_not_found", "there is no product `{sku}`";
        /// There is no such shipment.
        ShipmentNotFound { shipment_id: ShipmentId } = "shipment_not_found", "there is no shipment `{shipment_id}`";
        /// There is no such payment.
        PaymentNotFound { payment_id: PaymentId } = "payment_not_found", "there is no payment `{payment_id}`";
        /// The order has no such return.
        ReturnNotFound { return_id: ReturnId } = "return_not_found", "there is no return `{return_id}`";
        /// The order has no such line.
        LineNotFound { order_id: OrderId, line: LineNumber } = "line_not_found", "order `{order_id}` has no line {line}";
        /// The order has no such cancellation.
        CancellationNotFound { cancellation_id: CancellationId }
            = "cancellation_not_found", "there is no cancellation `{cancellation_id}`";
    }
    rules: {
        /// A line names a product that is not in the catalog.
        UnknownProduct { sku: Sku } = "unknown_product", "no product has the SKU `{sku}`";
        /// The product is sold no more.
        ProductDiscontinued { sku: Sku } = "product_discontinued", "product `{sku}` is sold no more";
        /// The SKU is taken by a product that is described otherwise.
        ProductExists { sku: Sku } = "product_exists", "product `{sku}` is registered already, with other details";
        /// The customer is registered already.
        CustomerExists { customer_id: CustomerId } = "customer_exists", "customer `{customer_id}` is registered already";
        /// The order's id is taken.
        OrderExists { order_id: OrderId } = "order_exists", "order `{order_id}` exists already";
        /// The payment's id is taken by a payment of another amount, method or order.
        PaymentExists { payment_id: PaymentId } = "payment_exists", "payment `{payment_id}` exists already, with other details";
        /// The shipment's id is taken by a shipment of other lines or another order.
        ShipmentExists { shipment_id: ShipmentId } = "shipment_exists", "shipment `{shipment_id}` exists already, with other details";
        /// The order names a customer who is not registered.
        UnknownCustomer { customer_id: CustomerId } = "unknown_customer", "customer `{customer_id}` is not registered";
        /// The customer may not order any more.
        CustomerBlocked { customer_id: CustomerId } = "customer_blocked", "customer `{customer_id}` is blocked";
        /// The customer's data was erased; nothing can be added to it.
        CustomerErased { customer_id: CustomerId } = "customer_erased", "customer `{customer_id}` was erased";
        /// An order has one currency.
        MixedCurrencies { expected: Currency, found: Currency }
            = "mixed_currencies", "an amount in {found} can't stand among amounts in {expected}";
        /// An order has at least one line, and so does what is asked about its lines.
        NoLines {} = "no_lines", "at least one line is needed";
        /// An order has at most so many lines.
        TooManyLines { lines: usize, limit: usize } = "too_many_lines", "{} lines are more than the {} that are allowed" with (grouped(.lines), grouped(.limit));
        /// A price is at least 0.
        NegativePrice { price: i64 } = "negative_price", "a price of {} is below 0" with (grouped(.price));
        /// A price, an order's total or a stock is larger than it can be.
        AmountOverflow { what: String, limit: i64 } = "amount_overflow", "{what} is more than the {} that is allowed" with (grouped(.limit));
        /// The state does not allow it.
        WrongState { what: &'static str, state: &'static str }
            = "wrong_state", "the {what} is {state}, which does not allow this";
        /// What is to be cancelled has left the house; a return is the way back.
        AlreadyShipped { order_id: OrderId }
            = "already_shipped", "these units of order `{order_id}` have been shipped; ask for a return when they arrive";
        /// Nothing is open that could be cancelled.
        NothingToCancel { order_id: OrderId } = "nothing_to_cancel", "order `{order_id}` has nothing open that could be cancelled";
        /// More units than there are.
        QuantityExceeded { what: String, requested: u64, allowed: u64 }
            = "quantity_exceeded", "{} units of {what} are more than the {} that are left" with (grouped(.requested), grouped(.allowed));
        /// More money than there is.
        AmountExceeded { payment_id: PaymentId, requested: i64, allowed: i64 }
            = "amount_exceeded", "{} is more than the {} that payment `{payment_id}` has left" with (grouped(.requested), grouped(.allowed));
        /// Fewer units are in stock than are to be taken away.
        OutOfStock { sku: Sku, requested: i64, available: i64 }
            = "out_of_stock", "{} units of `{sku}` are more than the {} available" with (grouped(.requested), grouped(.available));
        /// The product is not kept in stock.
        NotStocked { sku: Sku } = "not_stocked", "product `{sku}` is not kept in stock";
        /// A correction adds or takes away something, within what can be counted.
        InvalidDelta { delta: i64 } = "invalid_delta", "stock can't be adjusted by {}" with (grouped(.delta));
        /// The order belongs to a customer, who is erased instead.
        NotAGuestOrder { order_id: OrderId } = "not_a_guest_order", "order `{order_id}` belongs to a customer; erase the customer";
        /// Someone asked to cancel the order before.
        CancellationRequested { order_id: OrderId } = "cancellation_requested", "order `{order_id}` is being cancelled";
        /// The order is being rejected.
        RejectionStarted { order_id: OrderId } = "rejection_started", "order `{order_id}` is being rejected";
        /// The order stands still.
        OnHold { order_id: OrderId } = "on_hold", "order `{order_id}` is on hold";
        /// What is held of the customer's money is too little.
        NotCovered { authorized: i64, needed: i64 } = "not_covered", "{} is needed, but only {} is authorized" with (grouped(.needed), grouped(.authorized));
        /// No live authorization covers the parcel.
        AuthorizationExpired { payment_id: PaymentId } = "authorization_expired", "no live authorization covers the parcel: that of payment `{payment_id}` has expired, or can't be captured again";
        /// Nothing can be authorized any more: it was voided before.
        PaymentVoided { payment_id: PaymentId } = "payment_voided", "payment `{payment_id}` was voided";
        /// The provider refused the payment.
        PaymentDeclined { payment_id: PaymentId } = "payment_declined", "payment `{payment_id}` was declined";
        /// The units were returned, or a return of them is on its way.
        AlreadyReturned { order_id: OrderId, line: LineNumber }
            = "already_returned", "these units of line {line} of order `{order_id}` are returned or about to be";
        /// The return was received before, and its units went the other way.
        ReturnReceived { return_id: ReturnId, restock: bool }
            = "return_received", "return `{return_id}` was received already, with `restock` {restock}";
        /// Only what was delivered can be returned.
        NotDelivered { order_id: OrderId, line: LineNumber }
            = "not_delivered", "these units of line {line} of order `{order_id}` have not been delivered";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_given_twice() {
        let codes: std::collections::BTreeSet<_> = Refusal::CODES.iter().collect();
        assert_eq!(codes.len(), Refusal::CODES.len());
    }

    #[test]
    fn numbers_are_grouped_and_no_title_ends_in_a_full_stop() {
        let price = Refusal::AmountOverflow { what: "the price".into(), limit: 10_000_000_000_000 };
        assert_eq!(
            price.to_string(),
            "the price is more than the 10,000,000,000,000 that is allowed"
        );
        assert!(!price.title().ends_with('.'), "{}", price.title());
    }

    #[test]
    fn the_message_names_what_is_wrong() {
        let sku = Sku::parse("22423").unwrap();
        let short = Refusal::OutOfStock { sku: sku.clone(), requested: 7, available: 3 };
        assert_eq!(short.to_string(), "7 units of `22423` are more than the 3 available");
        assert_eq!((short.code(), short.is_not_found()), ("out_of_stock", false));
        let missing = Refusal::ProductNotFound { sku };
        assert_eq!((missing.code(), missing.is_not_found()), ("product_not_found", true));
    }
}
