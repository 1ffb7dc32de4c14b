//! Every command of the platform, as one type: what the queue carries and the processor decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::stream::Stream;

macro_rules! commands {
    ($($module:ident::{$($command:ident),+ $(,)?})+) => {
        $(use crate::$module::{$($command),+};)+

        /// Any command of the platform.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "command", content = "body")]
        pub enum Command {
            $($(#[doc = concat!("See [`", stringify!($command), "`].")] $command($command),)+)+
        }

        impl Command {
            /// The command's name, such as `PlaceOrder`.
            pub fn name(&self) -> &'static str {
                match self { $($(Self::$command(_) => stringify!($command),)+)+ }
            }

            /// Every command's name and the JSON Schema of its body.
            pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
                vec![$($((stringify!($command), schemars::schema_for!($command)),)+)+]
            }
        }

        impl Decide for Command {
            fn target(&self) -> Stream {
                match self { $($(Self::$command(command) => command.target(),)+)+ }
            }
            fn reads(&self) -> Vec<Stream> {
                match self { $($(Self::$command(command) => command.reads(),)+)+ }
            }
            fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt> {
                match self { $($(Self::$command(command) => command.decide(view, context),)+)+ }
            }
        }

        $($(impl From<$command> for Command {
            fn from(command: $command) -> Self {
                Self::$command(command)
            }
        })+)+
    };
}

commands! {
    catalog::{RegisterProduct, ChangePrice, RenameProduct, DiscontinueProduct}
    customers::{RegisterCustomer, ChangeContact, BlockCustomer, EraseCustomer}
    inventory::{
        ReceiveStock, AdjustStock, ReserveStock, ReleaseStock, ShipStock, RestockReturn, WriteOff,
    }
    orders::{
        CreateDraft, AddLine, ChangeQuantity, RemoveLine, PlaceDraft, PlaceOrder, ConfirmOrder,
        ReplacePayment, RejectOrder, FinishRejection, HoldOrder, ReleaseHold, CancelOrder,
        FinishCancellation, CancelLines, SettleCancellation, DeclineCancellation, RecordShipped,
        RecordDelivered, RequestReturn, ReceiveReturn, CompleteOrder, EraseOrder,
    }
    payments::{
        AuthorizePayment, CapturePayment, VoidAuthorization, RefundPayment, RecordPaymentOutcome,
        ExpireAuthorization, SettlePaymentByHand, VoidLateAuthorization,
    }
    shipping::{CreateShipment, MarkShipped, MarkDelivered, CancelShipment}
    sagas::{RecordCommandEnd}
    operations::{RecordAction}
}
