//! The rows of a mapping that somebody wants, as a plan runs them over one record.
//!
//! All inputs stand in one piece of memory: where records of many formats follow each other, a plan is read anew for each.
//! Must never leave out a row that would have made a value.

use model::{Row, Slot};

use super::super::{Fill, Inputs, Memo, Output};
use super::Fields;

/// Rows, in the order of their fields.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Planned>,
    inputs: Vec<Slot>,
}

#[derive(Debug)]
struct Planned {
    slot: Slot,
    inputs: std::ops::Range<u32>,
    /// Of a record that has none of the inputs it makes a value, too.
    speaks_of_nothing: bool,
    fill: Fill,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowPlan<'p> {
    /// The field.
    pub(super) slot: Slot,
    /// What it is made of.
    pub(super) inputs: &'p [Slot],
    /// How.
    pub(super) fill: Fill,
}

impl Rows {
    /// Adds a row.
    pub(super) fn push(&mut self, slot: Slot, inputs: &[Slot], fill: Fill) {
        let start = self.inputs.len() as u32;
        self.inputs.extend_from_slice(inputs);
        let inputs = start..self.inputs.len() as u32;
        let speaks_of_nothing = speaks_of_nothing(inputs.len(), fill);
        self.rows.push(Planned { slot, inputs, speaks_of_nothing, fill });
    }

    /// Makes the values that a record gives.
    pub(super) fn fill(&self, raw: Fields<'_>, memo: &Memo, row: &mut Row) {
        for planned in &self.rows {
            let inputs = self.inputs_of(planned);
            if planned.speaks_of_nothing || inputs.iter().any(|&slot| raw.has(slot)) {
                let mut output = Output::new(row, planned.slot, raw.own().record());
                (planned.fill)(&Inputs::new(raw, inputs, memo), &mut output);
            }
        }
    }

    fn inputs_of(&self, planned: &Planned) -> &[Slot] {
        self.inputs.get(planned.inputs.start as usize..planned.inputs.end as usize).unwrap_or_default()
    }

    /// Each row.
    pub(super) fn iter(&self) -> impl Iterator<Item = RowPlan<'_>> {
        self.rows.iter().map(|of| RowPlan { slot: of.slot, inputs: self.inputs_of(of), fill: of.fill })
    }
}

/// What a fill makes of nothing: fills are pure, so that is asked once.
fn speaks_of_nothing(inputs: usize, fill: Fill) -> bool {
    let (mut row, nothing) = (Row::default(), Row::default());
    row.reset(1);
    let none = vec![Slot::MAX; inputs];
    fill(&Inputs::new(Fields::new(nothing.view(""), None), &none, &Memo::default()), &mut Output::new(&mut row, 0, ""));
    row.view("").has(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(_: &Inputs<'_>, output: &mut Output<'_>) {
        output.text("always");
    }

    fn counted(inputs: &Inputs<'_>, output: &mut Output<'_>) {
        (0..inputs.len()).filter(|&i| inputs.has(i)).for_each(|_| output.text("one"));
    }

    #[test]
    fn rows_without_inputs_are_left_out_unless_they_speak_all_the_same() {
        let mut rows = Rows::default();
        rows.push(0, &[0, 1], counted);
        rows.push(1, &[1], counted);
        rows.push(2, &[1], always);
        let (mut raw, mut row) = (Row::default(), Row::default());
        raw.reset(2);
        raw.push_text(0, "x");
        row.reset(3);
        rows.fill(Fields::new(raw.view(""), None), &Memo::default(), &mut row);
        let values = |slot| row.view("").values(slot).count();
        assert_eq!([values(0), values(1), values(2)], [1, 0, 1]);
        let speak: Vec<bool> = rows.rows.iter().map(|of| of.speaks_of_nothing).collect();
        assert_eq!(speak, [false, false, true]);
    }
}
