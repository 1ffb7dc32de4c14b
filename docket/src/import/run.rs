//! The phases of an import, one after another, each with bounded concurrency.
//!
//! Products, customers and stock are there before the first order; all orders have ended before the first return,
//! because a return is matched with what was delivered.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::process::ExitCode;
use std::time::Instant;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::args::{ImportArgs, ImportSource, OnlineRetailArgs, OpeningStock};
use super::client::{Client, Patience};
use super::history;
use super::matching::{History, Matched, Matching, match_returns};
use super::opening;
use super::order_way::{self, Corrected, Outcome};
use super::plan::{Correction, Order, Plan, Product};
use super::planner::plan;
use super::progress::Progress;
use super::report::{Report, Results};
use super::return_way::{self, Returned};
use super::rows::read_files;
use super::watch::watch;
use crate::output;
use service_kit::clock;

/// What a process says that was stopped by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Runs an import and prints its report.
pub(crate) async fn run(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let ImportSource::OnlineRetail(args) = args.source;
    let started = Instant::now();
    let client = Client::new(args.url(), &args.connect, Patience::default())?;
    let retail = read_files(&args.files)?;
    for file in retail.files.iter().filter(|file| file.is_empty) {
        output::note(format_args!("{}: no rows, only the line that names the columns", file.path));
    }
    let plan = plan(retail)?;
    let progress = Progress::new();
    let import =
        Import { client, plan, progress: progress.clone(), concurrency: args.concurrency.into() };
    let watched = watch(import.client.clone(), progress.clone(), clock::system());
    let ended = tokio::select! {
        ended = import.carry_out(args.opening_stock) => Some(ended),
        () = watched => None,
        _ = tokio::signal::ctrl_c() => None,
    };
    progress.finish();
    let Some(ended) = ended else {
        output::complain(&anyhow::anyhow!(
            "interrupted; run the same command again: the import goes on where it stopped, nothing is done twice"
        ));
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let report = ended?.took(started.elapsed());
    print(&report, &args)?;
    let Some(refused) = report.refused_in_words() else { return Ok(ExitCode::SUCCESS) };
    output::complain(&anyhow::Error::msg(refused));
    Ok(ExitCode::FAILURE)
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
enum Done<'a> {
    Order(usize, Option<Outcome>),
    Correct(&'a Correction, Corrected),
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
        self.products().await?;
        self.all("customers", &plan.customers, |id| opening::register_customer(client, plan, *id))
            .await?;
        let openings = opening::openings(plan, stock);
        let received =
            self.all("opening stock", &openings, |opening| opening::receive(client, plan, opening));
        let missing = received.await?.into_iter().flatten().collect();
        let (outcomes, corrected) = self.orders_and_corrections().await?;
        let delivered = |order| outcomes.get(order).is_some_and(Outcome::is_delivered);
        let matching = match_returns(plan, delivered, self.history(&outcomes).await?);
        let returned = self.returns(&matching).await?;
        Ok(Report::new(plan, &matching, &Results { missing, outcomes, corrected, returned }))
    }

    async fn products(&self) -> anyhow::Result<()> {
        let (client, plan) = (&self.client, &self.plan);
        let registered = self.all("products", &plan.products, |product| async move {
            let is_new = opening::register_product(client, plan, product).await?;
            Ok((!is_new).then_some(product))
        });
        let there: Vec<&Product> = registered.await?.into_iter().flatten().collect();
        if there.is_empty() {
            return Ok(());
        }
        let catalog = &opening::catalog(client).await?;
        self.all("descriptions", &there, |product| async move {
            match catalog.get(plan.names.text(product.sku)) {
                Some(known) => opening::describe(client, plan, product, known).await,
                None => Ok(()),
            }
        })
        .await?;
        Ok(())
    }

    /// What earlier runs left that a return of this run may belong to.
    async fn history(&self, outcomes: &[Outcome]) -> anyhow::Result<History> {
        let (client, plan) = (&self.client, &self.plan);
        let planned = || plan.orders.iter().zip(outcomes);
        // An order that was refused may be there all the same, as another file told it.
        let own = planned().filter(|(_, outcome)| !outcome.is_refused());
        let own: &HashSet<&str> = &own.map(|(order, _)| plan.names.text(order.invoice)).collect();
        let customers = history::customers(plan);
        let found = self.all("earlier orders", &customers, |customer| {
            history::shelves(client, plan, own, *customer)
        });
        let mut history = History::default();
        let mut with_returns: Vec<String> = planned()
            .filter(|(_, outcome)| outcome.has_returns)
            .map(|(order, _)| plan.names.text(order.invoice).to_owned())
            .collect();
        for (shelf, has_returns) in found.await?.into_iter().flatten() {
            with_returns.extend(has_returns.then(|| shelf.order.clone()));
            history.shelves.push(shelf);
        }
        let standing =
            self.all("earlier returns", &with_returns, |order| history::standing(client, order));
        history.standing = standing.await?.into_iter().flatten().collect();
        Ok(history)
    }

    async fn orders_and_corrections(
        &self,
    ) -> anyhow::Result<(Vec<Outcome>, Vec<(Correction, Corrected)>)> {
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
                    Work::Correct(correction) => {
                        let corrected = order_way::correct(client, plan, correction).await?;
                        Done::Correct(correction, corrected)
                    }
                })
            })
            .await?;
        let mut outcomes = BTreeMap::new();
        let mut corrected = Vec::new();
        for done in done {
            match done {
                Done::Order(index, outcome) => drop(outcomes.insert(index, outcome)),
                Done::Correct(correction, how) => corrected.push((*correction, how)),
            }
        }
        Ok((self.ends(&outcomes).await?, corrected))
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
        let mut by_order: BTreeMap<&str, Vec<Matched>> = BTreeMap::new();
        for matched in &matching.matched {
            by_order.entry(&matched.order).or_default().push(matched.clone());
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
