//! The checker: takes the log event by event and hands each to every group of rules.

use std::collections::HashSet;

use domain::event::Event;
use event_store::{RecordedEvent, StoredAnswer};

use crate::answers::{self, Append};
use crate::finding::{Counts, Report, Rule};
use crate::intents;
use crate::ledger::{self, LedgerRow};
use crate::money::{Money, Sums};
use crate::order_of_log::OrderOfLog;
use crate::orders::{OrderFacts, Orders, Status};
use crate::saga_tables::{self, SagaTables};
use crate::sagas;
use crate::stock::Stock;

/// How far a placed order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Neither carried out nor undone.
    UnderWay,
    /// Carried out, or cancelled line by line after its confirmation.
    Completed,
    /// Rejected, or cancelled before its confirmation.
    Undone,
}

impl Progress {
    /// How far an order has come; none when it was never placed.
    pub(crate) fn of(facts: &OrderFacts) -> Option<Self> {
        Some(match facts.status {
            Status::Absent | Status::Draft => return None,
            Status::Placed | Status::Rejecting | Status::Cancelling | Status::Confirmed => {
                Self::UnderWay
            }
            // A cart that was given up.
            Status::Cancelled if facts.placed_at == 0 => return None,
            Status::Cancelled if !facts.was_confirmed => Self::Undone,
            Status::Completed | Status::Cancelled => Self::Completed,
            Status::Rejected => Self::Undone,
        })
    }
}

/// An order that was placed, as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedOrder<'c> {
    /// The order.
    pub order_id: &'c str,
    /// How far it has come.
    pub progress: Progress,
    /// The position of the event that brought it there.
    pub since: u64,
    /// True when the payment provider was asked something and its answer is not recorded.
    pub asks_provider: bool,
    /// The last position of an event of its payments; 0 when there is none.
    pub last_payment: u64,
}

/// Checks a whole log. Give it every event in position order, then ask for the report.
#[derive(Debug, Default)]
pub struct Checker {
    report: Report,
    events: u64,
    ledger_rows: u64,
    log: OrderOfLog,
    orders: Orders,
    stock: Stock,
    money: Money,
}

impl Checker {
    /// Looks at the next event.
    pub fn observe(&mut self, recorded: &RecordedEvent) {
        self.events += 1;
        if self.log.observe(recorded, &mut self.report) {
            self.stock.end_append(&self.orders, &mut self.report);
        }
        let read =
            Event::from_json(&recorded.event_type, recorded.schema_version, &recorded.payload);
        let event = match read {
            Ok(event) => event,
            Err(cause) => {
                let at = [recorded.position];
                return self.report.at(Rule::Readable, &at, format!("{cause}."));
            }
        };
        self.check_stream(recorded, &event);
        let (at, report) = (recorded.position, &mut self.report);
        match &event {
            Event::Product(_) | Event::Customer(_) | Event::Command(_) | Event::Operator(_) => {}
            Event::Stock(event) => self.stock.observe_stock(at, event, &mut self.orders),
            Event::Reservation(event) => {
                self.stock.observe_reservation(at, event, &mut self.orders, report);
            }
            Event::Order(event) => {
                self.orders.observe(at, event, report);
                self.money.observe_order(at, event, &self.orders, report);
            }
            Event::Payment(event) => {
                self.money.observe_payment(at, event, &mut self.orders, report);
            }
            Event::Shipment(event) => self.orders.observe_shipment(at, event, report),
        }
    }

    /// Takes note that what stands at the next position can't be read at all, and why.
    pub fn observe_unreadable(&mut self, position: u64, why: &str) {
        self.log.pass_over(position, &mut self.report);
        let statement = format!("The event at position {position} can't be read: {why}.");
        self.report.at(Rule::Readable, &[position], statement);
    }

    /// Whether every position so far had an event that could be read.
    pub fn is_whole(&self) -> bool {
        self.log.is_whole()
    }

    /// Compares what the provider did with what the log asked it for. Give it the ledger as it was read *before* the
    /// log: whatever the provider had done then, the log has the intent of.
    pub fn compare_ledger_read_before(&mut self, rows: &[LedgerRow]) {
        ledger::nothing_unasked(rows, &self.money, &mut self.report);
    }

    /// Compares what the log says was done with what the provider did. Give it the ledger as it was read *after* the
    /// log: whatever the log had an outcome of, the provider has done by then.
    pub fn compare_ledger_read_after(&mut self, rows: &[LedgerRow]) {
        self.ledger_rows = rows.len() as u64;
        ledger::nothing_missing(rows, &self.money, &mut self.report);
    }

    /// Compares what is remembered of a command with its events. Give it every append whose events are not the last that were
    /// observed, with its answer as it was read *after* them.
    pub fn compare_answer(&mut self, append: &Append, answer: Option<&StoredAnswer>) {
        answers::check(append, answer, &mut self.report);
    }

    /// Compares the calls to the provider that are still to be carried, by their keys, with what the log has no outcome of. Give it
    /// those that were read *before* the log was opened, and where the log ended before that.
    pub fn compare_intents_read_before(&mut self, head: u64, open: &HashSet<String>) {
        intents::check(head, open, &self.money, &mut self.report);
    }

    /// Compares what an orchestrator keeps with the log. Give it the tables as they were read *before* the log, and the whole
    /// log first: so the log knows all that they know.
    pub fn compare_sagas_read_before(&mut self, tables: &SagaTables) {
        for finding in saga_tables::check(tables, self, &self.orders, &self.money) {
            self.report.add(finding);
        }
    }

    /// Where the append of a command began, if the log has one.
    pub fn position_of_command(&self, command_id: &str) -> Option<u64> {
        self.log.position_of(command_id)
    }

    /// How far every order has come that was placed.
    pub fn placed_orders(&self) -> impl Iterator<Item = PlacedOrder<'_>> {
        self.orders.all().into_iter().filter_map(|(id, facts)| {
            let progress = Progress::of(facts)?;
            let Sums { open: asks_provider, last: last_payment, .. } = self.money.sums(id);
            let (order_id, since) = (self.orders.names.name(id), facts.since);
            Some(PlacedOrder { order_id, progress, since, asks_provider, last_payment })
        })
    }

    /// Ends the log: looks at what is left over, and reports.
    pub fn finish(mut self) -> Report {
        let report = &mut self.report;
        self.stock.end_append(&self.orders, report);
        self.stock.finish(&self.orders, report);
        self.money.finish(&self.orders, report);
        sagas::check(&self.orders, &self.stock, &self.money, report);
        let mut report = self.report;
        report.counts = Counts {
            events: self.events,
            appends: self.log.appends() as u64,
            streams: self.log.streams() as u64,
            orders: self.orders.placed(),
            payments: self.money.payments() as u64,
            skus: self.stock.skus() as u64,
            ledger_rows: self.ledger_rows,
            ..Counts::default()
        };
        report
    }

    fn check_stream(&mut self, recorded: &RecordedEvent, event: &Event) {
        let own = event.stream().to_string();
        if own != *recorded.stream {
            self.report.at(
                Rule::Versions,
                &[recorded.position],
                format!(
                    "`{}` of `{own}` stands in stream `{}`.",
                    recorded.event_type, recorded.stream,
                ),
            );
        }
    }
}
