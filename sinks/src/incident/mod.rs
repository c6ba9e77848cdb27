//! Incidents: alerts that lineage joins, and who is told of them.
//!
//! An alert joins the open incident of which it reaches a joint, and opens one where it reaches none; where it reaches several,
//! they are one from here on, under the name of the oldest. Called in total order with what lies around each alert. Must never
//! keep the first page of an owner from being told, nor tell anybody because incidents merged.

mod decide;
mod opening;
mod record;
mod saved;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Fingerprint, IncidentRecord, IncidentState, Join, Joint, Timestamp, ToldBecause, Urgency};
use serde::{Deserialize, Serialize};

pub use opening::{Near, Opening, OpeningPlace};
use record::{about, record};
pub use saved::IncidentsSnapshot;

/// An incident is over so long after something was told of it last.
pub const QUIET_MS: i64 = 72 * 3_600_000;

/// Nobody having been paged about it for so long, its next page is told.
pub const AGAIN_MS: i64 = 24 * 3_600_000;

/// Repositories that a record names.
const REPOS_MAX: usize = 64;

/// What open incidents may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentLimits {
    /// Open incidents. At the limit those of which nobody was paged go first, then the one that has been quiet longest.
    pub incidents_max: usize,
    /// Alerts of one incident that are known again, and joints by which others join it. What is more joins all the same and is
    /// counted, and joins nobody itself.
    pub members_max: usize,
}

impl IncidentLimits {
    /// Where nobody says otherwise.
    pub const DEFAULT: IncidentLimits = IncidentLimits { incidents_max: 100_000, members_max: 1_000 };
}

/// What is held, and what limits have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentsHeld {
    /// Open incidents.
    pub open: usize,
    /// Incidents closed because `incidents_max` was reached.
    pub evicted: u64,
    /// Incidents that became one with an older one.
    pub merged: u64,
    /// Pages that nobody was told of, because they joined.
    pub folded: u64,
    /// Alerts and joints that were not kept because `incident_members_max` was reached.
    pub cut: u64,
}

/// An open incident.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Incident {
    opened: Timestamp,
    /// When something of it was told last.
    last: Timestamp,
    /// Its alerts, and whether the page of each was told.
    members: BTreeMap<Fingerprint, bool>,
    /// The joints of its alerts, each with the first alert that has it.
    anchors: BTreeMap<Joint, Fingerprint>,
    alerts: u64,
    pages: u64,
    pages_told: u64,
    /// When each owner was paged last.
    paged: BTreeMap<Option<String>, Timestamp>,
    /// Kinds of composites that have paged.
    composites: BTreeSet<Arc<str>>,
    repos: BTreeSet<String>,
    repos_more: u64,
}

/// All open incidents.
#[derive(Debug)]
pub struct Incidents {
    open: BTreeMap<Fingerprint, Incident>,
    by_anchor: BTreeMap<Joint, BTreeSet<Fingerprint>>,
    by_member: BTreeMap<Fingerprint, Fingerprint>,
    /// Paged or not, when something was told last, which.
    quiet: BTreeSet<(bool, Timestamp, Fingerprint)>,
    limits: IncidentLimits,
    held: IncidentsHeld,
}

impl Incidents {
    /// No incident is open.
    pub fn new(limits: IncidentLimits) -> Incidents {
        let (open, by_anchor, by_member, quiet, held) = Default::default();
        Incidents { open, by_anchor, by_member, quiet, limits, held }
    }

    /// What is held, and what limits have cost.
    pub fn held(&self) -> IncidentsHeld {
        IncidentsHeld { open: self.open.len(), ..self.held }
    }

    /// Takes an alert that was told, next in total order, with the joints around it: its own first, each with the one before
    /// it. Without hubs.
    pub fn take(&mut self, alert: &Opening, around: &[Near], tell: &mut impl FnMut(IncidentRecord)) {
        self.expire(alert.at, tell);
        let joins = self.joins(alert, around);
        let Some((id, merged)) = self.settle(&joins) else { return self.open(alert, around, tell) };
        let Some(mut incident) = self.open.remove(&id) else { return };
        self.quiet.remove(&rank(&id, &incident));
        let before = incident.members.get(&alert.fingerprint).copied();
        let because = decide::decide(&incident, alert, before);
        let is_news = alert.state != model::AlertState::Repeat || !merged.is_empty() || before.is_none();
        self.add(id, &mut incident, alert, around, because);
        let state = match (merged.is_empty(), before) {
            (false, _) => IncidentState::Merged,
            (true, None) => IncidentState::Joined,
            (true, Some(_)) => IncidentState::Again,
        };
        // The page that was told is told again by its own record; one that was not is news only where it is told now.
        if is_news || (before == Some(false) && because == ToldBecause::Again) {
            self.held.folded += u64::from(!because.is_told());
            tell(record(id, &incident, state, alert, because, (joins, merged)));
        }
        self.quiet.insert(rank(&id, &incident));
        self.open.insert(id, incident);
    }

    /// One join for each open incident that an alert reaches, the nearest first.
    fn joins(&self, alert: &Opening, around: &[Near]) -> Vec<Join> {
        let mut joins: Vec<Join> = Vec::new();
        if let Some(incident) = self.by_member.get(&alert.fingerprint) {
            joins.push(Join { incident: *incident, alert: alert.fingerprint, path: Vec::new() });
        }
        for (at, near) in around.iter().enumerate() {
            for incident in self.by_anchor.get(&near.joint).into_iter().flatten() {
                if joins.iter().any(|join| join.incident == *incident) {
                    continue;
                }
                let of = self.open.get(incident).and_then(|of| of.anchors.get(&near.joint)).copied();
                let alert = of.unwrap_or(alert.fingerprint);
                joins.push(Join { incident: *incident, alert, path: way(around, at) });
            }
        }
        joins
    }

    /// The oldest of the incidents that were joined, with all others of them in it. None: none was.
    fn settle(&mut self, joins: &[Join]) -> Option<(Fingerprint, Vec<Fingerprint>)> {
        let mut ids: Vec<(Timestamp, Fingerprint)> =
            joins.iter().filter_map(|join| Some((self.open.get(&join.incident)?.opened, join.incident))).collect();
        ids.sort_unstable();
        let (_, oldest) = *ids.first()?;
        let merged: Vec<Fingerprint> = ids.into_iter().skip(1).map(|(_, id)| id).collect();
        for id in &merged {
            self.merge(oldest, *id);
        }
        Some((oldest, merged))
    }

    fn merge(&mut self, into: Fingerprint, id: Fingerprint) {
        let Some(gone) = self.remove(&id) else { return };
        let Some(mut incident) = self.open.remove(&into) else { return };
        self.quiet.remove(&rank(&into, &incident));
        self.held.merged += 1;
        for (print, told) in gone.members {
            self.member(into, &mut incident, print, told);
        }
        for (joint, print) in gone.anchors {
            self.anchor(into, &mut incident, joint, print);
        }
        for (owner, at) in gone.paged {
            let last = incident.paged.entry(owner).or_insert(at);
            *last = at.max(*last);
        }
        incident.last = incident.last.max(gone.last);
        incident.alerts += gone.alerts;
        incident.pages += gone.pages;
        incident.pages_told += gone.pages_told;
        incident.composites.extend(gone.composites);
        incident.repos_more += gone.repos_more;
        gone.repos.into_iter().for_each(|repo| incident.name(repo));
        self.quiet.insert(rank(&into, &incident));
        self.open.insert(into, incident);
    }

    fn open(&mut self, alert: &Opening, around: &[Near], tell: &mut impl FnMut(IncidentRecord)) {
        if self.open.len() >= self.limits.incidents_max
            && let Some((_, _, id)) = self.quiet.first().copied()
        {
            self.held.evicted += 1;
            self.close(id, alert.at, true, tell);
        }
        let id = alert.incident();
        let mut incident = Incident::new(alert.at);
        let because = decide::decide(&incident, alert, None);
        self.add(id, &mut incident, alert, around, because);
        tell(record(id, &incident, IncidentState::Opened, alert, because, Default::default()));
        self.quiet.insert(rank(&id, &incident));
        self.open.insert(id, incident);
    }

    /// An alert becomes one of an incident's.
    fn add(&mut self, id: Fingerprint, of: &mut Incident, alert: &Opening, around: &[Near], because: ToldBecause) {
        let is_page = alert.urgency == Urgency::Page;
        let is_told = is_page && because.is_told();
        if !of.members.contains_key(&alert.fingerprint) {
            of.alerts += 1;
            of.pages += u64::from(is_page);
        } else if alert.state == model::AlertState::Raised {
            of.pages += u64::from(is_page);
        }
        let was_told = of.members.get(&alert.fingerprint).is_some_and(|told| *told);
        self.member(id, of, alert.fingerprint, is_told || was_told);
        for near in around.iter().filter(|near| near.from.is_none()) {
            self.anchor(id, of, near.joint.clone(), alert.fingerprint);
        }
        of.last = of.last.max(alert.at);
        if is_told {
            let last = of.paged.entry(alert.owner.clone()).or_insert(alert.at);
            *last = alert.at.max(*last);
            of.pages_told += u64::from(alert.state != model::AlertState::Repeat);
            of.composites.extend(alert.composite.clone());
        }
        alert.repo.iter().for_each(|repo| of.name(repo.clone()));
    }

    fn member(&mut self, id: Fingerprint, of: &mut Incident, print: Fingerprint, told: bool) {
        if of.members.len() < self.limits.members_max || of.members.contains_key(&print) {
            of.members.insert(print, told);
            self.by_member.insert(print, id);
        } else {
            self.held.cut += 1;
        }
    }

    fn anchor(&mut self, id: Fingerprint, of: &mut Incident, joint: Joint, print: Fingerprint) {
        if of.anchors.contains_key(&joint) {
            return;
        }
        if of.anchors.len() >= self.limits.members_max {
            self.held.cut += 1;
            return;
        }
        self.by_anchor.entry(joint.clone()).or_default().insert(id);
        of.anchors.insert(joint, print);
    }

    /// Takes an incident out of everything.
    fn remove(&mut self, id: &Fingerprint) -> Option<Incident> {
        let incident = self.open.remove(id)?;
        self.quiet.remove(&rank(id, &incident));
        for print in incident.members.keys() {
            self.by_member.remove(print);
        }
        for joint in incident.anchors.keys() {
            if let Some(ids) = self.by_anchor.get_mut(joint) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_anchor.remove(joint);
                }
            }
        }
        Some(incident)
    }

    /// Closes what has been quiet for so long before a time. Events of a time come before the timers of it.
    pub fn expire(&mut self, before: Timestamp, tell: &mut impl FnMut(IncidentRecord)) {
        loop {
            let first = |paged| self.quiet.range((paged, Timestamp::MIN, Fingerprint::LEAST)..).next().copied();
            let quietest = [first(false), first(true)].into_iter().flatten().min_by_key(|(_, last, id)| (*last, *id));
            let Some((_, last, id)) = quietest else { return };
            let due = last.plus_ms(QUIET_MS).min(Timestamp::LAST);
            if due >= before && before != Timestamp::MAX {
                return;
            }
            self.close(id, due, false, tell);
        }
    }

    fn close(&mut self, id: Fingerprint, at: Timestamp, evicted: bool, tell: &mut impl FnMut(IncidentRecord)) {
        let Some(incident) = self.remove(&id) else { return };
        let Incident { alerts, pages_told, .. } = incident;
        let why = if evicted { "too many incidents are open" } else { "nothing was told of it for three days" };
        tell(IncidentRecord {
            event_time: at,
            evicted,
            explain: format!("closed after {alerts} alerts, {pages_told} pages told: {why}; nobody says it is fixed"),
            ..about(id, &incident, IncidentState::Closed)
        });
    }
}

impl Incident {
    fn new(at: Timestamp) -> Incident {
        let (members, anchors, paged, composites, repos) = Default::default();
        let (alerts, pages, pages_told, repos_more) = (0, 0, 0, 0);
        Incident {
            opened: at,
            last: at,
            members,
            anchors,
            alerts,
            pages,
            pages_told,
            paged,
            composites,
            repos,
            repos_more,
        }
    }

    fn name(&mut self, repo: String) {
        if self.repos.len() < REPOS_MAX || self.repos.contains(&repo) {
            self.repos.insert(repo);
        } else {
            self.repos_more += 1;
        }
    }
}

fn rank(id: &Fingerprint, incident: &Incident) -> (bool, Timestamp, Fingerprint) {
    (!incident.paged.is_empty(), incident.last, *id)
}

/// The way to one of the joints around an alert, from its own on.
fn way(around: &[Near], at: usize) -> Vec<Joint> {
    let mut way = Vec::new();
    let mut next = around.get(at);
    while let Some(near) = next {
        way.push(near.joint.clone());
        next = near.from.and_then(|from| around.get(from));
    }
    way.reverse();
    way
}
