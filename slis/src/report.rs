//! The values of indicators over a span of time: by the SQL of their definitions, over contributions wherever they are kept.
//!
//! The same statements answer for buckets in memory and for an archive. Must never make a value where nothing was counted.

use std::collections::BTreeMap;

use crate::burn::wilson_95;
use crate::definition::{Definition, Kind};
use crate::histogram::quantile_us;
use crate::query::{Cell, QueryError, Store, Table};

/// Shares of fewer than this many are told with an interval.
pub const FEW: i64 = 100;

/// By what values are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// All in one.
    Whole,
    /// `prov.team`.
    Team,
    /// `prov.env`.
    Environment,
    /// `prov.repo`.
    Repository,
    /// What the indicator itself tells apart: a severity.
    Label,
}

impl By {
    /// The column of contributions, as SQL.
    fn column(self) -> &'static str {
        match self {
            By::Whole => "''",
            By::Team => "team",
            By::Environment => "environment",
            By::Repository => "repository",
            By::Label => "label",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// From when, in milliseconds; inclusive, by whole minutes.
    pub from_ms: i64,
    /// Until when, exclusive.
    pub to_ms: i64,
    /// By what.
    pub by: By,
    /// Only of this team, environment and repository, where one is named.
    pub team: Option<String>,
    #[allow(missing_docs)]
    pub environment: Option<String>,
    #[allow(missing_docs)]
    pub repository: Option<String>,
}

/// Quantiles of a duration, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Quantiles {
    pub p50_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
}

/// The value of one indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Whose; empty: all, or what the events do not say.
    pub key: String,
    /// A share, a count, or seconds. None: no data.
    pub value: Option<f64>,
    /// Good ones.
    pub good: i64,
    /// All that count.
    pub total: i64,
    /// Those within maintenance, which do not count.
    pub excluded: i64,
    /// Of a duration.
    pub quantiles: Option<Quantiles>,
    /// Of a share of few: 95 %.
    pub interval: Option<(f64, f64)>,
}

/// Values of one indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// Its place among the definitions.
    pub definition: usize,
    /// By key; one without data where there are none.
    pub values: Vec<Value>,
}

/// The values of all indicators.
///
/// # Errors
/// When a definition's SQL is wrong, or contributions cannot be read.
pub async fn report(store: &Store, definitions: &[Definition], asked: &Asked) -> Result<Vec<Reported>, QueryError> {
    let mut reported = Vec::new();
    // One pass over the contributions for all indicators: what is asked of each is sums of sums.
    store.keep("folded", &folded(asked)).await?;
    for (number, definition) in definitions.iter().enumerate() {
        store.define("own", &own(definition)).await?;
        let values = store.select(&definition.sql).await.map_err(|error| of(definition, error))?;
        let counted = store.select("SELECT key, sum(good), sum(total), sum(excluded) FROM own GROUP BY key").await?;
        let quantiles = if definition.kind == Kind::Duration { quantiles(store).await? } else { BTreeMap::new() };
        reported.push(Reported { definition: number, values: join(definition, &values, &counted, &quantiles)? });
    }
    Ok(reported)
}

fn of(definition: &Definition, error: QueryError) -> QueryError {
    match error {
        QueryError::Statement(why) => QueryError::Statement(format!("{}: sql: {why}", definition.code)),
        other => other,
    }
}

/// The contributions of all indicators, added up by key, label and bucket.
fn folded(asked: &Asked) -> String {
    let sums = ["good", "total", "excluded", "measured", "sum_us", "seen"].map(|name| format!("sum({name}) AS {name}"));
    format!(
        "SELECT indicator, {} AS key, label, bucket, {} FROM contributions WHERE {} GROUP BY 1, 2, 3, 4",
        asked.by.column(),
        sums.join(", "),
        of_whom(asked, asked.from_ms),
    )
}

/// What an indicator's SQL sees of them, as `own`.
fn own(definition: &Definition) -> String {
    format!(
        "SELECT key, label, bucket, good, total, excluded, measured, sum_us, seen FROM folded WHERE indicator = {}",
        quoted(&definition.code)
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The rows of an indicator from a time on until the end that is asked for, of whom is asked for; as SQL.
pub(crate) fn of_indicator(code: &str, asked: &Asked, from_ms: i64) -> String {
    format!("indicator = {} AND {}", quoted(code), of_whom(asked, from_ms))
}

fn of_whom(asked: &Asked, from_ms: i64) -> String {
    let minute = |ms: i64| format!("arrow_cast({ms}, 'Timestamp(Millisecond, Some(\"UTC\"))')");
    let mut sql = format!("minute >= {} AND minute < {}", minute(from_ms), minute(asked.to_ms));
    let narrowed = [("team", &asked.team), ("environment", &asked.environment), ("repository", &asked.repository)];
    for (column, value) in narrowed {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {column} = {}", quoted(value)));
        }
    }
    sql
}

/// Quantiles by key, of whole counts of buckets.
async fn quantiles(store: &Store) -> Result<BTreeMap<String, Quantiles>, QueryError> {
    let sql = "SELECT key, bucket, sum(measured) FROM own WHERE bucket >= 0 GROUP BY key, bucket ORDER BY key, bucket";
    let mut by_key: BTreeMap<String, Vec<(i32, i64)>> = BTreeMap::new();
    for row in store.select(sql).await?.rows {
        if let [Cell::Text(key), Cell::Int(bucket), Cell::Int(count)] = row.as_slice() {
            let bucket = i32::try_from(*bucket).unwrap_or(i32::MAX);
            by_key.entry(key.clone()).or_default().push((bucket, *count));
        }
    }
    let of = |buckets: &[(i32, i64)]| {
        let at = |permille| quantile_us(buckets, permille);
        Some(Quantiles { p50_us: at(500)?, p95_us: at(950)?, p99_us: at(990)? })
    };
    Ok(by_key.into_iter().filter_map(|(key, buckets)| Some((key, of(&buckets)?))).collect())
}

/// The rows of a definition's SQL with what is known beside them.
fn join(
    definition: &Definition,
    values: &Table,
    counted: &Table,
    quantiles: &BTreeMap<String, Quantiles>,
) -> Result<Vec<Value>, QueryError> {
    let place = |name: &str| values.columns.iter().position(|column| column == name);
    let (Some(key_at), Some(value_at)) = (place("key"), place("value")) else {
        let why = format!("{}: sql: has no columns `key` and `value`", definition.code);
        return Err(QueryError::Statement(why));
    };
    let mut known: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    for row in &counted.rows {
        if let [Cell::Text(key), Cell::Int(good), Cell::Int(total), Cell::Int(excluded)] = row.as_slice() {
            known.insert(key, [*good, *total, *excluded]);
        }
    }
    let mut all: Vec<Value> = Vec::new();
    for row in &values.rows {
        let Some(Cell::Text(key)) = row.get(key_at) else { continue };
        let value = match row.get(value_at) {
            Some(Cell::Float(value)) => Some(*value),
            Some(Cell::Int(value)) => Some(*value as f64),
            _ => None,
        };
        let [good, total, excluded] = known.get(key.as_str()).copied().unwrap_or_default();
        let is_share = matches!(definition.kind, Kind::Ratio | Kind::Rate);
        let few = is_share && total < FEW;
        let share = if definition.kind == Kind::Rate { total.saturating_sub(good) } else { good };
        all.push(Value {
            key: key.clone(),
            value,
            good,
            total,
            excluded,
            quantiles: quantiles.get(key).copied(),
            interval: if few && value.is_some() { wilson_95(share, total) } else { None },
        });
    }
    all.sort_by(|a, b| a.key.cmp(&b.key));
    if all.is_empty() {
        let none =
            Value { key: String::new(), value: None, good: 0, total: 0, excluded: 0, quantiles: None, interval: None };
        all.push(none);
    }
    Ok(all)
}
