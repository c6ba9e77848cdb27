//! `pipewarden query`: SQL over an archive, read-only, bounded in time and memory.
//!
//! Runs and prints; what is asked and how stands in `slis`. Must never print a row that was not asked for.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value};
use slis::query::{Cell, QueryError, QueryLimits, Store, Table};
use tokio::runtime::Runtime;

use crate::archive_command::is_archive;
use crate::rules_command::{print, table};

/// Stack of a query's threads, in bytes: plans of deep statements are walked by recursion.
const STACK_BYTES: usize = 32 << 20;

const FAULT: &str = "the query ended in a fault";

/// What a query may use.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Resources {
    /// Memory that a query may use, in MiB; what does not fit is spilled
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..))]
    memory: u32,
    /// Where a query spills to (default: the folder for temporary files)
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
}

impl Default for Resources {
    fn default() -> Resources {
        Resources { memory: 1024, spill: None }
    }
}

impl Resources {
    /// For an archive.
    pub(crate) fn limits(&self) -> QueryLimits {
        QueryLimits {
            memory_bytes: self.memory as usize * (1 << 20),
            spill_bytes: 64 << 30,
            rows_max: usize::MAX,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            spill_folder: self.spill.clone().unwrap_or_else(std::env::temp_dir),
        }
    }
}

/// Ask an archive in SQL.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tables: events (a column for each field of the event model, dots as underscores) and contributions (what events add to
indicators, by minute). `SHOW` is not answered; `SELECT * FROM information_schema.columns` lists columns.

Examples:
  pipewarden query --archive DIR 'SELECT class, count(*) FROM events GROUP BY class ORDER BY 2 DESC'
  pipewarden query --archive DIR --json \"SELECT time, prov_repo FROM events WHERE class = 'scm.push'\"

Exit codes: 0 done; 1 a statement that is wrong, or needs more time or memory than it may have.")]
pub struct QueryArgs {
    /// The statement: a SELECT
    sql: String,
    /// The archive
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// How long it may take
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    timeout: String,
    /// Rows that are printed
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    rows: usize,
    #[command(flatten)]
    resources: Resources,
    /// Print each row as a JSON object, one a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, a statement that is wrong, or one that needs more than it may have.
pub fn run(args: &QueryArgs) -> anyhow::Result<ExitCode> {
    is_archive(&args.archive)?;
    let span = || format!("--timeout {}: not a span (hint: a number and ms, s, m, h or d, like 60s)", args.timeout);
    let timeout_ms = model::parse_span_ms(&args.timeout).with_context(span)?;
    let limits = QueryLimits { rows_max: args.rows, ..args.resources.limits() };
    let store = Store::with_archive(&limits, &args.archive)?;
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    let sql = args.sql.clone();
    let result = wait_at_most(timeout, async move { store.select(&sql).await })?;
    print(&if args.json { as_lines(&result) } else { in_columns(&result) })?;
    if result.is_cut {
        tracing::warn!("only the first {} rows (hint: --rows, or LIMIT)", args.rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for an answer, on threads of its own.
///
/// # Errors
/// What the answer says.
pub(crate) fn wait<T: Send>(answer: impl Future<Output = Result<T, QueryError>> + Send) -> anyhow::Result<T> {
    let runtime = threads()?;
    std::thread::scope(|scope| {
        let asked = || runtime.block_on(answer);
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, asked);
        let answered = thread.context("a thread for the query")?.join();
        Ok(answered.map_err(|_| anyhow!(FAULT))??)
    })
}

/// The same for as long as it may take. The clock runs here: an answer may keep all of its threads busy and look at none.
fn wait_at_most<T: Send + 'static>(
    span: Duration,
    answer: impl Future<Output = Result<T, QueryError>> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = threads()?;
    let (tell, told) = mpsc::sync_channel(1);
    runtime.spawn(async move { tell.send(answer.await) });
    let answered = told.recv_timeout(span);
    // What still runs is not waited for.
    runtime.shutdown_background();
    match answered {
        Ok(answered) => Ok(answered?),
        Err(RecvTimeoutError::Timeout) => {
            bail!("took longer than {} s (hint: select less, or --timeout)", span.as_secs_f64())
        }
        Err(RecvTimeoutError::Disconnected) => bail!(FAULT),
    }
}

fn threads() -> anyhow::Result<Runtime> {
    let threads = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK_BYTES).enable_all().build();
    threads.context("threads for the query")
}

fn in_columns(result: &Table) -> String {
    let names: Vec<&str> = result.columns.iter().map(String::as_str).collect();
    let mut rows = table(&names, &(0..names.len()).collect::<Vec<_>>());
    for row in &result.rows {
        rows.add_row(row.iter().map(text));
    }
    format!("{}\n", rows.trim_fmt())
}

fn as_lines(result: &Table) -> String {
    let line = |row: &Vec<Cell>| {
        let pairs = result.columns.iter().cloned().zip(row.iter().map(json));
        format!("{}\n", Value::Object(pairs.collect::<Map<_, _>>()))
    };
    result.rows.iter().map(line).collect()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Float(number) => number.to_string(),
        // What a tenant wrote must not move the cursor of who reads it.
        Cell::Text(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    }
}

fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(value) => (*value).into(),
        Cell::Int(number) => (*number).into(),
        Cell::Float(number) => (*number).into(),
        Cell::Text(text) => text.as_str().into(),
    }
}
