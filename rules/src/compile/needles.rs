//! Many texts looked for in one: which of them occur.
//!
//! A text of seven bytes or more holds four bytes that begin at a multiple of four, wherever it stands; so only every
//! fourth position is looked up, in a bit map that knows the four-byte grams of all texts. In the same way texts of four
//! to six bytes hold three that begin at an even place. They and those of three are looked up only where a vectorised
//! search says that there is any of them at all. Shorter ones are searched one by one while they are few, and by an
//! automaton when they are many. Must never miss an occurrence.

use aho_corasick::AhoCorasick;
use aho_corasick::packed::Searcher;
use memchr::memmem::{self, Finder};
use rustc_hash::FxHashMap;

/// Texts from this length on hold four bytes that begin at a multiple of four.
const LONG: usize = 7;
/// Texts from this length on hold three bytes that begin at an even place.
const SHORT: usize = 4;
/// Texts of this length are searched one by one, but only where the vectorised search finds any.
const GATED: usize = 3;
/// So many searches of one text cost less than one step of an automaton for each byte.
const FEW_MAX: usize = 12;

/// A set of texts, numbered in the order given.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    texts: Vec<Box<str>>,
    long: Grams<4>,
    short: Grams<3>,
    gate: Gate,
    gated: Vec<(Finder<'static>, u32)>,
    few: Vec<(Finder<'static>, u32)>,
    many: Option<AhoCorasick>,
    /// By pattern of the automaton: the text's number.
    many_numbers: Vec<u32>,
}

/// Says whether any of the short and of the gated texts occurs at all.
#[derive(Debug, Default)]
enum Gate {
    /// Not known: the processor has no instructions for it.
    #[default]
    Open,
    /// Few texts: one search says it of all.
    Together(Vec<Searcher>),
    /// Short ones, gated ones: a search for longer texts has fewer false finds.
    Apart(Vec<Searcher>, Vec<Searcher>),
}

#[derive(Debug, Default)]
struct Grams<const N: usize> {
    /// One bit for each hash of a gram.
    filter: Option<Box<[u64; 1024]>>,
    /// The same for another hash, asked where the first has its bit: most finds are by chance.
    second: Option<Box<[u64; 1024]>>,
    /// Where texts have a gram: (number of the text, bytes before the gram).
    places: FxHashMap<[u8; N], Vec<(u32, usize)>>,
}

impl Needles {
    /// # Errors
    /// When the automaton for short texts cannot be built.
    pub(crate) fn new(texts: Vec<Box<str>>) -> Result<Needles, aho_corasick::BuildError> {
        let mut needles = Needles { texts, ..Needles::default() };
        let (mut tiny, mut short) = (Vec::new(), Vec::new());
        for (number, text) in (0u32..).zip(&needles.texts) {
            match text.len() {
                LONG.. => needles.long.add(text, number, rarest(text), 4),
                SHORT.. => {
                    needles.short.add(text, number, 0, 2);
                    short.push(text.as_bytes());
                }
                _ => tiny.push((text.as_ref(), number)),
            }
        }
        if tiny.len() <= FEW_MAX {
            for (text, number) in tiny {
                let is_gated = text.len() == GATED;
                let finders = if is_gated { &mut needles.gated } else { &mut needles.few };
                finders.push((Finder::new(text).into_owned(), number));
            }
            let gated: Vec<&[u8]> = needles.gated.iter().map(|(finder, _)| finder.needle()).collect();
            needles.gate = Gate::new(&short, &gated);
        } else {
            needles.many_numbers = tiny.iter().map(|(_, number)| *number).collect();
            needles.many = Some(AhoCorasick::new(tiny.iter().map(|(text, _)| text))?);
            needles.gate = Gate::new(&short, &[]);
        }
        Ok(needles)
    }

    /// No text is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Calls `found` with the number of every text that occurs, some more than once.
    #[inline]
    pub(crate) fn search(&self, bytes: &[u8], mut found: impl FnMut(u32)) {
        if let Some(filter) = &self.long.filter {
            self.search_long(filter, bytes, &mut found);
        }
        let (any_short, any_gated) = self.gate.asked(bytes);
        if any_short && let Some(filter) = &self.short.filter {
            for (at, gram) in bytes.array_windows().step_by(2).enumerate() {
                if is_set(filter, *gram) {
                    self.short.verify(&self.texts, bytes, at * 2, *gram, &mut found);
                }
            }
        }
        if any_gated {
            search_each(&self.gated, bytes, &mut found);
        }
        search_each(&self.few, bytes, &mut found);
        if let Some(many) = &self.many {
            for hit in many.find_overlapping_iter(bytes) {
                self.many_numbers.get(hit.pattern().as_usize()).into_iter().for_each(|&number| found(number));
            }
        }
    }

    /// Four grams at a step: in nearly all of them nothing is found.
    #[inline]
    fn search_long(&self, filter: &[u64; 1024], bytes: &[u8], found: &mut impl FnMut(u32)) {
        let (grams, _) = bytes.as_chunks::<4>();
        let (steps, rest) = grams.as_chunks::<4>();
        for (step, grams) in steps.iter().enumerate() {
            if grams.iter().fold(false, |any, gram| any | is_set(filter, *gram)) {
                self.verify_long(filter, bytes, step * 4, grams, found);
            }
        }
        self.verify_long(filter, bytes, steps.len() * 4, rest, found);
    }

    /// The grams that begin with the `first` one of the text.
    fn verify_long(
        &self,
        filter: &[u64; 1024],
        bytes: &[u8],
        first: usize,
        grams: &[[u8; 4]],
        found: &mut impl FnMut(u32),
    ) {
        for (at, gram) in grams.iter().enumerate().filter(|(_, gram)| is_set(filter, **gram)) {
            self.long.verify(&self.texts, bytes, (first + at) * 4, *gram, found);
        }
    }
}

/// Up to so many texts are searched 32 bytes at a step; more at once, 16.
const SEARCHER_TEXTS_MAX: usize = 32;

/// So many texts are told apart by one search: it sorts them into eight.
const TOGETHER_MAX: usize = 12;

impl Gate {
    fn new(short: &[&[u8]], gated: &[&[u8]]) -> Gate {
        let gate = if short.len() + gated.len() <= TOGETHER_MAX {
            searchers(&[short, gated].concat()).map(Gate::Together)
        } else {
            searchers(short).zip(searchers(gated)).map(|(short, gated)| Gate::Apart(short, gated))
        };
        gate.unwrap_or_default()
    }

    /// Whether any of the short texts may occur, and any of the gated ones.
    #[inline]
    fn asked(&self, bytes: &[u8]) -> (bool, bool) {
        match self {
            Gate::Open => (true, true),
            Gate::Together(all) => {
                let any = any_of(all, bytes);
                (any, any)
            }
            Gate::Apart(short, gated) => (any_of(short, bytes), any_of(gated, bytes)),
        }
    }
}

fn searchers(texts: &[&[u8]]) -> Option<Vec<Searcher>> {
    texts.chunks(SEARCHER_TEXTS_MAX).map(|texts| Searcher::new(texts.iter())).collect()
}

fn any_of(any: &[Searcher], bytes: &[u8]) -> bool {
    any.iter().any(|any| any.find(bytes).is_some())
}

fn search_each(finders: &[(Finder<'static>, u32)], bytes: &[u8], found: &mut impl FnMut(u32)) {
    for (finder, number) in finders {
        if finder.find(bytes).is_some() {
            found(*number);
        }
    }
}

impl<const N: usize> Grams<N> {
    /// Adds the grams that begin at `places` bytes of the text, from `first` on.
    fn add(&mut self, text: &str, number: u32, first: usize, places: usize) {
        let filter = self.filter.get_or_insert_with(|| Box::new([0; 1024]));
        let second = self.second.get_or_insert_with(|| Box::new([0; 1024]));
        for (before, gram) in text.as_bytes().array_windows().enumerate().skip(first).take(places) {
            for (filter, bit) in [(&mut *filter, hash(*gram)), (&mut *second, other_hash(*gram))] {
                filter[usize::from(bit >> 6)] |= 1 << (bit & 63);
            }
            self.places.entry(*gram).or_default().push((number, before));
        }
    }

    #[inline(never)]
    fn verify(&self, texts: &[Box<str>], bytes: &[u8], at: usize, gram: [u8; N], found: &mut impl FnMut(u32)) {
        let bit = other_hash(gram);
        if self.second.as_ref().is_none_or(|filter| filter[usize::from(bit >> 6)] >> (bit & 63) & 1 == 0) {
            return;
        }
        for &(number, before) in self.places.get(&gram).into_iter().flatten() {
            let Some(text) = texts.get(number as usize) else { continue };
            let Some(start) = at.checked_sub(before) else { continue };
            if bytes.get(start..).is_some_and(|rest| rest.starts_with(text.as_bytes())) {
                found(number);
            }
        }
    }
}

/// Where in a long text its rarest seven bytes begin: their four grams are the ones to look for.
fn rarest(text: &str) -> usize {
    let everyday = |window: &[u8]| window.windows(4).filter(|gram| memmem::find(EVERYDAY, gram).is_some()).count();
    let rank = |byte: &u8| COMMON.iter().position(|known| known == byte).map_or(0, |at| COMMON.len() - at);
    let windows = text.as_bytes().windows(LONG).enumerate();
    let rarest = windows.min_by_key(|(_, window)| (everyday(window), window.iter().map(rank).sum::<usize>()));
    rarest.map_or(0, |(at, _)| at)
}

/// Words that audit records are full of: their grams are found in nearly every record.
const EVERYDAY: &[u8] = b"null true false https://www.example.com amazonaws.com arn:aws:iam::assumed-role accesskeyid principalid \
    username useridentity sessionissuer requestparameters responseelements external enterprise deployment deploy-token \
    services server process application organization management manager administration workflow action operation \
    repository branch feature develop ticket-project attribute category version region event source agent mozilla \
    linux x86_64 chrome safari applewebkit gecko python go-sdk boto3 cli terraform request_id timestamp created updated \
    policy role group team member secret password permission authorization authentication login session user.type shot";

/// Bytes of audit records and words, the most common first.
const COMMON: &[u8; 39] = b"etainorscld\"mup-./:_hgvfybw 012,3k4567j";

#[inline]
fn hash<const N: usize>(gram: [u8; N]) -> u16 {
    (number(gram).wrapping_mul(0x9E37_79B1) >> 16) as u16
}

#[inline]
fn other_hash<const N: usize>(gram: [u8; N]) -> u16 {
    (number(gram).wrapping_mul(0x85EB_CA6B) >> 15) as u16
}

#[inline]
fn number<const N: usize>(gram: [u8; N]) -> u32 {
    gram.iter().fold(0u32, |number, &byte| number << 8 | u32::from(byte))
}

#[inline]
fn is_set<const N: usize>(filter: &[u64; 1024], gram: [u8; N]) -> bool {
    let bit = hash(gram);
    filter[usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        // Texts over two letters and one of two bytes, of every length class, at every offset of a longer text.
        let letters = ["a", "b", "é"];
        let text: String =
            (0u64..400).map(|i| letters[(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % 3]).collect();
        let mut texts: Vec<Box<str>> = Vec::new();
        for length in 1..12 {
            for start in 0..40 {
                let part: String = text.chars().skip(start * 7).take(length).collect();
                texts.push(part.clone().into());
                texts.push(format!("{part}a").into());
                texts.push(format!("b{part}").into());
            }
        }
        texts.sort();
        texts.dedup();
        let needles = Needles::new(texts.clone()).expect("builds");
        for start in 0..8 {
            let text: String = text.chars().skip(start).collect();
            let mut found = Vec::new();
            needles.search(text.as_bytes(), |number| found.push(number));
            found.sort_unstable();
            found.dedup();
            let wanted: Vec<u32> =
                (0..).zip(&texts).filter(|(_, t)| text.contains(t.as_ref())).map(|(n, _)| n).collect();
            assert!(wanted.len() > 100 && wanted.len() < texts.len());
            assert_eq!(found, wanted);
        }
    }
}
