//! Operations: announced changes, maintenance windows, freezes at night, exercises. Policies are changed by review. What is
//! announced here explains what happens elsewhere, so nothing is announced that covers an ordinary day.

use crate::deliveries::bundle;
use crate::time::{DAY, HOUR, MINUTE, weekday};
use crate::world::World;
use crate::write::normal::Event;

impl World {
    /// The operations of a day.
    pub(crate) fn day_of_operations(&mut self, at: i64) {
        let day = (at - self.start) / DAY;
        let org = self.org.clone();
        let team = org.teams[day as usize % org.teams.len()];
        self.announce("database-upgrade", team, &format!("upgrade-{day}"), at + 9 * HOUR, 2 * HOUR);
        (0..24).for_each(|hour| self.heartbeat("threat-feed", at + hour * HOUR));
        match weekday(at) {
            0 => self.outage("threat-feed", at + 3 * HOUR, 20 * MINUTE),
            2 => {
                let event = self.window("ops.maintenance", "announced", "ci", at + 4 * HOUR, HOUR / 2);
                self.send(event.text("scope", "org"));
            }
            4 => {
                let event = Event::new("policy.change", "updated", at + 10 * HOUR)
                    .actor("policy-pipeline", "policy-pipeline", "service")
                    .text("prov.env", "prod")
                    .text("prov.cluster", "us1")
                    .text("rule", "release-door")
                    .text("mode", "enforce")
                    .text("failure_policy", "Fail")
                    .text("bundle_rev", &bundle(day + 7));
                self.send(event);
            }
            5 => {
                let event = self.window("ops.freeze", "begun", "weekend", at + 22 * HOUR, 2 * HOUR - MINUTE);
                self.send(event.text("scope", "account").text("object_kind", "environment").text("object", "prod"));
                self.thaw("environment", "prod", at + 24 * HOUR - MINUTE);
            }
            3 => {
                let object = format!("exercise-token-{day}");
                let event = Event::new("ops.response", "revoke", at + 13 * HOUR)
                    .actor("u-4412", "responder", "human")
                    .text("object_kind", "token")
                    .text("object", &object)
                    .text("prov.token_id", &object)
                    .text("scope", "exercise")
                    .text("kind", "credential")
                    .text("incident", &format!("exercise-{day}"));
                self.send(event);
            }
            _ => {}
        }
    }

    /// A source says that it is there.
    fn heartbeat(&mut self, source: &str, at: i64) {
        let event = Event::new("ops.heartbeat", "alive", at).actor("watchdog", "watchdog", "service");
        self.send(event.text("object", source));
    }

    /// A source cannot be heard for a while, and somebody says so when it is over.
    fn outage(&mut self, source: &str, from: i64, span: i64) {
        let event = Event::new("ops.health", "unhealthy", from + span + MINUTE)
            .actor("u-4410", "change-desk", "human")
            .text("object", source)
            .int("from", from)
            .int("to", from + span);
        self.send(event);
    }

    /// A freeze of something is over.
    pub(crate) fn thaw(&mut self, object_kind: &str, object: &str, at: i64) {
        let event = Event::new("ops.freeze", "ended", at)
            .actor("u-4410", "change-desk", "human")
            .text("object_kind", object_kind)
            .text("object", object);
        self.send(event);
    }

    /// A planned change is announced an hour before it begins.
    pub(crate) fn announce(&mut self, object: &str, team: &str, campaign: &str, from: i64, span: i64) {
        let said = (from - HOUR).max(self.now);
        let event = Event::new("ops.change", "announced", said)
            .actor("u-4410", "change-desk", "human")
            .text("prov.team", team)
            .text("scope", "account")
            .text("object", object)
            .text("kind", "campaign")
            .text("campaign", campaign)
            .int("from", from)
            .int("to", from + span);
        self.send(event);
    }

    /// Production is to go back to what ran before: announced like any other change, with what it is for.
    pub(crate) fn announce_rollback(&mut self, object: &str, campaign: &str, from: i64, span: i64) {
        let event = self.window("ops.change", "announced", "rollback", from, span);
        self.send(
            event.text("prov.env", "prod").text("scope", "org").text("object", object).text("campaign", campaign),
        );
    }

    /// A window from a time on, announced an hour before.
    pub(crate) fn window(&mut self, class: &'static str, action: &str, kind: &str, from: i64, span: i64) -> Event {
        Event::new(class, action, (from - HOUR).max(self.now))
            .actor("u-4410", "change-desk", "human")
            .text("kind", kind)
            .int("from", from)
            .int("to", from + span)
    }
}
