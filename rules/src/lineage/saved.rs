//! The table as a snapshot, and back.
//!
//! Each key and each event once, however many edges name it. Must never keep what the table does not hold itself.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{EventClass, Timestamp};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::Lineage;
use super::key::Key;
use super::links::Seen;
use super::pairs::Stage;
use super::table::{Half, HalfKey};

/// Time, id, number of the class, who.
type SavedEvent = (Timestamp, Arc<str>, u16, Option<Box<str>>);

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct LineageSnapshot {
    /// Number of the kind, text.
    keys: Vec<(u8, Arc<str>)>,
    /// The events that told of edges.
    events: Vec<SavedEvent>,
    /// Near and far key, down, number of the stage, first and last event.
    halves: Vec<(u32, u32, bool, u8, u32, u32)>,
    now: Timestamp,
    swept_day: i64,
    evicted: [u64; 2],
    cut: u64,
}

/// What is numbered by the order in which it came.
#[derive(Default)]
struct Numbers<'t> {
    keys: HashMap<&'t Key, u32, FxBuildHasher>,
    events: HashMap<*const Seen, u32, FxBuildHasher>,
}

impl<'t> Numbers<'t> {
    fn key(&mut self, key: &'t Key, out: &mut LineageSnapshot) -> u32 {
        *self.keys.entry(key).or_insert_with(|| {
            out.keys.push((key.kind.number(), key.text.clone()));
            out.keys.len() as u32 - 1
        })
    }

    fn event(&mut self, seen: &Arc<Seen>, out: &mut LineageSnapshot) -> u32 {
        *self.events.entry(Arc::as_ptr(seen)).or_insert_with(|| {
            let class = EventClass::ALL.iter().position(|class| *class == seen.class).unwrap_or_default();
            out.events.push((seen.time, seen.id.clone(), class as u16, seen.who.clone()));
            out.events.len() as u32 - 1
        })
    }
}

fn number(of: Stage) -> u8 {
    Stage::ALL.iter().position(|other| *other == of).unwrap_or_default() as u8
}

impl Lineage {
    /// Everything that it holds.
    pub fn snapshot(&self) -> LineageSnapshot {
        let (now, swept_day, evicted) = self.halves.times();
        let (keys, events, halves) = Default::default();
        let mut out = LineageSnapshot { keys, events, halves, now, swept_day, evicted, cut: self.cut };
        let mut numbers = Numbers::default();
        for (near, key, half) in self.halves.iter() {
            let (near, far) = (numbers.key(near, &mut out), numbers.key(&key.far, &mut out));
            let (first, last) = (numbers.event(&half.first, &mut out), numbers.event(&half.last, &mut out));
            out.halves.push((near, far, key.is_down, number(key.stage), first, last));
        }
        out
    }

    /// Puts a snapshot in the place of nothing. What names something that is not in it is left out.
    pub fn restore(&mut self, snapshot: LineageSnapshot) {
        let keys: Vec<Option<Key>> = snapshot.keys.into_iter().map(|(kind, text)| Key::numbered(kind, text)).collect();
        let event = |(time, id, class, who): SavedEvent| {
            Some(Arc::new(Seen { time, id, class: *EventClass::ALL.get(usize::from(class))?, who }))
        };
        let events: Vec<Option<Arc<Seen>>> = snapshot.events.into_iter().map(event).collect();
        let key = |at: u32| keys.get(at as usize).cloned().flatten();
        let event = |at: u32| events.get(at as usize).cloned().flatten();
        for (near, far, is_down, stage, first, last) in snapshot.halves {
            if let (Some(near), Some(far), Some(first), Some(last)) = (key(near), key(far), event(first), event(last))
                && let Some(&stage) = Stage::ALL.get(usize::from(stage))
            {
                self.halves.place(near, HalfKey { far, is_down, stage }, Half { first, last, before: None });
            }
        }
        self.halves.set_times((snapshot.now, snapshot.swept_day, snapshot.evicted));
        self.cut = snapshot.cut;
    }
}
