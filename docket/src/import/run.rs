//! The phases of an import, one after another, each with bounded concurrency.
//!
//! Products, customers and stock are there before the first order; all orders have ended before the first return,
//! because a return is matched with what was delivered.

use std::collections::BTreeMap;
use std::future::Future;
use std::process::ExitCode;
use std::time::Instant;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::args::{ImportArgs, ImportSource, OnlineRetailArgs, OpeningStock};
use super::client::{Client, Patience};
use super::matching::{Matched, Matching, match_returns};
use super::opening;
use super::order_way::{self, Outcome};
use super::plan::{Correction, Order, Plan, plan};
use super::progress::Progress;
use super::report::Report;
use super::return_way::{self, Returned};
use super::rows::read_files;
use crate::output;

/// What a process says that was stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Runs an import and prints its report.
pub(crate) async fn run(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let ImportSource::OnlineRetail(args) = args.source;
    let started = Instant::now();
    let client = Client::new(&args.url, Patience::default())?;
    let plan = plan(read_files(&args.files)?)?;
    let progress = Progress::new();
    let import =
        Import { client, plan, progress: progress.clone(), concurrency: args.concurrency.into() };
    let ended = tokio::select! {
        ended = import.carry_out(args.opening_stock) => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
    };
    progress.finish();
    let Some(ended) = ended else {
        output::complain(&anyhow::anyhow!(
            "interrupted; run the same command again: the import goes on where it stopped, nothing is done twice"
        ));
        return Ok(ExitCode::from(INTERRUPTED));
    };
    print(&ended?.took(started.elapsed()), &args)?;
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report, args: &OnlineRetailArgs) -> anyhow::Result<()> {
    let text = if args.json { report.json()? } else { report.table() };
    output::line(text).map(drop)
}

/// What goes on beside each other in the middle phase.
#[derive(Debug, Clone, Copy)]
enum Work<'a> {
    Order(usize, &'a Order),
    Correct(&'a Correction),
}

/// What came out of it.
enum Done {
    Order(usize, Option<Outcome>),
    Applied,
    Refused,
}

/// An import under way.
#[derive(Debug)]
pub(crate) struct Import {
    /// The platform.
    pub(crate) client: Client,
    /// What is to be done.
    pub(crate) plan: Plan,
    /// What people see.
    pub(crate) progress: Progress,
    /// How many requests are under way at a time.
    pub(crate) concurrency: usize,
}

impl Import {
    /// Carries the whole plan out.
    pub(crate) async fn carry_out(&self, stock: OpeningStock) -> anyhow::Result<Report> {
        let (client, plan) = (&self.client, &self.plan);
        client.wait_until_ready().await?;
        self.all("products", &plan.products, |product| {
            opening::register_product(client, plan, product)
        })
        .await?;
        self.all("customers", &plan.customers, |id| opening::register_customer(client, plan, *id))
            .await?;
        let openings = opening::openings(plan, stock);
        self.all("opening stock", &openings, |opening| opening::receive(client, plan, opening))
            .await?;
        let (outcomes, refused_corrections) = self.orders_and_corrections().await?;
        let matching =
            match_returns(plan, |order| outcomes.get(order).is_some_and(Outcome::is_delivered));
        let returned = self.returns(&matching).await?;
        let mut report = Report::new(plan, &matching, &outcomes);
        report.refused_corrections = refused_corrections;
        report.refused_returns = returned.iter().map(|order| order.refused).sum();
        report.returns_in_attention = returned.iter().map(|order| order.needs_attention).sum();
        Ok(report)
    }

    async fn orders_and_corrections(&self) -> anyhow::Result<(Vec<Outcome>, u64)> {
        let (client, plan) = (&self.client, &self.plan);
        let orders = plan.orders.iter().enumerate().map(|(index, order)| Work::Order(index, order));
        let work: Vec<Work<'_>> =
            orders.chain(plan.corrections.iter().map(Work::Correct)).collect();
        let done = self
            .all("orders", &work, |work| async move {
                Ok(match *work {
                    Work::Order(index, order) => {
                        Done::Order(index, order_way::carry(client, plan, order).await?)
                    }
                    Work::Correct(correction)
                        if order_way::correct(client, plan, correction).await? =>
                    {
                        Done::Applied
                    }
                    Work::Correct(_) => Done::Refused,
                })
            })
            .await?;
        let mut outcomes = BTreeMap::new();
        let mut refused = 0;
        for done in done {
            match done {
                Done::Order(index, outcome) => drop(outcomes.insert(index, outcome)),
                Done::Refused => refused += 1,
                Done::Applied => {}
            }
        }
        Ok((self.ends(&outcomes).await?, refused))
    }

    /// Waits for the ends of the orders that were delivered; every order's outcome, in file order.
    async fn ends(
        &self,
        outcomes: &BTreeMap<usize, Option<Outcome>>,
    ) -> anyhow::Result<Vec<Outcome>> {
        let (client, plan) = (&self.client, &self.plan);
        let orders: Vec<(usize, &Order)> = plan.orders.iter().enumerate().collect();
        let ended = self.all("ends", &orders, |(index, order)| async move {
            let outcome = match outcomes.get(index) {
                Some(Some(outcome)) => outcome.clone(),
                _ => order_way::end(client, plan, order).await?,
            };
            Ok((*index, outcome))
        });
        let ended: BTreeMap<usize, Outcome> = ended.await?.into_iter().collect();
        Ok(ended.into_values().collect())
    }

    /// Orders beside each other, but the returns of one order in file order.
    async fn returns(&self, matching: &Matching) -> anyhow::Result<Vec<Returned>> {
        let mut by_order: BTreeMap<usize, Vec<Matched>> = BTreeMap::new();
        for matched in &matching.matched {
            by_order.entry(matched.order).or_default().push(matched.clone());
        }
        let by_order: Vec<Vec<Matched>> = by_order.into_values().collect();
        self.all("returns", &by_order, |returns| {
            return_way::carry(&self.client, &self.plan, returns)
        })
        .await
    }

    /// Does something with every item, so many at a time; the first error ends it.
    async fn all<'a, I, T, F>(
        &self,
        phase: &'static str,
        items: &'a [I],
        act: impl Fn(&'a I) -> F,
    ) -> anyhow::Result<Vec<T>>
    where
        F: Future<Output = anyhow::Result<T>>,
    {
        self.progress.phase(phase, items.len());
        stream::iter(items)
            .map(act)
            .buffer_unordered(self.concurrency)
            .inspect_ok(|_| self.progress.step())
            .try_collect()
            .await
    }
}
