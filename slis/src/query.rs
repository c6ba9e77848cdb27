//! SQL over an archive, in process: read-only, bounded in memory, spilling to a folder that is its own.
//!
//! The one door to DataFusion. How long a query may take is its caller's business: what it returns are futures. Must never
//! let a statement change or write anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures::StreamExt;
use thiserror::Error;

use crate::archive::{self, ArchiveError, CONTRIBUTIONS, EVENTS, Manifest, contributions_schema, events_schema};
use crate::buckets::Buckets;

/// Longer statements are refused: nobody types them.
const SQL_BYTES_MAX: usize = 64 * 1024;

/// What a query may use.
#[derive(Debug, Clone)]
pub struct QueryLimits {
    /// Memory of a query, in bytes; what does not fit is spilled.
    pub memory_bytes: usize,
    /// What may be spilled, in bytes.
    pub spill_bytes: u64,
    /// Rows that are returned.
    pub rows_max: usize,
    /// Threads.
    pub threads: usize,
    /// Where it spills to.
    pub spill_folder: PathBuf,
}

/// A query that cannot be answered.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum QueryError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("{0}")]
    Statement(String),
    #[error("it needs more memory than it may have: {0} (hint: select less, or give it more with --memory)")]
    Memory(String),
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// A result: names of columns and rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names, in order.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// There were more rows.
    pub is_cut: bool,
}

/// Tables that can be asked.
#[derive(Clone)]
pub struct Store {
    context: SessionContext,
    rows_max: usize,
}

impl Store {
    /// A store without tables.
    ///
    /// # Errors
    /// When the spill folder cannot be used.
    pub fn new(limits: &QueryLimits) -> Result<Store, QueryError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_limit(limits.memory_bytes, 1.0)
            .with_temp_file_path(&limits.spill_folder)
            .with_max_temp_directory_size(limits.spill_bytes)
            .build_arc()
            .map_err(said)?;
        let mut config =
            SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(true);
        config.options_mut().sql_parser.enable_ident_normalization = true;
        Ok(Store { context: SessionContext::new_with_config_rt(config, runtime), rows_max: limits.rows_max })
    }

    /// The tables of an archive: `events` and `contributions`. Only files that the manifest names are read.
    ///
    /// # Errors
    /// When the manifest is broken or a file is missing.
    pub fn with_archive(limits: &QueryLimits, folder: &Path) -> Result<Store, QueryError> {
        let store = Store::new(limits)?;
        let manifest = Manifest::read(folder, None)?;
        for (name, schema) in [(EVENTS, events_schema()), (CONTRIBUTIONS, viewed(&contributions_schema()))] {
            let files = manifest.files().filter(|file| file.table == name);
            let files: Result<Vec<ListingTableUrl>, QueryError> = files.map(|file| url(folder, &file.path)).collect();
            store.register_files(name, files?, schema)?;
        }
        Ok(store)
    }

    fn register_files(&self, name: &str, files: Vec<ListingTableUrl>, schema: SchemaRef) -> Result<(), QueryError> {
        if files.is_empty() {
            return self.register(name, schema, Vec::new());
        }
        let options = ListingOptions::new(Arc::new(ParquetFormat::default().with_force_view_types(false)))
            .with_file_extension(".parquet");
        let config = ListingTableConfig::new_with_multi_paths(files).with_listing_options(options).with_schema(schema);
        let table = ListingTable::try_new(config).map_err(said)?;
        self.context.register_table(name, Arc::new(table)).map(drop).map_err(said)
    }

    /// The table of contributions, of buckets in memory: what is live.
    ///
    /// # Errors
    /// When the columns do not fit, which no bucket can bring about.
    pub fn with_buckets(limits: &QueryLimits, buckets: &Buckets) -> Result<Store, QueryError> {
        let batch = archive::contributions(&buckets.rows());
        let batch = batch.map_err(|error| QueryError::Statement(error.to_string()))?;
        let store = Store::new(limits)?;
        store.register(CONTRIBUTIONS, contributions_schema(), vec![batch])?;
        Ok(store)
    }

    fn register(&self, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<(), QueryError> {
        let table = MemTable::try_new(schema, vec![batches]).map_err(said)?;
        self.context.register_table(name, Arc::new(table)).map(drop).map_err(said)
    }

    /// Makes a name stand for a SELECT, for later statements; what had the name before is gone.
    ///
    /// # Errors
    /// When the SELECT is none.
    pub(crate) async fn define(&self, name: &str, sql: &str) -> Result<(), QueryError> {
        let view = self.context.sql_with_options(sql, read_only()).await.map_err(said)?.into_view();
        self.context.deregister_table(name).map_err(said)?;
        self.context.register_table(name, view).map(drop).map_err(said)
    }

    /// Keeps the result of a SELECT in memory under a name, for later statements; what had the name before is gone.
    ///
    /// # Errors
    /// When the SELECT is none, or needs more memory than it may have.
    pub(crate) async fn keep(&self, name: &str, sql: &str) -> Result<(), QueryError> {
        let frame = self.context.sql_with_options(sql, read_only()).await.map_err(said)?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await.map_err(said)?;
        self.context.deregister_table(name).map_err(said)?;
        self.register(name, schema, batches)
    }

    /// The rows of a SELECT, as they come.
    ///
    /// # Errors
    /// When the statement is wrong, or would change something.
    pub(crate) async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream, QueryError> {
        if sql.len() > SQL_BYTES_MAX {
            return Err(QueryError::Statement(format!("the statement is longer than {SQL_BYTES_MAX} bytes")));
        }
        let frame = self.context.sql_with_options(sql, read_only()).await.map_err(said)?;
        frame.execute_stream().await.map_err(said)
    }

    /// The result of a SELECT, cut behind `rows_max` rows.
    ///
    /// # Errors
    /// When the statement is wrong, would change something, or needs more memory than it may have.
    pub async fn select(&self, sql: &str) -> Result<Table, QueryError> {
        let mut stream = self.stream(sql).await?;
        let schema = stream.schema();
        let mut table =
            Table { columns: schema.fields().iter().map(|field| field.name().clone()).collect(), ..Table::default() };
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(said)?;
            let room = self.rows_max.saturating_sub(table.rows.len());
            table.is_cut = batch.num_rows() > room;
            let rows = cells(&batch.slice(0, batch.num_rows().min(room)))?;
            table.rows.extend(rows);
            if table.is_cut {
                break;
            }
        }
        Ok(table)
    }
}

fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// What DataFusion says, in words for who typed the statement.
pub(crate) fn said(error: DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(why) => {
            QueryError::Memory(why.lines().next().unwrap_or_default().to_owned())
        }
        DataFusionError::Plan(why) if why.contains("not supported: ") => {
            QueryError::Statement(format!("only SELECT is answered ({why})"))
        }
        root => {
            let why = root.strip_backtrace();
            let is_spilt = why.contains("max_temp_directory_size");
            if is_spilt { QueryError::Memory(why) } else { QueryError::Statement(why) }
        }
    }
}

/// A file's URL; its path as it is, whatever letters it holds.
fn url(folder: &Path, path: &str) -> Result<ListingTableUrl, QueryError> {
    let folder = folder.canonicalize().map_err(|error| ArchiveError::Io { file: folder.to_owned(), error })?;
    let file = folder.join(path);
    if !file.is_file() {
        return Err(ArchiveError::Missing { file: path.to_owned() }.into());
    }
    let mut url = "file://".to_owned();
    for byte in file.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~=".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    ListingTableUrl::parse(url).map_err(said)
}

/// The same columns, texts read as views of where they stand in a file's dictionary: nothing is copied for a row.
fn viewed(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The values of a batch, by row.
fn cells(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, QueryError> {
    let options = FormatOptions::default();
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for column in batch.columns() {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options);
        let formatter = formatter.map_err(|error| QueryError::Statement(error.to_string()))?;
        for (at, row) in rows.iter_mut().enumerate() {
            row.push(if column.is_null(at) {
                Cell::Null
            } else {
                cell(column.data_type(), formatter.value(at).to_string())
            });
        }
    }
    Ok(rows)
}

fn cell(data_type: &DataType, text: String) -> Cell {
    let typed = match data_type {
        DataType::Boolean => text.parse().ok().map(Cell::Bool),
        of if of.is_integer() => text.parse().ok().map(Cell::Int),
        of if of.is_floating() => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Cell::Float),
        _ => None,
    };
    typed.unwrap_or(Cell::Text(text))
}
