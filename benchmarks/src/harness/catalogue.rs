//! Every row of the comparison: its name, its unit, what is measured. The one list.

/// Which of a measurement's numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Value,
    /// Median time, milliseconds.
    P50,
    /// 99th percentile, milliseconds.
    P99,
}

/// A row: the same load for everyone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowOf {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// What is measured, for people.
    pub(crate) what: &'static str,
    /// What of it the plot shows.
    pub(crate) figure: Figure,
    /// Whom a quick run measures.
    pub(crate) quick: Quick,
}

/// Who is in a quick run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quick {
    Everybody,
    /// Docket and the limits.
    WithoutPeers,
    Nobody,
}

const fn rate(name: &'static str, unit: &'static str, what: &'static str) -> RowOf {
    RowOf { name, unit, what, figure: Figure::Value, quick: Quick::Everybody }
}

const fn time(name: &'static str, what: &'static str) -> RowOf {
    RowOf { name, unit: "ms", what, figure: Figure::P50, quick: Quick::WithoutPeers }
}

impl RowOf {
    const fn without_peers(mut self) -> Self {
        self.quick = Quick::WithoutPeers;
        self
    }

    const fn slow(mut self) -> Self {
        self.quick = Quick::Nobody;
        self
    }
}

/// In the order of the report.
pub(crate) const ROWS: &[RowOf] = &[
    rate("command-64", "1/s", "read, decide, append: durable commands a second, 64 clients"),
    rate(
        "command-half",
        "1/s",
        "half of what 64 clients carry, open loop over 256 clients: a command's time counts from when it was due",
    )
    .without_peers(),
    rate("command-16", "1/s", "the same as the first, 16 clients"),
    rate("command-1", "1/s", "the same, 1 client").without_peers(),
    rate(
        "append-64",
        "1/s",
        "append of one event at a known version, 64 clients; no read, no decision",
    )
    .without_peers(),
    rate("append-16", "1/s", "the same, 16 clients").slow(),
    rate("append-1", "1/s", "the same, 1 client").slow(),
    rate("hot-64", "1/s", "64 clients, all on one stream: successful commands a second"),
    rate("hot-16", "1/s", "the same, 16 clients").slow(),
    time("length-1", "a command on streams of 1 event, 1 client"),
    time("length-100", "a command on streams of 100 events, 1 client").slow(),
    time("length-1000", "a command on streams of 1,000 events, 1 client").slow(),
    time("length-10000", "a command on streams of 10,000 events, 1 client"),
    rate("read-all", "events/s", "reading the whole log in order, payload and metadata decoded"),
    rate("read-all-sqlite", "events/s", "the same from SQLite"),
    rate("prepared-64", "events/s", "append of prepared batches of 64 transactions of 2 events"),
    rate("prepared-256", "events/s", "append of prepared batches of 256 transactions of 2 events"),
    rate("bulk-1", "events/s", "one writer, 1 event a commit"),
    rate("bulk-100", "events/s", "one writer, 100 events a commit"),
    rate("bulk-1000", "events/s", "one writer, 1,000 events a commit"),
    rate("fsync", "1/s", "8 kB written over and synced, one after another"),
    rate("publish-64", "1/s", "messages published and acknowledged, 64 at a time"),
    rate("http-64", "1/s", "POST over HTTP, 64 connections: stock received, 1,000 SKUs"),
    rate("http-hot-64", "1/s", "the same, all on one SKU"),
    rate("http-half", "1/s", "the same at half of what was carried, open loop, 1,000 SKUs"),
    time("http-visible", "from an answer to a read that shows it, at half load"),
    rate("http-order-64", "1/s", "single-line PlaceOrder over HTTP, sagas running, 64 connections"),
    rate("http-order-later", "1/s", "of these, told to come again: more wait for their sagas than may").without_peers(),
    rate(
        "orders",
        "1/s",
        "orders end to end: placed, reserved, paid, confirmed, every model caught up",
    ),
    rate("orders-half", "1/s", "orders at half of what was carried end to end, open loop"),
    time("confirmed", "from PlaceOrder to the answer that it is confirmed, at half load"),
    time("http-length-fresh", "a command over HTTP on a fresh stream, 1 connection"),
    time("http-length-10000", "the same on a stream of 10,000 events, by turns"),
    rate("replay", "events/s", "the log folded into all read models anew"),
    rate(
        "cpu-receive",
        "µs",
        "processor time of one received stock and all that follows, servers included",
    ),
    rate("cpu-order", "µs", "processor time of one order and all that follows, servers included"),
    rate("memory", "MB", "memory at most after all these loads, servers included"),
    rate("import", "s", "a real shop's orders imported, each through its whole life"),
];

/// The row of that name.
pub(crate) fn row(name: &str) -> Option<&'static RowOf> {
    ROWS.iter().find(|row| row.name == name)
}

/// `("command", 64)` of `command-64`.
pub(crate) fn numbered(row: &str) -> Option<(&str, u32)> {
    let (name, number) = row.rsplit_once('-')?;
    Some((name, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn a_number_stands_at_the_end_of_a_name() {
        assert_eq!(numbered("command-64"), Some(("command", 64)));
        assert_eq!(numbered("read-all"), None);
    }
}
