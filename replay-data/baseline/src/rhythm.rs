//! The rhythm: what an hour of a day brings. Offices are open on weekdays, releases crowd on two of them, schedules know no
//! weekend. Nothing is said here; it is only planned.

use crate::false_positives;
use crate::org::Kind;
use crate::people::{TEAM_SIZE, UPDATES};
use crate::time::{DAY, HOUR, MINUTE, SECOND, hour_of_day, is_release_day, is_weekend};
use crate::world::{Task, World};

/// Changes that people start on in each hour of a weekday, UTC.
const CHANGES: [u64; 24] = [0, 0, 0, 1, 1, 2, 8, 18, 26, 28, 27, 20, 22, 28, 27, 22, 14, 8, 4, 2, 1, 1, 0, 0];
/// Each planted false positive returns after so many days, at the latest thrice in 30.
const RETURN_DAYS: i64 = 9;

impl World {
    /// An hour begins.
    pub(crate) fn hour(&mut self, at: i64) {
        let hour = hour_of_day(at);
        if at == self.start {
            self.first_releases(at);
        }
        self.schedules(at, hour);
        self.plan_changes(at, hour);
        self.shared_beats(at);
        self.node_beats(at);
        self.traffic(at);
        self.accesses(at, hour);
        self.workloads(at);
        if hour == 0 {
            self.plan_false_positives(at);
            self.day_of_operations(at);
            self.day_of_findings(at);
            self.day_of_guards(at);
        }
    }

    /// At first everything is released once, so that what runs has a history.
    fn first_releases(&mut self, at: i64) {
        let org = self.org.clone();
        for (nth, repo) in org.services.iter().enumerate() {
            let author = org.repo(*repo).team * TEAM_SIZE;
            self.plan(at + 2 * MINUTE * nth as i64, Task::Release(*repo, author, true));
        }
    }

    /// End-to-end runs every two hours, nightly runs between one and five.
    fn schedules(&mut self, at: i64, hour: i64) {
        let org = self.org.clone();
        if hour % 2 == 0 {
            for (nth, repo) in org.services.iter().enumerate() {
                let minute = (nth as i64 * 7) % 118;
                self.plan(at + minute * MINUTE + (nth as i64 % 50) * SECOND, Task::EndToEnd(*repo));
            }
        }
        if (1..5).contains(&hour) {
            for repo in (0..org.repos.len()).filter(|repo| *repo as i64 % 4 == hour - 1) {
                self.plan(at + (repo as i64 * 41) % 3_500 * SECOND, Task::Nightly(repo));
            }
        }
    }

    fn plan_changes(&mut self, at: i64, hour: i64) {
        let org = self.org.clone();
        let usual = CHANGES.get(hour as usize).copied().unwrap_or(0);
        let most = match (is_weekend(at), is_release_day(at)) {
            (true, _) => usual / 12,
            (_, true) => usual * 13 / 10,
            _ => usual,
        };
        let count = if most == 0 { 0 } else { most * 9 / 10 + self.rng.below(most / 5 + 1) };
        for _ in 0..count {
            let repo = self.rng.index(org.repos.len());
            let author = self.at_work(org.repo(repo).team, hour);
            let when = at + self.rng.between(0, HOUR);
            self.plan(when, Task::Change(repo, author));
        }
        if hour == 5 {
            for _ in 0..24 {
                let repo = self.rng.index(org.repos.len());
                let when = at + self.rng.between(0, HOUR);
                if org.repo(repo).kind != Kind::Docs {
                    self.plan(when, Task::Change(repo, UPDATES));
                }
            }
        }
    }

    /// Somebody of a team, of those whose day it is.
    fn at_work(&mut self, team: usize, hour: i64) -> usize {
        let first = self.rng.index(TEAM_SIZE);
        for nth in 0..TEAM_SIZE {
            let index = team * TEAM_SIZE + (first + nth) % TEAM_SIZE;
            let from = self.actor(index).from_hour;
            if (from..from + 10).contains(&hour) {
                return index;
            }
        }
        team * TEAM_SIZE + first
    }

    fn plan_false_positives(&mut self, at: i64) {
        let day = (at - self.start) / DAY;
        for index in 0..false_positives::all().count() {
            if day > 0 && (day + index as i64 * 4) % RETURN_DAYS == 0 {
                let when = at + 8 * HOUR + self.rng.between(0, 9 * HOUR);
                self.plan(when, Task::Plant(index));
            }
        }
    }
}
