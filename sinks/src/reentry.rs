//! Alerts that re-enter as events: what is told in any lane goes on to the keyed state that looks at alerts, at its event time.
//!
//! Whoever seals lanes one by one seals that state's lane last: then every alert before its cursor has come. Must never change what
//! is told, nor its order.

use std::fmt;
use std::rc::Rc;

use model::{AlertRecord, Occurrence, Timestamp};

use crate::lane::CorrelatorId;
use crate::life::Sealed;
use crate::seal::{LaneId, Sealer};

/// What makes events of alerts' records.
pub trait Reenter: fmt::Debug {
    /// A record as an event, with the record's event time. None: nobody looks at it.
    fn event(&self, record: &AlertRecord) -> Option<Box<Occurrence>>;
}

/// Where alerts re-enter, and those on their way.
#[derive(Debug)]
pub(crate) struct Reentry {
    to: (LaneId, CorrelatorId),
    of: Rc<dyn Reenter>,
    #[expect(clippy::vec_box, reason = "as the lanes take them")]
    waiting: Vec<Box<Occurrence>>,
}

impl Reentry {
    /// A record was sealed.
    pub(crate) fn take(&mut self, record: &AlertRecord) {
        self.waiting.extend(self.of.event(record));
    }
}

impl Sealer {
    /// What any lane tells from here on goes to this keyed state, too.
    pub fn reenter_at(&mut self, to: (LaneId, CorrelatorId), of: Rc<dyn Reenter>) {
        self.reentry = Some(Reentry { to, of, waiting: Vec::new() });
    }

    /// Does what comes next in a lane, if it lies before the limit; what it tells re-enters. False: nothing does.
    pub(crate) fn step(&mut self, lane: LaneId, limit: Timestamp, tell: &mut impl FnMut(Sealed)) -> bool {
        let Sealer { lanes, reentry, .. } = self;
        let Some(lane) = lanes.get_mut(lane) else { return false };
        let Some(reentry) = reentry else { return lane.step(limit, tell) };
        let is_done = lane.step(limit, &mut |sealed| {
            reentry.take(&sealed.1);
            tell(sealed);
        });
        self.reenter(tell);
        is_done
    }

    /// What was told goes to where it is looked at.
    pub(crate) fn reenter(&mut self, tell: &mut impl FnMut(Sealed)) {
        while let Some((to, event)) = self.reentry.as_mut().and_then(|of| Some((of.to, of.waiting.pop()?))) {
            self.offer_event(to, event, tell);
        }
    }
}
