//! How a database finds what a statement asks for, and what is wrong with that.

use sqlx::Error;
use storage::Connection;

/// A plan: a line a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps, as the database words them.
    pub steps: Vec<String>,
}

/// What PostgreSQL may not do. It sorts where no index has the order, and passes rows over by a filter where none has them.
const BAD_ON_POSTGRES: [&str; 6] =
    ["Seq Scan on", "Sort", "Hash", "Materialize", "Filter:", "Rows Removed"];
/// What SQLite may not do.
const BAD_ON_SQLITE: [&str; 2] = ["SCAN ", "USE TEMP B-TREE"];
/// What only looks like it: a list that came as a parameter.
const HARMLESS: [&str; 3] = ["SCAN json_each", "SCAN CONSTANT ROW", "Function Scan on"];

impl Plan {
    /// Every step that reads past what is not wanted, or sorts. A line that `known` has a part of is let pass: who gives it says why.
    #[must_use]
    pub fn faults(&self, known: &[&str]) -> Vec<&str> {
        let mut faults = Vec::new();
        for (place, step) in self.steps.iter().enumerate() {
            let has = |part: &&str| step.contains(*part);
            let bad = BAD_ON_POSTGRES.iter().chain(&BAD_ON_SQLITE).any(has);
            // An index that is read from its beginning is read whole.
            let whole = is_index_scan(step) && !self.is_bounded(place);
            if (bad || whole) && !HARMLESS.iter().chain(known).any(has) {
                faults.push(step.as_str());
            }
        }
        faults
    }

    /// Whether a condition on the index follows a step, before the next step does.
    fn is_bounded(&self, place: usize) -> bool {
        let details = self.steps.iter().skip(place + 1).take_while(|step| !step.contains("->"));
        details.into_iter().any(|step| step.contains("Index Cond:"))
    }

    /// The steps that say which index is used, for a table.
    #[must_use]
    pub fn short(&self) -> String {
        let named = |step: &&String| step.contains("Index") || step.contains("SEARCH");
        let mut short: Vec<&str> = Vec::new();
        for step in self.steps.iter().filter(named).filter(|step| !step.contains("Cond:")) {
            let step = step.trim_start_matches([' ', '-', '>']);
            let step = step.split("  (").next().unwrap_or(step);
            if !short.contains(&step) {
                short.push(step);
            }
        }
        short.join("; ")
    }
}

fn is_index_scan(step: &str) -> bool {
    ["Index Scan", "Index Only Scan"].iter().any(|scan| step.contains(scan))
}

/// How SQLite finds it: its plans do not change with what is in the tables.
///
/// # Errors
///
/// The database's own.
pub async fn on_sqlite(connection: &mut Connection, statement: &str) -> Result<Plan, Error> {
    let rows =
        connection.query(leak(format!("EXPLAIN QUERY PLAN {statement}"))).fetch_all().await?;
    let steps = rows.iter().map(|row| row.try_get("detail")).collect::<Result<_, _>>()?;
    Ok(Plan { steps })
}

/// How PostgreSQL finds it whatever it is asked for: the plan that it keeps for a prepared statement. With `any_size`, as if tables
/// were so large that neither reading one whole nor sorting were worth it.
///
/// # Errors
///
/// The database's own.
pub async fn on_postgres(
    connection: &mut Connection,
    statement: &str,
    any_size: bool,
) -> Result<Plan, Error> {
    let dear = if any_size { "off" } else { "on" };
    for setting in ["enable_seqscan", "enable_sort"] {
        connection.query(leak(format!("SET {setting} = {dear}"))).execute().await?;
    }
    connection.query("SET plan_cache_mode = force_generic_plan").execute().await?;
    connection.query(leak(format!("PREPARE asked AS {statement}"))).execute().await?;
    let explain = leak(format!("EXPLAIN EXECUTE asked{}", nothing_for(statement)));
    let explained = connection.query(explain).fetch_all().await;
    connection.query("DEALLOCATE asked").execute().await?;
    let steps = explained?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(Plan { steps })
}

/// `(NULL, NULL)` for a statement of two parameters.
fn nothing_for(statement: &str) -> String {
    let count = (1..100).take_while(|number| has_parameter(statement, *number)).count();
    if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) }
}

fn has_parameter(statement: &str, number: usize) -> bool {
    let name = format!("${number}");
    statement
        .split(name.as_str())
        .skip(1)
        .any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Statements are kept for ever: there are as many as the API has.
fn leak(text: String) -> &'static str {
    String::leak(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        Plan { steps: text.lines().map(str::to_owned).collect() }
    }

    #[test]
    fn a_filter_without_an_index_is_a_fault() {
        let filtered = plan(
            "Limit\n  ->  Index Scan using a on t\n        Index Cond: (x > $1)\n        Filter: (y = $2)",
        );
        assert_eq!(filtered.faults(&[]), ["        Filter: (y = $2)"]);
        assert_eq!(filtered.faults(&["(y = $2)"]), [""; 0]);
        assert_eq!(filtered.short(), "Index Scan using a on t");
    }

    #[test]
    fn an_index_that_is_read_whole_is_a_fault() {
        let whole = plan(
            "Merge Append\n  ->  Index Scan using a on t\n  ->  Index Scan using b on t\n        Index Cond: (x > $1)",
        );
        assert_eq!(whole.faults(&[]), ["  ->  Index Scan using a on t"]);
    }

    #[test]
    fn sqlite_may_neither_scan_nor_sort() {
        let plan = plan(
            "SEARCH t USING INDEX a (x=?)\nSCAN u\nUSE TEMP B-TREE FOR ORDER BY\nSCAN json_each VIRTUAL TABLE INDEX 1:",
        );
        assert_eq!(plan.faults(&[]), ["SCAN u", "USE TEMP B-TREE FOR ORDER BY"]);
    }

    #[test]
    fn parameters_are_counted() {
        assert_eq!(nothing_for("a = $1 AND b = $2 OR c = $1"), "(NULL, NULL)");
        assert_eq!(nothing_for("SELECT 1"), "");
    }
}
