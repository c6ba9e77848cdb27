//! Outlets: where records leave. A line of JSON each, flushed when the pipeline says so.
//!
//! An outlet never decides anything; when one fails, the pipeline stops before it commits what was not written.

use std::io::{self, Write};

use model::{AlertRecord, IncidentRecord};

/// Somewhere records go.
pub trait Outlet {
    /// Takes a record, given as a value and as the line of JSON that is written (without line feed).
    ///
    /// # Errors
    /// When it cannot be taken.
    fn put(&mut self, record: &AlertRecord, line: &str) -> Result<(), OutletError>;

    /// Takes an incident record, where it is an outlet for them.
    ///
    /// # Errors
    /// When it cannot be taken.
    fn put_incident(&mut self, _record: &IncidentRecord, _line: &str) -> Result<(), OutletError> {
        Ok(())
    }

    /// Returns once everything taken so far is where it belongs.
    ///
    /// # Errors
    /// When something could not be delivered.
    fn flush(&mut self) -> Result<(), OutletError>;
}

/// A record could not be delivered.
#[derive(Debug, thiserror::Error)]
#[error("{outlet}: {reason}")]
pub struct OutletError {
    /// Which outlet.
    pub outlet: String,
    /// What happened.
    pub reason: String,
    /// Trying again can help.
    pub retryable: bool,
}

/// JSON Lines to a file or a stream.
pub struct JsonLines<W: Write> {
    name: String,
    writer: io::BufWriter<W>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `writer`; `name` is for messages.
    pub fn new(name: impl Into<String>, writer: W) -> Self {
        JsonLines { name: name.into(), writer: io::BufWriter::new(writer) }
    }

    fn write(&mut self, line: &str) -> Result<(), OutletError> {
        let written = self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> OutletError {
        OutletError { outlet: self.name.clone(), reason: error.to_string(), retryable: false }
    }
}

impl<W: Write> Outlet for JsonLines<W> {
    fn put(&mut self, _: &AlertRecord, line: &str) -> Result<(), OutletError> {
        self.write(line)
    }

    fn put_incident(&mut self, _: &IncidentRecord, line: &str) -> Result<(), OutletError> {
        self.write(line)
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        self.writer.flush().map_err(|error| self.failed(&error))
    }
}
