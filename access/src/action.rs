//! What can be done, and who may: the one table.
//!
//! **Invariant:** every action has a scope and a cell for each role.

use crate::role::Role;

/// How much of its kind a role may do something to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// Nothing.
    No,
    /// What is theirs.
    Own,
    /// Everything.
    All,
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $scope:literal: $customer:ident $support:ident $operator:ident $service:ident;)+) => {
        /// Something that can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])+ $name),+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its word, such as `orders.place`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The scope that a token must have for it, where the token names any.
            pub fn scope(self) -> &'static str {
                match self { $(Self::$name => $scope),+ }
            }

            pub(crate) fn cell(self, role: Role) -> Cell {
                let [customer, support, operator, service] = match self {
                    $(Self::$name => [Cell::$customer, Cell::$support, Cell::$operator, Cell::$service]),+
                };
                match role {
                    Role::Customer => customer,
                    Role::Support => support,
                    Role::Operator => operator,
                    Role::Service => service,
                }
            }
        }
    };
}

actions! {
    // Each with its scope, and for customer, support, operator and service how much.
    /// Look at products and prices.
    ReadCatalog = "catalog.read", "catalog:read": All All All All;
    /// Register, rename, price or discontinue a product.
    WriteCatalog = "catalog.write", "catalog:write": No No All All;
    /// Look at stock.
    ReadStock = "stock.read", "stock:read": No All All All;
    /// Receive or correct stock.
    WriteStock = "stock.write", "stock:write": No No All All;
    /// Look through all customers.
    ListCustomers = "customers.list", "customers:read": No All All All;
    /// Look at a customer.
    ReadCustomer = "customers.read", "customers:read": Own All All All;
    /// Register a customer.
    RegisterCustomer = "customers.register", "customers:write": Own All All All;
    /// Change how a customer is reached.
    ChangeContact = "customers.contact", "customers:write": Own All All All;
    /// Take no more orders of a customer.
    BlockCustomer = "customers.block", "customers:write": No All All All;
    /// Make a person's data unreadable, which nobody can take back.
    ErasePerson = "customers.erase", "customers:erase": No No All All;
    /// Place an order, or begin a draft.
    PlaceOrder = "orders.place", "orders:write": Own All All All;
    /// Change and place a draft.
    ChangeOrder = "orders.change", "orders:write": Own All All All;
    /// Cancel an order or lines of it.
    CancelOrder = "orders.cancel", "orders:write": Own All All All;
    /// Ask to send something back.
    RequestReturn = "orders.return", "orders:write": Own All All All;
    /// Let an order stand still and go on.
    HoldOrder = "orders.hold", "orders:write": No All All All;
    /// Say that a return arrived, upon which it is paid back.
    ReceiveReturn = "orders.receive_return", "shipments:write": No No All All;
    /// Look at orders.
    ReadOrders = "orders.read", "orders:read": Own All All All;
    /// Look at the events of an order.
    ReadOrderEvents = "orders.events", "orders:read": No All All All;
    /// Say what a line costs, instead of the catalog.
    SetPrice = "orders.price", "orders:price": No No All All;
    /// Say when something happened, instead of the clock.
    SetTime = "time.set", "time:set": No No All All;
    /// Say that a parcel left or arrived, upon which it is paid.
    MoveShipment = "shipments.move", "shipments:write": No No All All;
    /// Look at parcels.
    ReadShipments = "shipments.read", "orders:read": Own All All All;
    /// Look at payments.
    ReadPayments = "payments.read", "payments:read": Own All All All;
    /// Look at reports.
    ReadReports = "reports.read", "reports:read": No No All All;
    /// Read the log.
    ReadLog = "log.read", "log:read": No No All All;
    /// Look at what carries orders through.
    ReadSagas = "sagas.read", "operations:read": No All All All;
    /// Retry or resolve what came to a stop.
    OperateSagas = "sagas.operate", "operations:write": No No All No;
    /// Look at the read models.
    ReadProjections = "projections.read", "operations:read": No All All All;
    /// Rebuild, switch, drop, park or replay.
    OperateProjections = "projections.operate", "operations:write": No No All No;
    /// Look at messages that nobody could carry out.
    ReadDeadLetters = "dead_letters.read", "operations:read": No No All No;
    /// Carry such a message out.
    ReplayDeadLetters = "dead_letters.replay", "operations:write": No No All No;
    /// Look at what needs a person, all at once.
    ReadOverview = "overview.read", "operations:read": No No All No;
    /// Look at webhooks, and at what they were told.
    ReadWebhooks = "webhooks.read", "webhooks:read": No No All No;
    /// Register and delete webhooks, change their secrets, and tell them again.
    ManageWebhooks = "webhooks.manage", "webhooks:write": No No All No;
    /// Look at mails to customers, and at what became of them; never at whom they went to.
    ReadMails = "mails.read", "mails:read": No All All No;
    /// Send mails again.
    ResendMails = "mails.resend", "mails:write": No No All No;
    /// Look at what a customer was told of their orders.
    ReadNotices = "notices.read", "notices:read": Own All All All;
    /// Say that a customer has read it.
    MarkNotices = "notices.mark", "notices:write": Own No All All;
    /// Hear every public event as it happens.
    StreamEvents = "events.stream", "orders:read": No All All All;
    /// Look into the simulated provider's book.
    ReadLedger = "ledger.read", "payments:read": No No All All;
    /// Hold, take and give back money at the simulated provider, as the service does that carries payments out.
    CallProvider = "provider.call", "payments:call": No No No All;
    /// Read what a process counts.
    ReadMetrics = "metrics.read", "metrics:read": No No All All;
}

impl Action {
    /// Whether a role may: everything, what is theirs, or nothing; for whoever explains it.
    pub fn granted_to(self, role: Role) -> &'static str {
        match self.cell(role) {
            Cell::No => "no",
            Cell::Own => "own",
            Cell::All => "all",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_scopes_name_a_kind_and_a_right() {
        let words: std::collections::BTreeSet<_> = Action::ALL.iter().map(|a| a.as_str()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(action.scope().split(':').count(), 2, "{action:?}");
        }
    }

    #[test]
    fn an_operator_may_everything_and_nobody_but_customers_is_confined_to_their_own() {
        for &action in Action::ALL {
            // What one service asks of another is no person's to ask.
            let all = if action == Action::CallProvider { Cell::No } else { Cell::All };
            assert_eq!(action.cell(Role::Operator), all, "{action:?}");
            for role in [Role::Support, Role::Service] {
                assert_ne!(action.cell(role), Cell::Own, "{action:?} {role}");
            }
        }
    }
}
