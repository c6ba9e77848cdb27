//! What must hold for every text that a decoder is given, whatever it is.
//!
//! Must never compare a decoder with itself in the same state alone: what is wanted of it, what it read before and whether it
//! guesses all differ.

use std::ops::Range;
use std::sync::LazyLock;

use ingest::format::{FORMATS, Format, Wanted};
use ingest::{Decoder, Read, Scratch, Seen};
use model::{EventClass, Invalid, Projection, Row, Scalar, Timestamp, Verdict};

/// What was told of one record.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Event {
        format: &'static str,
        class: Option<EventClass>,
        id: Option<String>,
        time: Option<Timestamp>,
        action: String,
        verdict: Verdict,
    },
    Filtered,
    Invalid(Invalid),
}

type Told = Vec<(Range<usize>, Outcome)>;

/// The decoders of one format.
#[derive(Debug)]
pub struct Target {
    /// The format.
    pub format: &'static Format,
    none: Decoder,
    all: Decoder,
}

/// Memory of one thread, kept from input to input so that each has another history.
#[derive(Debug, Default)]
pub struct Memory {
    none: Scratch,
    all: Scratch,
    guess: Scratch,
    row: Row,
}

/// Outcomes met: a run that never sees an event tests little.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs.
    pub inputs: u64,
    /// Events.
    pub events: u64,
    /// Records of no interest.
    pub filtered: u64,
    /// Records that could not be decoded.
    pub invalid: u64,
    /// Values of model fields.
    pub values: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Tally) {
        self.inputs += other.inputs;
        self.events += other.events;
        self.filtered += other.filtered;
        self.invalid += other.invalid;
        self.values += other.values;
    }
}

static GUESS: LazyLock<Decoder> = LazyLock::new(|| {
    let formats = FORMATS.iter().filter(|format| !format.marks.is_empty());
    Decoder::new(formats.map(|format| (*format, Wanted::default())).collect(), None, false)
});

impl Target {
    /// The decoders of a format: nothing wanted of one, every model field of the other.
    pub fn new(format: &'static Format) -> Target {
        let mut fields = Projection::default();
        for doc in model::FIELDS.iter() {
            fields.ask(doc.name);
        }
        let paths = || {
            if format.mapping.is_none() { ["id", "time"].map(|path| vec![path.to_owned()]) } else { [vec![], vec![]] }
        };
        let decoder = |all: bool| {
            let classes =
                || if all { EventClass::ALL } else { &[] }.iter().map(|class| (*class, fields.clone())).collect();
            let wanted = || {
                let [id, time] = paths();
                Wanted { classes: classes(), id, time, ..Wanted::default() }
            };
            let others = FORMATS
                .iter()
                .copied()
                .filter(|other| format.carries_others() && !std::ptr::eq(*other, format) && !other.marks.is_empty());
            Decoder::new(std::iter::once(format).chain(others).map(|of| (of, wanted())).collect(), None, true)
        };
        Target { format, none: decoder(false), all: decoder(true) }
    }

    /// Decodes a text in every way there is.
    ///
    /// # Errors
    /// In words, which property does not hold.
    pub fn check(&self, memory: &mut Memory, text: &str) -> Result<Tally, String> {
        let Memory { none, all, guess, row } = memory;
        let told = read(&self.none, none, text, &mut |_| {});
        // The second reading with all fields costs most, so one input of four has it.
        let mut hashes = [(0u64, 0u64); 2];
        let times = if text.len().is_multiple_of(4) { 2 } else { 1 };
        for hash in hashes.iter_mut().take(times) {
            let full = read(&self.all, all, text, &mut |seen| values(&self.all, seen, row, hash));
            if full != told {
                return Err(format!("with nothing wanted {told:?}, with all fields {full:?}"));
            }
        }
        if times == 2 && hashes[0] != hashes[1] {
            return Err("read twice it has other values".to_owned());
        }
        bounds(&told, text)?;
        let (after, fresh) =
            (read(&GUESS, guess, text, &mut |_| {}), read(&GUESS, &mut Scratch::default(), text, &mut |_| {}));
        if after != fresh {
            return Err(format!("guessed {fresh:?} at first, {after:?} after another record"));
        }
        bounds(&fresh, text)?;
        let count = |is: fn(&Outcome) -> bool| told.iter().filter(|(_, outcome)| is(outcome)).count() as u64;
        Ok(Tally {
            inputs: 1,
            events: count(|outcome| matches!(outcome, Outcome::Event { .. })),
            filtered: count(|outcome| *outcome == Outcome::Filtered),
            invalid: count(|outcome| matches!(outcome, Outcome::Invalid(_))),
            values: hashes[0].1,
        })
    }
}

fn read(decoder: &Decoder, scratch: &mut Scratch, text: &str, event: &mut impl FnMut(&Seen<'_>)) -> Told {
    let mut told = Vec::new();
    decoder.read(scratch, text, 0, &mut |range, read| {
        let outcome = match read {
            Read::Filtered => Outcome::Filtered,
            Read::Invalid(reason) => Outcome::Invalid(reason),
            Read::Event(seen) => {
                event(&seen);
                Outcome::Event {
                    format: decoder.plans()[seen.plan].format().name,
                    class: seen.decoded.class,
                    id: seen.decoded.id.as_deref().map(str::to_owned),
                    time: seen.decoded.time,
                    action: seen.decoded.action.to_owned(),
                    verdict: seen.decoded.verdict,
                }
            }
        };
        told.push((range, outcome));
    });
    told
}

/// Maps an event and folds all its values into the hash, and their number.
fn values(decoder: &Decoder, seen: &Seen<'_>, row: &mut Row, (hash, count): &mut (u64, u64)) {
    let mut fold = |bytes: &[u8]| {
        *hash = bytes
            .iter()
            .fold(*hash ^ 0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    };
    if decoder.plans()[seen.plan].map(&seen.decoded, seen.raw, "fuzz", row).is_none() {
        return;
    }
    let view = row.view(seen.text);
    for &slot in view.touched() {
        fold(&slot.to_le_bytes());
        for value in view.values(slot) {
            *count += 1;
            match value {
                Scalar::Text(text) => fold(text.as_bytes()),
                Scalar::Int(n) => fold(&n.to_le_bytes()),
                Scalar::UInt(n) => fold(&n.to_le_bytes()),
                Scalar::Float(n) => fold(&n.to_bits().to_le_bytes()),
                Scalar::Bool(b) => fold(&[u8::from(b)]),
                Scalar::Null => fold(&[2]),
                Scalar::Empty => fold(&[3]),
            }
        }
    }
}

/// Something was told, each of it of a part of the text, and two parts are apart or one in the other.
fn bounds(told: &Told, text: &str) -> Result<(), String> {
    if told.is_empty() && !text.is_empty() {
        return Err("nothing was told".to_owned());
    }
    if let Some((range, _)) = told.iter().find(|(range, _)| text.get(range.clone()).is_none()) {
        return Err(format!("{range:?} is no part of it"));
    }
    if told.len() > 1 {
        let mut ranges: Vec<&Range<usize>> = told.iter().map(|(range, _)| range).collect();
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut open: Vec<usize> = Vec::new();
        for range in ranges {
            while open.last().is_some_and(|end| *end <= range.start) {
                open.pop();
            }
            if open.last().is_some_and(|end| *end < range.end) {
                return Err(format!("{range:?} reaches out of the record around it"));
            }
            open.push(range.end);
        }
    }
    Ok(())
}
