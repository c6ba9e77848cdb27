//! Findings that wait for their cursor, in total order; and what is lost when more wait than `findings_waiting_max`.
//!
//! A full virtual shard keeps the earliest findings of each key, and takes first from the key of which most wait. Pages and
//! tickets have a budget each. What is kept of findings that wait together does not depend on the order in which they came.
//! Must never lose one without counting it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use model::{Finding, Fingerprint, RecordOrder, RedactionKey, Urgency, VIRTUAL_SHARDS};

use crate::record::clean_finding;

/// A finding by its place in total order.
#[derive(Debug)]
struct Waiting {
    order: RecordOrder,
    finding: Finding,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

/// One budget's part of one virtual shard.
#[derive(Debug, Clone, Copy, Default)]
struct Shard {
    held: usize,
    /// Something was lost of what waits now.
    cut: bool,
}

/// Findings lost at the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Findings of pages.
    pub pages: u64,
    /// Findings of tickets.
    pub tickets: u64,
}

/// The queue of a lane.
#[derive(Debug)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Waiting>>,
    shards: BTreeMap<(Urgency, usize), Shard>,
    shard_max: usize,
    lost: Lost,
}

impl Queue {
    /// An empty queue. `findings_waiting_max` is divided evenly between pages and tickets, and over the virtual shards.
    pub fn new(findings_waiting_max: usize) -> Queue {
        let shard_max = findings_waiting_max.div_ceil(2 * VIRTUAL_SHARDS).max(1);
        Queue { heap: BinaryHeap::new(), shards: BTreeMap::new(), shard_max, lost: Lost::default() }
    }

    /// Puts a finding at its place.
    pub fn push(&mut self, order: RecordOrder, finding: Finding) {
        let at = part_of(&finding);
        self.heap.push(Reverse(Waiting { order, finding }));
        let shard = self.shards.entry(at).or_default();
        shard.held += 1;
        if shard.held > self.shard_max {
            shard.cut = true;
            self.cut(at);
        }
    }

    /// Where the first finding stands.
    pub fn peek(&self) -> Option<&RecordOrder> {
        self.heap.peek().map(|Reverse(waiting)| &waiting.order)
    }

    /// Takes the first finding.
    pub fn pop(&mut self) -> Option<Finding> {
        let Reverse(Waiting { finding, .. }) = self.heap.pop()?;
        if let Some(shard) = self.shards.get_mut(&part_of(&finding)) {
            shard.held -= 1;
        }
        Some(finding)
    }

    /// What waits now is about to be sealed: shards that lost something are cut to the same size once more, so that what
    /// came since their last cut has no advantage over what came before it.
    pub fn settle(&mut self) {
        let cut: Vec<_> = self.shards.iter().filter(|(_, shard)| shard.cut).map(|(at, _)| *at).collect();
        for at in cut {
            self.cut(at);
            if let Some(shard) = self.shards.get_mut(&at) {
                shard.cut = false;
            }
        }
    }

    /// Forgets the findings that `gone` names; they are not lost, somebody else has them.
    pub fn forget(&mut self, gone: impl Fn(&Finding) -> bool) {
        self.heap.retain(|Reverse(waiting)| !gone(&waiting.finding));
        self.shards.values_mut().for_each(|shard| shard.held = 0);
        for Reverse(waiting) in &self.heap {
            self.shards.entry(part_of(&waiting.finding)).or_default().held += 1;
        }
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// The findings, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.heap.iter().map(|Reverse(waiting)| &waiting.finding)
    }

    /// The findings in total order, and the parts of which something was lost.
    pub(crate) fn snapshot(&self, redaction: RedactionKey) -> (Vec<Finding>, Vec<(Urgency, usize)>) {
        let mut waiting: Vec<&Waiting> = self.heap.iter().map(|Reverse(waiting)| waiting).collect();
        waiting.sort();
        let cut = self.shards.iter().filter(|(_, shard)| shard.cut).map(|(at, _)| *at).collect();
        (waiting.into_iter().map(|waiting| clean_finding(&waiting.finding, redaction)).collect(), cut)
    }

    /// Puts a snapshot into an empty queue.
    pub(crate) fn restore(&mut self, (findings, cut): (Vec<Finding>, Vec<(Urgency, usize)>)) {
        findings.into_iter().for_each(|finding| self.push(finding.record_order(), finding));
        cut.into_iter().for_each(|at| self.shards.entry(at).or_default().cut = true);
    }

    /// What was lost so far.
    pub fn lost(&self) -> Lost {
        self.lost
    }

    /// Cuts a shard to four fifths of its limit: the room saves the next findings a search through all of them.
    fn cut(&mut self, at: (Urgency, usize)) {
        let mut counts: BTreeMap<Fingerprint, usize> = BTreeMap::new();
        for finding in self.iter().filter(|finding| part_of(finding) == at) {
            *counts.entry(finding.fingerprint).or_default() += 1;
        }
        let kept = shares(&counts, self.shard_max - self.shard_max / 5);
        let shortened = |finding: &Finding| {
            part_of(finding) == at && counts.get(&finding.fingerprint) != kept.get(&finding.fingerprint)
        };
        let (mut some, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.heap).into_vec().into_iter().partition(|Reverse(of)| shortened(&of.finding));
        let before = some.len();
        some.sort_by(|Reverse(a), Reverse(b)| a.cmp(b));
        let mut left = kept;
        some.retain(|Reverse(waiting)| match left.get_mut(&waiting.finding.fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        });
        let lost = before - some.len();
        match at.0 {
            Urgency::Page => self.lost.pages += lost as u64,
            Urgency::Ticket => self.lost.tickets += lost as u64,
        }
        if let Some(shard) = self.shards.get_mut(&at) {
            shard.held -= lost;
        }
        self.heap = BinaryHeap::from(others);
        self.heap.extend(some);
    }
}

fn part_of(finding: &Finding) -> (Urgency, usize) {
    (finding.urgency, finding.fingerprint.shard())
}

/// What each key keeps: all have the same share, what one does not need goes to the others, a rest to the first by name.
fn shares(counts: &BTreeMap<Fingerprint, usize>, room: usize) -> BTreeMap<Fingerprint, usize> {
    let taken = |level: usize| counts.values().map(|count| (*count).min(level)).sum::<usize>();
    let (mut level, mut above) = (0, counts.values().max().map_or(0, |most| most + 1));
    while above - level > 1 {
        let middle = level + (above - level) / 2;
        if taken(middle) <= room {
            level = middle;
        } else {
            above = middle;
        }
    }
    let mut rest = room - taken(level).min(room);
    let share = |(print, count): (&Fingerprint, &usize)| {
        let more = usize::from(*count > level && rest > 0);
        rest -= more;
        (*print, (*count).min(level) + more)
    };
    counts.iter().map(share).collect()
}
