//! What stands encoded in a record's fields, opened once for all rows that ask for a part of it.
//!
//! Lives as long as one decoded record. Must never outlive the row that its texts stand in, and never be asked for
//! anything that no row wants: nothing is opened beforehand.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::certificate::Certificate;
use super::in_toto::Statement;
use crate::letters;

/// Certificates and statements of one record, each read when it is first asked for. Nearly all records have none, and then
/// this is one empty place.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Memo(OnceCell<Box<Opened>>);

#[derive(Debug, Default, Clone, PartialEq)]
struct Opened {
    certificates: Once<Certificate>,
    payloads: Once<Vec<u8>>,
    statements: Once<Statement>,
}

impl Memo {
    /// The certificate that a value of the record is.
    pub(super) fn certificate(&self, text: &str) -> Option<Rc<Certificate>> {
        self.0.get_or_init(Box::default).certificates.of(text, Certificate::read)
    }

    /// The statement that a payload of the record is.
    pub(super) fn statement(&self, payload: &str) -> Option<Rc<Statement>> {
        let opened = self.0.get_or_init(Box::default);
        opened.statements.of(payload, |text| match opened.payloads.of(text, letters::standard) {
            Some(bytes) => Statement::read(&bytes),
            None => Statement::read(&letters::in_lines(text.as_bytes())?),
        })
    }

    /// The bytes behind a payload that is base64 of the standard alphabet: of its statement, and of the record in it.
    pub(super) fn payload(&self, text: &str) -> Option<Rc<Vec<u8>>> {
        self.0.get_or_init(Box::default).payloads.of(text, letters::standard)
    }
}

/// What values turned out to be, by the place they stand in.
#[derive(Debug, Clone, PartialEq)]
struct Once<T>(RefCell<Vec<Known<T>>>);

type Known<T> = ((usize, usize), Option<Rc<T>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once(RefCell::default())
    }
}

impl<T> Once<T> {
    fn of(&self, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Rc<T>> {
        let place = (text.as_ptr() as usize, text.len());
        let mut known = self.0.borrow_mut();
        if let Some((_, found)) = known.iter().find(|(known, _)| *known == place) {
            return found.clone();
        }
        let found = read(text).map(Rc::new);
        known.push((place, found.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_value_is_read_once_and_others_by_themselves() {
        let (once, reads) = (Once::default(), Cell::new(0));
        let length = |text: &str| {
            reads.set(reads.get() + 1);
            Some(text.len()).filter(|len| *len > 1)
        };
        let text = "ab c";
        let (two, one) = (&text[..2], &text[3..]);
        for _ in 0..3 {
            assert_eq!(once.of(two, length).as_deref(), Some(&2));
            assert_eq!(once.of(one, length), None);
        }
        assert_eq!(reads.get(), 2);
    }
}
