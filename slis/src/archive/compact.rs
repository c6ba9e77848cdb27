//! Small files of one day and class become one; files that were kept long enough go.
//!
//! Both say so in the manifest first. Must never lose a row of what is kept, nor keep one of what has expired.

use std::collections::BTreeMap;
use std::fs::File;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::{Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::write::write;
use super::{Archive, ArchiveError, Change, EVENTS, Entry, Operation, Positions, at, events_schema};

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Files that are gone.
    pub removed: usize,
    /// Files that stand in their place.
    pub added: usize,
}

impl Archive {
    /// Puts the files of a day and class into one, where there are several and none has more than `rows_max` rows.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn compact(&mut self, rows_max: u64) -> Result<Tidied, ArchiveError> {
        let mut groups: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
        for file in self.manifest().files().filter(|file| file.table == EVENTS && file.rows < rows_max) {
            groups.entry((file.day.clone(), file.class.clone())).or_default().push(file.clone());
        }
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (part, ((day, class), files)) in groups.into_iter().filter(|(_, files)| files.len() > 1).enumerate() {
            let path = self.path_of(EVENTS, &day, &class, part);
            let joined = self.joined(&files).map_err(|why| ArchiveError::Parquet { file: path.clone(), why })?;
            added.push(write(self, EVENTS, (&path, &day, &class), &joined)?);
            removed.extend(files.into_iter().map(|file| file.path));
        }
        let tidied = Tidied { removed: removed.len(), added: added.len() };
        self.commit(Change { operation: Operation::Compact, added, removed, positions: Positions::new() })?;
        Ok(tidied)
    }

    /// Lets go of every file whose day is before `day` (`2026-09-01`), whatever its table.
    ///
    /// # Errors
    /// When the manifest cannot be written or a file not removed.
    pub fn expire(&mut self, day: &str) -> Result<Tidied, ArchiveError> {
        // Rows without a time have no day and stay.
        let is_over =
            |file: &&Entry| file.day.starts_with(|first: char| first.is_ascii_digit()) && file.day.as_str() < day;
        let removed: Vec<String> = self.manifest().files().filter(is_over).map(|file| file.path.clone()).collect();
        let tidied = Tidied { removed: removed.len(), added: 0 };
        self.commit(Change { operation: Operation::Expire, added: Vec::new(), removed, positions: Positions::new() })?;
        Ok(tidied)
    }

    /// The rows of some files in order of time, with every column that one of them has.
    fn joined(&self, files: &[Entry]) -> Result<RecordBatch, String> {
        let mut batches = Vec::new();
        for entry in files {
            let file = self.folder().join(&entry.path);
            let opened = File::open(&file).map_err(|error| at(&file)(error).to_string())?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(opened).and_then(|builder| builder.build());
            for batch in reader.map_err(|error| error.to_string())? {
                batches.push(batch.map_err(|error| error.to_string())?);
            }
        }
        let has = |name: &str| batches.iter().any(|batch| batch.schema().field_with_name(name).is_ok());
        let all = events_schema();
        let fields: Vec<Field> =
            all.fields().iter().filter(|field| has(field.name())).map(|field| field.as_ref().clone()).collect();
        let schema = std::sync::Arc::new(Schema::new(fields));
        let widened: Result<Vec<RecordBatch>, String> = batches.iter().map(|batch| widen(batch, &schema)).collect();
        let joined = concat_batches(&schema, &widened?).map_err(|error| error.to_string())?;
        let by = ["time", "source", "id", "event_sha256"].into_iter().filter_map(|name| joined.column_by_name(name));
        let by: Vec<SortColumn> = by.map(|column| SortColumn { values: column.clone(), options: None }).collect();
        let order = lexsort_to_indices(&by, None).map_err(|error| error.to_string())?;
        take_record_batch(&joined, &order).map_err(|error| error.to_string())
    }
}

/// A batch with the columns of a schema; those that it has not are empty.
fn widen(batch: &RecordBatch, schema: &std::sync::Arc<Schema>) -> Result<RecordBatch, String> {
    let column = |field: &std::sync::Arc<Field>| {
        let empty = || datafusion::arrow::array::new_null_array(field.data_type(), batch.num_rows());
        batch.column_by_name(field.name()).cloned().unwrap_or_else(empty)
    };
    RecordBatch::try_new(schema.clone(), schema.fields().iter().map(column).collect())
        .map_err(|error| error.to_string())
}
