//! What the rows ask for. Pure.
//!
//! **Invariant:** an order, a correction and a return come out the same whether their file is read alone or with
//! others, because their commands are recognised by content. So an invoice that stands in two files is taken once,
//! and only when both say the same about it.

use std::collections::{HashMap, HashSet};

use anyhow::bail;

use super::classify::Class;
use super::names::Name;
use super::plan::{Correction, Cover, Line, Order, Plan, Product, Return};
use super::rows::{Retail, RetailRow};

/// Turns rows into a plan; refuses files that contradict each other.
pub(crate) fn plan(retail: Retail) -> anyhow::Result<Plan> {
    let Retail { names, files, rows } = retail;
    let mut planner =
        Planner { plan: Plan { names, files, ..Plan::default() }, ..Planner::default() };
    for rows in rows.chunk_by(|a, b| a.place.file == b.place.file) {
        planner.read_file(rows)?;
    }
    let mut plan = planner.plan;
    for product in &mut plan.products {
        if plan.names.text(product.name).trim().is_empty() {
            product.name = product.sku;
        }
    }
    Ok(plan)
}

/// The plan so far, and where in it things are.
#[derive(Debug, Default)]
struct Planner<'a> {
    plan: Plan,
    products: HashMap<Name, usize>,
    customers: HashSet<Name>,
    cover: HashMap<(u16, Name), usize>,
    returns: HashMap<(Name, u32), usize>,
    /// Every invoice of an earlier file, with its rows there.
    invoices: HashMap<Name, Vec<&'a RetailRow>>,
}

impl<'a> Planner<'a> {
    fn read_file(&mut self, rows: &'a [RetailRow]) -> anyhow::Result<()> {
        let mut order_of_appearance = Vec::new();
        let mut invoices: HashMap<Name, Vec<&RetailRow>> = HashMap::new();
        for row in rows {
            self.count(row);
            self.register(row);
            self.cover(row);
            let invoice = invoices.entry(row.invoice).or_default();
            if invoice.is_empty() {
                order_of_appearance.push(row.invoice);
            }
            invoice.push(row);
        }
        for invoice in order_of_appearance {
            let Some(rows) = invoices.remove(&invoice) else { continue };
            self.read_invoice(invoice, rows)?;
        }
        Ok(())
    }

    fn read_invoice(&mut self, invoice: Name, rows: Vec<&'a RetailRow>) -> anyhow::Result<()> {
        if let Some(earlier) = self.invoices.get(&invoice) {
            self.check_said_twice(earlier, &rows)?;
            self.count_returns_again(&rows);
            return Ok(());
        }
        self.add_order(invoice, &rows)?;
        let corrections = rows.iter().filter(|row| row.class == Class::Correction);
        self.plan.corrections.extend((1..).zip(corrections).map(|(nth, row)| Correction {
            invoice,
            nth,
            sku: row.sku,
            delta: row.quantity,
            reason: row.description,
            time: row.time,
            place: row.place,
        }));
        for (nth, row) in (1..).zip(rows.iter().filter(|row| row.class == Class::Return)) {
            self.returns.insert((invoice, nth), self.plan.returns.len());
            self.plan.returns.push(Return {
                invoice,
                nth,
                sku: row.sku,
                quantity: row.quantity.unsigned_abs(),
                pence: row.pence,
                time: row.time,
                customer: row.customer,
                rows: 1,
                place: row.place,
            });
        }
        self.invoices.insert(invoice, rows);
        Ok(())
    }

    fn add_order(&mut self, invoice: Name, rows: &[&RetailRow]) -> anyhow::Result<()> {
        let mut lines =
            rows.iter().filter(|row| matches!(row.class, Class::Sale | Class::Free)).peekable();
        let Some(first) = lines.peek().copied() else { return Ok(()) };
        let (customer, country) = (first.customer, first.country);
        let (time, place) = (first.time, first.place);
        let mut order = Order { invoice, time, customer, country, lines: Vec::new(), place };
        for row in lines {
            if (row.customer, row.country) != (customer, country) {
                bail!(
                    "{}: the customer or the country is not that of the invoice's first row",
                    self.place(row)
                );
            }
            // "The first" of two time stamps is the earlier one, wherever it stands.
            order.time = order.time.min(row.time);
            order.lines.push(Line {
                sku: row.sku,
                quantity: row.quantity.unsigned_abs(),
                pence: row.pence,
            });
        }
        self.plan.orders.push(order);
        Ok(())
    }

    fn check_said_twice(&self, earlier: &[&RetailRow], rows: &[&RetailRow]) -> anyhow::Result<()> {
        let same = earlier.len() == rows.len()
            && earlier.iter().zip(rows).all(|(a, b)| a.says_the_same(b));
        if let (false, Some(first), Some(other)) = (same, rows.first(), earlier.first()) {
            let invoice = self.plan.names.text(first.invoice);
            bail!(
                "{}: invoice {invoice} stands otherwise in {}",
                self.place(first),
                self.place(other)
            );
        }
        Ok(())
    }

    /// Rows that say what an earlier file said are of the same class as there.
    fn count_returns_again(&mut self, rows: &[&RetailRow]) {
        for (nth, row) in (1..).zip(rows.iter().filter(|row| row.class == Class::Return)) {
            let known = self.returns.get(&(row.invoice, nth));
            if let Some(known) = known.and_then(|index| self.plan.returns.get_mut(*index)) {
                known.rows += 1;
            }
        }
    }

    fn count(&mut self, row: &RetailRow) {
        let rows = &mut self.plan.rows;
        match row.class {
            Class::Sale => rows.sale += 1,
            Class::Free => rows.free += 1,
            Class::Correction => rows.correction += 1,
            Class::NotAnOrder => rows.not_an_order += 1,
            Class::Return => {}
        }
    }

    fn register(&mut self, row: &RetailRow) {
        let plan = &mut self.plan;
        let index = *self.products.entry(row.sku).or_insert_with(|| {
            let stocked = is_stocked(plan.names.text(row.sku));
            plan.products.push(Product {
                sku: row.sku,
                name: row.description,
                pence: 0,
                stocked,
                place: row.place,
            });
            plan.products.len() - 1
        });
        if let Some(product) = plan.products.get_mut(index) {
            if plan.names.text(product.name).trim().is_empty() {
                product.name = row.description;
            }
            if product.pence == 0 && row.class != Class::NotAnOrder {
                product.pence = row.pence;
            }
        }
        if let Some(customer) = row.customer
            && self.customers.insert(customer)
        {
            plan.customers.push(customer);
        }
    }

    fn cover(&mut self, row: &RetailRow) {
        let needed = match row.class {
            Class::Sale | Class::Free => row.quantity.unsigned_abs(),
            Class::Correction if row.quantity < 0 => row.quantity.unsigned_abs(),
            Class::Correction | Class::Return | Class::NotAnOrder => return,
        };
        if !is_stocked(self.plan.names.text(row.sku)) {
            return;
        }
        let cover = &mut self.plan.cover;
        let index = *self.cover.entry((row.place.file, row.sku)).or_insert_with(|| {
            cover.push(Cover { place: row.place, sku: row.sku, quantity: 0, time: row.time });
            cover.len() - 1
        });
        if let Some(cover) = cover.get_mut(index) {
            cover.quantity += u64::from(needed);
        }
    }

    fn place(&self, row: &RetailRow) -> String {
        self.plan.shown(row.place)
    }
}

/// Codes that begin with five digits are kept in stock; the others are postage, fees and vouchers.
fn is_stocked(sku: &str) -> bool {
    sku.as_bytes().get(..5).is_some_and(|start| start.iter().all(u8::is_ascii_digit))
}
