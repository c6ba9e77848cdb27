//! Which fields are asked of a record, and where they were found in its bytes.
//!
//! Ingest fills a [`Row`] in one pass over the record's bytes; rules read it through a [`View`]. Nothing here parses,
//! and a row must never own a copy of what stands in the record as it is: only unescaped or mapped text is copied.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::Texts;

/// Number of a field in one projection, dense from 0.
pub type Slot = u32;

/// Number of a level in the tree of paths.
pub type NodeId = u32;

/// What a key leads to at one level of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edge {
    /// The value is a field that was asked for.
    pub slot: Option<Slot>,
    /// Fields are asked for inside the value.
    pub child: Option<NodeId>,
}

/// The set of field paths that a program asks for, as a tree of keys.
#[derive(Debug, Clone)]
pub struct Projection {
    nodes: Vec<FxHashMap<Box<str>, Edge>>,
    names: Vec<Box<str>>,
    dotted: Vec<bool>,
    by_name: FxHashMap<Box<str>, Slot>,
    keeps_all: bool,
}

impl Default for Projection {
    fn default() -> Self {
        Projection {
            nodes: vec![FxHashMap::default()],
            names: Vec::new(),
            dotted: Vec::new(),
            by_name: FxHashMap::default(),
            keeps_all: false,
        }
    }
}

impl Projection {
    /// Level of the record itself.
    pub const ROOT: NodeId = 0;

    /// Asks for a field; asking twice gives the same slot. `a.b` finds the key `a.b` of the record, or `b` inside `a`;
    /// where a record has both, the literal key wins. A dot that belongs to a key inside is written `\.`.
    pub fn ask(&mut self, path: &str) -> Slot {
        if let Some(&slot) = self.by_name.get(path) {
            return slot;
        }
        let slot = self.names.len() as Slot;
        self.names.push(path.into());
        self.dotted.push(path.contains('.'));
        self.by_name.insert(path.into(), slot);
        self.edge_mut(Self::ROOT, path).slot = Some(slot);
        if path.contains('.') {
            self.ask_nested(path, slot);
        }
        slot
    }

    /// Asks for all values, those without a slot too: keywords are looked for in every one.
    pub fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// All values are asked for.
    #[inline]
    pub fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    /// A slot that no record fills by itself: whoever asked puts its values there.
    pub fn reserve(&mut self, name: &str) -> Slot {
        let slot = self.names.len() as Slot;
        self.names.push(name.into());
        self.dotted.push(false);
        slot
    }

    fn ask_nested(&mut self, path: &str, slot: Slot) {
        let mut node = Self::ROOT;
        // No key holds the character that stands for its dots in between.
        let hidden = path.replace("\\.", "\0");
        let mut keys = hidden.split('.').map(|key| key.replace('\0', ".")).peekable();
        while let Some(key) = keys.next() {
            let key = key.as_str();
            if keys.peek().is_none() {
                self.edge_mut(node, key).slot = Some(slot);
                return;
            }
            node = match self.edge_mut(node, key).child {
                Some(child) => child,
                None => {
                    let child = self.nodes.len() as NodeId;
                    self.nodes.push(FxHashMap::default());
                    self.edge_mut(node, key).child = Some(child);
                    child
                }
            };
        }
    }

    fn edge_mut(&mut self, node: NodeId, key: &str) -> &mut Edge {
        self.nodes[node as usize].entry(key.into()).or_default()
    }

    /// Where a key of this level leads; None: nothing inside was asked for.
    #[inline]
    pub fn edge(&self, node: NodeId, key: &str) -> Option<Edge> {
        self.nodes.get(node as usize)?.get(key).copied()
    }

    /// The slot of a path that was asked for.
    pub fn slot(&self, path: &str) -> Option<Slot> {
        self.by_name.get(path).copied()
    }

    /// The path of a slot.
    pub fn name(&self, slot: Slot) -> &str {
        self.names.get(slot as usize).map_or("", |name| name)
    }

    /// The slot's path has several keys: a record may also hold it as one literal key.
    #[inline]
    pub fn is_dotted(&self, slot: Slot) -> bool {
        self.dotted.get(slot as usize).is_some_and(|&dotted| dotted)
    }

    /// Number of fields asked for.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

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
    #[inline]
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
        match value {
            Scalar::Text(text) => self.push_text(slot, text),
            Scalar::Int(n) => self.push(slot, Kind::Int(n)),
            Scalar::UInt(n) => self.push(slot, Kind::UInt(n)),
            Scalar::Float(n) => self.push(slot, Kind::Float(n)),
            Scalar::Bool(b) => self.push(slot, Kind::Bool(b)),
            Scalar::Null => self.push(slot, Kind::Null),
            Scalar::Empty => self.push(slot, Kind::Empty),
        }
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

    #[inline]
    fn touch(&mut self, slot: Slot) {
        let chain = &self.chains[slot as usize];
        if chain.first == NONE && !chain.literal {
            self.touched.push(slot);
        }
    }

    #[inline]
    fn push(&mut self, slot: Slot, kind: Kind) {
        self.touch(slot);
        let at = self.found.len() as u32;
        self.found.push(Found { slot, next: NONE, kind });
        let chain = &mut self.chains[slot as usize];
        if chain.first == NONE {
            chain.first = at;
        } else {
            self.found[chain.last as usize].next = at;
        }
        chain.last = at;
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
        let at = self.row.chains.get(slot as usize).map_or(NONE, |chain| chain.first);
        Values { view: self, at }
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

    fn scalar(self, kind: Kind) -> Scalar<'a> {
        match kind {
            Kind::Text(Place::Record { start, len }) => {
                Scalar::Text(self.record.get(start as usize..(start + len) as usize).unwrap_or(""))
            }
            Kind::Text(Place::Scratch { start, len }) => {
                Scalar::Text(self.row.scratch.get(start as usize..(start + len) as usize).unwrap_or(""))
            }
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

    #[inline]
    fn next(&mut self) -> Option<Scalar<'a>> {
        let found = self.view.row.found.get(self.at as usize)?;
        debug_assert!(self.view.row.chains.get(found.slot as usize).is_some());
        self.at = found.next;
        Some(self.view.scalar(found.kind))
    }
}
