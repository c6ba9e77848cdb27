//! Scans and what they find: light ones of each request, full ones of each release and each night; vulnerabilities open
//! and are closed within their time; the threat feed names what nobody here has.

use crate::job::{Job, Plan};
use crate::org::{Kind, known_sha256};
use crate::people::ACTIONS;
use crate::time::{DAY, HOUR, MINUTE};
use crate::world::World;
use crate::write::normal::Event;

impl World {
    /// The nightly run of a repository: a full scan, and for packages a rebuild.
    pub(crate) fn nightly(&mut self, repo: usize, at: i64) {
        let head = self.life(repo).head.clone();
        let span = self.steady(repo, 9 * MINUTE);
        let plan = Plan {
            workflow: "nightly.yml",
            name: "nightly",
            trigger: "schedule",
            span,
            ..Plan::new(repo, at, ACTIONS, &head)
        };
        let job = self.run(&plan);
        self.scan(repo, &head, None, "full", "depscan", job.moment(700), Some(&job));
        if self.org.repo(repo).kind == Kind::Library && self.rng.one_in(12) {
            let digest = format!("sha256:{}", known_sha256(&head));
            let made = crate::job::Release { job, digest, version: String::new(), key: String::new(), pushed: at };
            self.rebuilt(&made);
        }
    }

    /// A scan ended.
    #[expect(clippy::too_many_arguments, reason = "the parts of one event")]
    pub(crate) fn scan(
        &mut self,
        repo: usize,
        commit: &str,
        digest: Option<&str>,
        kind: &str,
        tool: &str,
        at: i64,
        job: Option<&Job>,
    ) {
        let org = self.org.clone();
        let day = (at - self.start) / DAY;
        let mut event = Event::new("scan.result", "ended", at);
        event = match job {
            Some(job) => event.job(&org, job),
            None => event.repo(&org, repo).text("prov.commit", commit),
        };
        let failed = digest.is_none() && self.rng.one_in(200);
        event = event
            .maybe("prov.digest", digest)
            .text("kind", kind)
            .text("tool", tool)
            .text("db_version", &format!("db-{day}"))
            .flag("critical", kind == "full");
        self.send(if failed { event.outcome("failure") } else { event });
    }

    /// The findings of a day.
    pub(crate) fn day_of_findings(&mut self, at: i64) {
        let org = self.org.clone();
        for nth in 0..12 {
            let repo = org.services[self.rng.index(org.services.len())];
            let Some((digest, _)) = self.life(repo).prod.clone() else { continue };
            let number = self.rng.between(1_000, 60_000);
            let cve = format!("CVE-2026-{number}");
            let sev = if nth % 3 == 0 { "high" } else { "medium" };
            let opened = at + 6 * HOUR + nth * 20 * MINUTE;
            let event = self.vuln("opened", repo, &digest, &cve, sev, opened);
            self.send(event);
            self.life(repo).open.push((cve, sev, digest));
        }
        for (nth, repo) in org.services.iter().enumerate() {
            // Closed in the order they opened, a few days later: a repository that has two open closes the older one.
            let due = self.life(*repo).open.len() > 1 || (at / DAY + nth as i64) % 4 == 0;
            if let (true, false) = (due, self.life(*repo).open.is_empty()) {
                let (cve, sev, digest) = self.life(*repo).open.remove(0);
                let event = self.vuln("closed", *repo, &digest, &cve, sev, at + 12 * HOUR + nth as i64 * MINUTE);
                self.send(event.text("reason", "fixed"));
            }
        }
        for nth in 0..20 {
            let repo = self.rng.index(org.repos.len());
            let action = ["opened", "closed", "opened", "closed", "dismissed"][nth as usize % 5];
            self.send(
                Event::new("scan.finding", action, at + 7 * HOUR + nth * 11 * MINUTE)
                    .repo(&org, repo)
                    .text("kind", "sast")
                    .text("rule", ["unchecked-input", "weak-hash", "open-redirect"][nth as usize % 3])
                    .text("tool", "lintwise")
                    .text("sev", "low")
                    .flag("dismissed", action == "dismissed")
                    .flag("applied", false),
            );
        }
        for nth in 0..5 {
            let number = self.number();
            self.send(
                Event::new("threat.intel", "malicious", at + 3 * HOUR + nth * 4 * HOUR)
                    .text("purl", &format!("pkg:npm/loadash-{number}"))
                    .texts("versions", &["*"])
                    .text("source", "open-malware-feed")
                    .int("valid_from", at),
            );
        }
    }

    /// A vulnerability of a digest is opened or closed.
    pub(crate) fn vuln(&mut self, action: &str, repo: usize, digest: &str, cve: &str, sev: &str, at: i64) -> Event {
        let org = self.org.clone();
        Event::new("vuln.finding", action, at)
            .repo(&org, repo)
            .text("prov.service", &org.repo(repo).name)
            .text("prov.artifact", &org.repo(repo).artifact())
            .text("prov.digest", digest)
            .text("cve", cve)
            .text("sev", sev)
            .text("tool", "depscan")
            .flag("kev", false)
    }
}
