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
    /// Each with the address of its record; those behind `filled` are room.
    rows: Vec<(usize, Row)>,
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
    pub(crate) fn take(&mut self, record: &str, row: &mut Row) -> bool {
        let address = record.as_ptr() as usize;
        while let Some((start, filled)) = self.rows.get_mut(self.next).filter(|_| self.next < self.filled) {
            if *start > address {
                return false;
            }
            self.next += 1;
            if *start == address {
                std::mem::swap(row, filled);
                return true;
            }
        }
        false
    }

    /// Makes room for one more row, whose record begins at this address, and says its number; None: there are enough.
    pub(super) fn begin(&mut self, address: usize) -> Option<usize> {
        let number = self.filled;
        match self.rows.get_mut(number) {
            Some((start, _)) => *start = address,
            None if number < ROWS_MAX => self.rows.push((address, Row::default())),
            None => return None,
        }
        self.filled += 1;
        Some(number)
    }

    /// Exchanges a row and the one of this number.
    pub(super) fn swap(&mut self, number: usize, row: &mut Row) {
        if let Some((_, filled)) = self.rows.get_mut(number) {
            std::mem::swap(row, filled);
        }
    }
}
