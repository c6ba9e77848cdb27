//! The world while it turns: what is due, what has been said and not arrived yet, and what changes: heads of branches,
//! versions, what is deployed where. Tasks run in order of time and may only say and plan things of their own time or
//! later, so whatever arrives before the next task can be given out: that is why nothing is held for longer than a
//! record is under way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::Record;
use crate::org::{Kind, Org};
use crate::people::{Actor, everybody};
use crate::rng::Rng;
use crate::runners::SHARED;
use crate::sources::{Source, by_name, normal_source};
use crate::time::HOUR;
use crate::write::json::Object;
use crate::write::normal::Event;

/// What is to be done at a time.
#[derive(Clone, Debug)]
pub enum Task {
    /// Everything that goes by the hour.
    Hour,
    /// What runs is listed.
    Inventory,
    /// A scheduled end-to-end run of a service.
    EndToEnd(usize),
    /// The nightly run of a repository.
    Nightly(usize),
    /// Somebody starts on a change: repository, author.
    Change(usize, usize),
    /// A change is merged: repository, author, number.
    Merge(usize, usize, i64),
    /// A release is made: repository, who asked; whether it goes on to production.
    Release(usize, usize, bool),
    /// A release reaches an environment.
    Deploy(usize, &'static str, String, String, bool),
    /// From now on an environment of a repository runs a digest of a version.
    Settled(usize, &'static str, String, String),
    /// Infrastructure is changed: repository, author, number of the request.
    Apply(usize, usize, i64),
    /// A false positive is planted: its index in the table.
    Plant(usize),
}

struct Due {
    at: i64,
    seq: u64,
    task: Task,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.seq) == (other.at, other.seq)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

struct Said {
    seq: u64,
    record: Record,
}

impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        self.seq == other.seq
    }
}
impl Eq for Said {}
impl PartialOrd for Said {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Said {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.record.arrival_ms, self.seq).cmp(&(other.record.arrival_ms, other.seq))
    }
}

/// What of a repository changes.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Head of the default branch.
    pub head: String,
    /// Cache entry that the default branch wrote last, and its content digest.
    pub cache: Option<(String, String)>,
    /// Components that a build resolves, as package URLs with version.
    pub components: Vec<String>,
    /// Components that were updated since the last release would show them.
    pub releases: i64,
    /// A release is under way until then.
    pub busy_until: i64,
    /// What production runs: digest and version.
    pub prod: Option<(String, String)>,
    /// What production ran before.
    pub prod_before: Option<String>,
    /// What staging runs.
    pub staging: Option<String>,
    /// Vulnerabilities that are open: id and severity, with digest.
    pub open: Vec<(String, &'static str, String)>,
}

/// What is being planted: detection and variant.
pub type Label = (&'static str, &'static str);

/// The world.
pub struct World {
    /// What stands still.
    pub(crate) org: Rc<Org>,
    /// Chance.
    pub(crate) rng: Rng,
    /// First moment.
    pub(crate) start: i64,
    /// Time of the task that runs now: what it says cannot arrive earlier.
    pub(crate) now: i64,
    /// No task starts at or after this.
    pub(crate) end: i64,
    /// What changes, by repository.
    pub(crate) life: Vec<Life>,
    /// From when each machine of the shared pool is free.
    pub(crate) shared_free: [i64; SHARED],
    /// What is said now arrives so much later than usual.
    pub(crate) held_up: i64,
    /// The false positive that is being planted.
    pub(crate) label: Option<Label>,
    people: Rc<Vec<Actor>>,
    agenda: BinaryHeap<Reverse<Due>>,
    said: BinaryHeap<Reverse<Said>>,
    seq: u64,
    numbers: i64,
}

impl World {
    /// A world at its first moment; `end` is exclusive.
    pub(crate) fn new(seed: u64, start: i64, end: i64) -> Self {
        let org = Rc::new(Org::new());
        let mut rng = Rng::new(seed);
        let life = org.repos.iter().map(|repo| first_life(&mut rng, repo.kind)).collect();
        let mut world = Self {
            org,
            rng,
            start,
            now: start,
            end,
            life,
            shared_free: [start; SHARED],
            held_up: 0,
            label: None,
            people: Rc::new(everybody()),
            agenda: BinaryHeap::new(),
            said: BinaryHeap::new(),
            seq: 0,
            numbers: 26_100_000,
        };
        let mut hour = start;
        while hour < end {
            world.plan(hour, Task::Hour);
            world.plan(hour + HOUR / 2, Task::Inventory);
            hour += HOUR;
        }
        world
    }

    /// The next record in arrival order.
    pub(crate) fn next_record(&mut self) -> Option<Record> {
        loop {
            let due = self.agenda.peek().map(|Reverse(due)| due.at);
            let arrives = self.said.peek().map(|Reverse(said)| said.record.arrival_ms);
            match (due, arrives) {
                (Some(due), Some(arrives)) if arrives < due => break,
                (None, _) => break,
                _ => {}
            }
            if let Some(Reverse(due)) = self.agenda.pop() {
                self.run_task(due.at, due.task);
            }
        }
        self.said.pop().map(|Reverse(said)| said.record)
    }

    /// Plans a task; what would be after the end is left out.
    pub(crate) fn plan(&mut self, at: i64, task: Task) {
        if at < self.end {
            self.seq += 1;
            self.agenda.push(Reverse(Due { at, seq: self.seq, task }));
        }
    }

    fn run_task(&mut self, at: i64, task: Task) {
        self.now = at;
        match task {
            Task::Hour => self.hour(at),
            Task::Inventory => self.inventory(at),
            Task::EndToEnd(repo) => self.end_to_end(repo, at),
            Task::Nightly(repo) => self.nightly(repo, at),
            Task::Change(repo, author) => self.change(repo, author, at),
            Task::Merge(repo, author, number) => self.merge(repo, author, number, at),
            Task::Release(repo, actor, onward) => self.release_and_deploy(repo, actor, onward, at),
            Task::Deploy(repo, env, digest, version, onward) => self.deploy(repo, env, &digest, &version, onward, at),
            Task::Settled(repo, env, digest, version) => self.settled(repo, env, digest, version),
            Task::Apply(repo, author, number) => self.apply(repo, author, number, at),
            Task::Plant(index) => self.plant(index, at),
        }
    }

    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    /// Somebody by index.
    pub(crate) fn actor(&self, index: usize) -> Actor {
        let people = &self.people;
        people[if index < people.len() { index } else { 0 }].clone()
    }

    /// The state of a repository.
    pub(crate) fn life(&mut self, repo: usize) -> &mut Life {
        let at = if repo < self.life.len() { repo } else { 0 };
        &mut self.life[at]
    }

    /// Says an event in the normal form.
    pub(crate) fn send(&mut self, event: Event) {
        let Some(source) = normal_source(event.class) else { return };
        let (class, time, marked) = (event.class, event.time, event.marked);
        let id = format!("{}-{}", source.name, self.number());
        self.said(source, class, time, event.bytes(&id), marked);
    }

    /// Says a record in a format of its own.
    pub(crate) fn send_native(&mut self, source: &str, class: &'static str, time: i64, record: Object, marked: bool) {
        let Some(source) = by_name(source) else { return };
        self.said(source, class, time, record.finish().into_bytes(), marked);
    }

    fn said(&mut self, source: &'static Source, class: &'static str, event_ms: i64, bytes: Vec<u8>, marked: bool) {
        let most = if self.rng.one_in(50) { source.longest_ms } else { source.usual_ms * 2 };
        let delay = self.held_up + 50 + self.rng.below(most.max(1) as u64) as i64;
        let arrival_ms = (event_ms + delay.min(source.longest_ms.max(self.held_up))).max(self.now);
        let label = if marked { self.label } else { None };
        self.seq += 1;
        let record = Record {
            source: source.name,
            class,
            arrival_ms,
            event_ms,
            bytes,
            label: label.map(|label| label.0),
            variant: label.map(|label| label.1),
        };
        self.said.push(Reverse(Said { seq: self.seq, record }));
    }
}

fn first_life(rng: &mut Rng, kind: Kind) -> Life {
    let count = if kind == Kind::Docs { 2 } else { 6 };
    let components = (0..count).map(|_| component(rng)).collect();
    Life { head: rng.commit(), components, ..Life::default() }
}

/// A package that somebody else makes, at a version.
pub(crate) fn component(rng: &mut Rng) -> String {
    const PACKAGES: [&str; 24] = [
        "lodash-es",
        "fastify",
        "zod",
        "undici",
        "pino",
        "dayjs",
        "vite",
        "esbuild",
        "react",
        "preact",
        "rxjs",
        "ajv",
        "yargs",
        "chalk",
        "sharp",
        "knex",
        "ioredis",
        "nanoid",
        "uuid",
        "semver",
        "express",
        "kleur",
        "mitt",
        "immer",
    ];
    let name = rng.pick(&PACKAGES);
    format!("pkg:npm/{name}@{}.{}.{}", 1 + rng.below(9), rng.below(20), rng.below(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_under_way_is_held() {
        let start = crate::time::midnight("2026-09-01").expect("a date");
        let mut world = World::new(3, start, start + 3 * crate::time::DAY);
        let (mut records, mut most) = (0_usize, 0);
        while world.next_record().is_some() {
            records += 1;
            most = most.max(world.said.len());
        }
        assert!(records > 200_000, "{records} records");
        assert!(most < 4_000, "{most} records held at once");
    }
}
