//! The records of one alert, as a replay tells them again.
//!
//! Must never keep those of others: a replay may tell millions.

use std::cell::RefCell;
use std::rc::Rc;

use model::{AlertRecord, Fingerprint};
use serde_json::Value;
use sinks::{Outlet, OutletError};

use crate::pipeline::Outlets;

/// Hears what is told of one alert.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    of: Fingerprint,
    heard: Rc<RefCell<Vec<Value>>>,
}

impl Ear {
    pub(super) fn of(of: Fingerprint) -> Ear {
        Ear { of, heard: Rc::default() }
    }

    pub(super) fn outlets(&self) -> Outlets {
        Outlets { sealed: vec![Box::new(self.clone())], ..Outlets::default() }
    }

    /// Everything so far, in total order.
    pub(super) fn heard(&self) -> Vec<Value> {
        self.heard.borrow().clone()
    }
}

impl Outlet for Ear {
    fn put(&mut self, record: &AlertRecord, line: &str) -> Result<(), OutletError> {
        if record.fingerprint == self.of {
            self.heard.borrow_mut().push(serde_json::from_str(line).unwrap_or_default());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutletError> {
        Ok(())
    }
}
