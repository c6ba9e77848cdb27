//! The values of one record: where they were found in its bytes.
//!
//! Ingest fills a [`Row`] in one pass over the record's bytes; rules read it through a [`View`]. Must never own a copy of
//! what stands in the record as it is: only unescaped or mapped text is copied.

use std::borrow::Cow;

use crate::{Slot, Texts};

/// One value as rules see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Text, unescaped.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// true or false.
    Bool(bool),
    /// JSON null.
    Null,
    /// An object or an empty array: present, but without a value of its own.
    Empty,
}

impl<'a> Scalar<'a> {
    /// The value as text: numbers and booleans as JSON writes them; None for null and empty ones.
    pub fn as_text(self) -> Option<Cow<'a, str>> {
        match self {
            Scalar::Text(text) => Some(Cow::Borrowed(text)),
            Scalar::Int(n) => Some(Cow::Owned(n.to_string())),
            Scalar::UInt(n) => Some(Cow::Owned(n.to_string())),
            Scalar::Float(n) => Some(Cow::Owned(format!("{n:?}"))),
            Scalar::Bool(b) => Some(Cow::Borrowed(if b { "true" } else { "false" })),
            Scalar::Null | Scalar::Empty => None,
        }
    }

    /// The value as a number; texts that read as one count.
    pub fn as_number(self) -> Option<f64> {
        match self {
            Scalar::Int(n) => Some(n as f64),
            Scalar::UInt(n) => Some(n as f64),
            Scalar::Float(n) => Some(n),
            Scalar::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            Scalar::Bool(_) | Scalar::Null | Scalar::Empty => None,
        }
    }
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Record { start: u32, len: u32 },
    Scratch { start: u32, len: u32 },
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text(Place),
    Int(i64),
    UInt(u64),
    Float(f64),
    Bool(bool),
    Null,
    Empty,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    slot: Slot,
    next: u32,
    kind: Kind,
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u32,
    last: u32,
    literal: bool,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE, literal: false };

/// The values of one record, by slot. Reused from record to record: no allocation once it has grown.
#[derive(Debug, Default)]
pub struct Row {
    found: Vec<Found>,
    chains: Vec<Chain>,
    touched: Vec<Slot>,
    scratch: String,
    all: Texts,
    is_whole: bool,
}

impl Row {
    /// Forgets the last record and makes room for `slots` fields.
    pub fn reset(&mut self, slots: usize) {
        for &slot in &self.touched {
            self.chains[slot as usize] = EMPTY;
        }
        self.touched.clear();
        self.found.clear();
        self.scratch.clear();
        self.all.clear();
        self.is_whole = true;
        if self.chains.len() < slots {
            self.chains.resize(slots, EMPTY);
        }
    }

    /// A key equal to the slot's whole path stands in the record: what was found inside nested objects does not count.
    pub fn literal(&mut self, slot: Slot) {
        self.touch(slot);
        self.chains[slot as usize] = Chain { literal: true, ..EMPTY };
    }

    /// The slot was found under its literal key.
    #[inline]
    pub fn is_literal(&self, slot: Slot) -> bool {
        self.chains[slot as usize].literal
    }

    /// Text that stands in the record's bytes from `start`, `len` bytes.
    #[inline(always)]
    pub fn push_record_text(&mut self, slot: Slot, start: usize, len: usize) {
        self.push(slot, Kind::Text(Place::Record { start: start as u32, len: len as u32 }));
    }

    /// Text that does not stand in the record as it is: it is copied.
    pub fn push_text(&mut self, slot: Slot, text: &str) {
        let start = self.scratch.len() as u32;
        self.scratch.push_str(text);
        self.push(slot, Kind::Text(Place::Scratch { start, len: text.len() as u32 }));
    }

    /// Any value; text is copied.
    pub fn push_scalar(&mut self, slot: Slot, value: Scalar<'_>) {
        let kind = match value {
            Scalar::Text(text) => return self.push_text(slot, text),
            Scalar::Int(n) => Kind::Int(n),
            Scalar::UInt(n) => Kind::UInt(n),
            Scalar::Float(n) => Kind::Float(n),
            Scalar::Bool(b) => Kind::Bool(b),
            Scalar::Null => Kind::Null,
            Scalar::Empty => Kind::Empty,
        };
        self.push(slot, kind);
    }

    /// Every value of the record as text, gathered beside the slots when the projection keeps all.
    #[inline]
    pub fn all_mut(&mut self) -> &mut Texts {
        &mut self.all
    }

    /// Whether [`Row::all_mut`] holds every value of the record, each as the record writes it.
    pub fn set_whole(&mut self, is_whole: bool) {
        self.is_whole = is_whole;
    }

    fn touch(&mut self, slot: Slot) {
        let chain = &self.chains[slot as usize];
        if chain.first == NONE && !chain.literal {
            self.touched.push(slot);
        }
    }

    #[inline(always)]
    fn push(&mut self, slot: Slot, kind: Kind) {
        let at = self.found.len() as u32;
        let chain = &mut self.chains[slot as usize];
        if chain.first == NONE {
            chain.first = at;
            if !chain.literal {
                self.touched.push(slot);
            }
        } else {
            self.found[chain.last as usize].next = at;
        }
        chain.last = at;
        self.found.push(Found { slot, next: NONE, kind });
    }

    /// The row together with the record its places point into.
    pub fn view<'a>(&'a self, record: &'a str) -> View<'a> {
        View { row: self, record }
    }
}

/// A row that can be read: values borrow from the record or from the row.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    row: &'a Row,
    record: &'a str,
}

impl<'a> View<'a> {
    /// The slots that have at least one value, in order of appearance.
    #[inline]
    pub fn touched(self) -> &'a [Slot] {
        &self.row.touched
    }

    /// The record's own text.
    #[inline]
    pub fn record(self) -> &'a str {
        self.record
    }

    /// The slot has a value (null and empty ones count).
    #[inline]
    pub fn has(self, slot: Slot) -> bool {
        self.row.chains.get(slot as usize).is_some_and(|chain| chain.first != NONE)
    }

    /// The values of a slot in order of appearance.
    #[inline]
    pub fn values(self, slot: Slot) -> Values<'a> {
        Values { view: self, at: self.first(slot) }
    }

    #[inline]
    fn first(self, slot: Slot) -> u32 {
        self.row.chains.get(slot as usize).map_or(NONE, |chain| chain.first)
    }

    /// Every value of the record as text, in lower case; None: the row does not hold all of them as they are written, or
    /// they are not of ASCII.
    pub fn all(self) -> Option<&'a Texts> {
        (self.row.is_whole && self.row.all.is_ascii()).then_some(&self.row.all)
    }

    /// The first text of a slot.
    pub fn text(self, slot: Slot) -> Option<&'a str> {
        self.values(slot).find_map(|value| match value {
            Scalar::Text(text) => Some(text),
            _ => None,
        })
    }

    #[inline]
    fn text_at(self, place: Place) -> &'a str {
        let (text, start, len) = match place {
            Place::Record { start, len } => (self.record, start, len),
            Place::Scratch { start, len } => (self.row.scratch.as_str(), start, len),
        };
        text.get(start as usize..(start + len) as usize).unwrap_or("")
    }

    #[inline]
    fn scalar(self, kind: Kind) -> Scalar<'a> {
        match kind {
            Kind::Text(place) => Scalar::Text(self.text_at(place)),
            Kind::Int(n) => Scalar::Int(n),
            Kind::UInt(n) => Scalar::UInt(n),
            Kind::Float(n) => Scalar::Float(n),
            Kind::Bool(b) => Scalar::Bool(b),
            Kind::Null => Scalar::Null,
            Kind::Empty => Scalar::Empty,
        }
    }
}

/// Iterator over the values of one slot.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    view: View<'a>,
    at: u32,
}

impl<'a> Iterator for Values<'a> {
    type Item = Scalar<'a>;

    /// Most slots that are asked for have no value: those are told apart where the question is asked.
    #[inline(always)]
    fn next(&mut self) -> Option<Scalar<'a>> {
        if self.at == NONE { None } else { self.next_found() }
    }
}

impl<'a> Values<'a> {
    #[inline]
    fn next_found(&mut self) -> Option<Scalar<'a>> {
        let found = self.view.row.found.get(self.at as usize)?;
        debug_assert!(self.view.row.chains.get(found.slot as usize).is_some());
        self.at = found.next;
        Some(self.view.scalar(found.kind))
    }
}
