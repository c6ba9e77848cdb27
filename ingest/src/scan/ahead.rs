//! Rows of the records that stand in a scanned one, filled by the scan that passes over them.
//!
//! What is asked of a container is mostly asked of what stands in it, too: so its bytes are passed once. Only the first few
//! of a small container are read ahead, so that no record makes this memory large. Must never be asked for a record that
//! does not stand in the one that was scanned last, and never change what a row says.

use model::Row;

/// So many rows are filled ahead; what stands behind them is scanned when its turn comes.
pub(super) const ROWS_MAX: usize = 32;
/// Records in larger containers are scanned when their turn comes.
pub(super) const RECORD_BYTES_MAX: usize = 16_384;

/// The rows, in the order in which their records begin.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// Each with the address of its record; those behind `filled` are room, and one that is being filled is none.
    rows: Vec<(usize, Option<Box<Row>>)>,
    filled: usize,
    next: usize,
}

impl Ahead {
    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        (self.filled, self.next) = (0, 0);
    }

    /// No row is filled.
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Puts the row of a record that stands in the one scanned last into `row`; false where it was not filled ahead.
    /// Records are asked for in the order in which they stand.
    pub(crate) fn take(&mut self, record: &str, row: &mut Box<Row>) -> bool {
        let address = record.as_ptr() as usize;
        while let Some((start, filled)) = self.rows.get_mut(self.next).filter(|_| self.next < self.filled) {
            if *start > address {
                return false;
            }
            self.next += 1;
            if *start == address {
                return filled.as_mut().map(|filled| std::mem::swap(row, filled)).is_some();
            }
        }
        false
    }

    /// A row to be filled and brought back, for a record that begins at this address, and its number; None: there are
    /// enough.
    pub(super) fn begin(&mut self, address: usize) -> Option<(usize, Box<Row>)> {
        let number = self.filled;
        let row = match self.rows.get_mut(number) {
            Some((start, row)) => {
                *start = address;
                row.take()
            }
            None if number < ROWS_MAX => {
                self.rows.push((address, None));
                None
            }
            None => return None,
        };
        self.filled += 1;
        Some((number, row.unwrap_or_default()))
    }

    /// Takes back the row of this number.
    pub(super) fn end(&mut self, number: usize, row: Box<Row>) {
        if let Some((_, filled)) = self.rows.get_mut(number) {
            *filled = Some(row);
        }
    }
}
