//! Which fields are asked of a record, as a tree of keys.
//!
//! Built once for a rule set and asked for every key of every record; must never allocate when it is asked.

mod level;

use rustc_hash::FxHashMap;

use self::level::Level;

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
    /// Its own bytes are asked for.
    pub cut: Option<Cut>,
    /// The key is the field's whole path, dots in it: it counts before what stands inside nested objects.
    pub is_literal: bool,
}

/// A value whose JSON text is asked for, and the slot that it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The value's.
    Whole(Slot),
    /// That of each of its elements, behind one empty value where it is a list; null where it is null, and nothing for
    /// all else.
    Each(Slot),
    /// Behind one empty value the key and the value of each of its members, where it is an object inside which nothing else
    /// is asked for; else the value's.
    Members(Slot),
}

/// The set of field paths that a program asks for, as a tree of keys.
#[derive(Debug, Clone)]
pub struct Projection {
    nodes: Vec<Level>,
    names: Vec<Box<str>>,
    dotted: Vec<bool>,
    by_name: FxHashMap<Box<str>, Slot>,
    keeps_all: bool,
    has_cuts: bool,
}

impl Default for Projection {
    fn default() -> Self {
        Projection {
            nodes: vec![Level::default()],
            names: Vec::new(),
            dotted: Vec::new(),
            by_name: FxHashMap::default(),
            keeps_all: false,
            has_cuts: false,
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
        let is_dotted = path.contains('.');
        let whole = self.edge_mut(Self::ROOT, path);
        (whole.slot, whole.is_literal) = (Some(slot), is_dotted);
        if is_dotted {
            let is_one_key = !path.replace("\\.", "").contains('.');
            let nested = self.nested_mut(path);
            nested.slot = Some(slot);
            nested.is_literal |= is_one_key;
        }
        slot
    }

    /// Asks for the JSON text of what stands under a path (or of each element of the list there) in nested objects, lists
    /// among them excepted. Of a key that occurs twice the last counts.
    pub fn cut(&mut self, path: &str, cut: fn(Slot) -> Cut) -> Slot {
        let slot = self.reserve(path);
        self.nested_mut(path).cut = Some(cut(slot));
        self.has_cuts = true;
        slot
    }

    /// The text of some value is asked for.
    pub fn has_cuts(&self) -> bool {
        self.has_cuts
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

    /// Where a path ends in nested objects.
    fn nested_mut(&mut self, path: &str) -> &mut Edge {
        let mut node = Self::ROOT;
        // No key holds the character that stands for its dots in between.
        let hidden = path.replace("\\.", "\0");
        let mut keys: Vec<String> = hidden.split('.').map(|key| key.replace('\0', ".")).collect();
        let last = keys.pop().unwrap_or_default();
        for key in &keys {
            node = match self.edge_mut(node, key).child {
                Some(child) => child,
                None => {
                    let child = self.nodes.len() as NodeId;
                    self.nodes.push(Level::default());
                    self.edge_mut(node, key).child = Some(child);
                    child
                }
            };
        }
        self.edge_mut(node, &last)
    }

    fn edge_mut(&mut self, node: NodeId, key: &str) -> &mut Edge {
        self.nodes[node as usize].edge_mut(key)
    }

    /// Where the key that stands in `record` from `start` to `end` leads at this level; None: nothing inside was asked for.
    #[inline(always)]
    pub fn edge(&self, node: NodeId, record: &[u8], start: usize, end: usize) -> Option<&Edge> {
        self.nodes.get(node as usize)?.edge(record, start, end)
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
