//! A2 on the destinations of repositories: a pool that many share, a few of their own, new ones now and then; beside seven
//! days of memory and no prevalence.

use model::{DetectorSpec, FirstSeenSpec};

use super::generator::{HOUR, MONDAY, Random};
use super::{Driven, Row, Size, median};

const DAY: i64 = 24 * HOUR;
const DAYS: usize = 90;
/// Days before which nothing is counted.
const WARM_DAYS: usize = 40;

/// A connection: minute of it, repository, destination, whether it was injected.
type Seen = (i64, usize, String, bool);

fn history(random: &mut Random, repositories: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    for day in 0..DAYS as i64 {
        if day % 7 >= 5 {
            continue;
        }
        for repository in 0..repositories {
            for run in 0..2 {
                let at = MONDAY + day * DAY + (8 + run * 5) * HOUR + random.below(4 * HOUR as usize) as i64;
                // Of the common pool eight every time, one of the long tail of mirrors now and then, rarely one of its own.
                for of in 0..8 {
                    seen.push((at, repository, format!("common-{}", (repository * 3 + of) % 24), false));
                }
                if random.below(12) == 0 {
                    seen.push((at, repository, format!("mirror-{}", random.below(repositories / 5)), false));
                }
                if random.below(1_500) == 0 {
                    seen.push((at, repository, format!("own-{repository}-{}", random.bits() % 9_999), false));
                }
            }
        }
    }
    for attack in 0..20 {
        let day = WARM_DAYS + random.below(DAYS - WARM_DAYS);
        let at = MONDAY + day as i64 * DAY + random.below(DAY as usize) as i64;
        seen.push((at, random.below(repositories), format!("attack-{attack}"), true));
    }
    seen.sort();
    seen
}

fn row(who: &str, seen: &[Seen], spec: &FirstSeenSpec) -> Row {
    let mut of = Driven::new(&DetectorSpec::FirstSeen(spec.clone()));
    let (mut found, mut false_alarms) = (0, 0);
    let mut told = std::collections::BTreeSet::new();
    for (at, repository, domain, is_attack) in seen {
        let key = format!("repo-{repository:03}");
        let mut fields = vec![key.as_str(), domain.as_str()];
        if spec.prevalence.is_some() {
            fields.push(&key);
        }
        if of.event(*at, &fields).is_none() || *at < MONDAY + WARM_DAYS as i64 * DAY {
            continue;
        }
        // One alert a term and day: what follows folds into it.
        match is_attack {
            true => found += 1,
            false if told.insert((repository, domain.clone(), at.div_euclid(DAY))) => false_alarms += 1,
            false => {}
        }
    }
    Row {
        who: who.to_owned(),
        precision: f64::from(found) / f64::from((found + false_alarms).max(1)),
        recall: f64::from(found) / 20.0,
        false_alarms: f64::from(false_alarms) / (DAYS - WARM_DAYS) as f64,
        minutes: median(vec![0.0]),
        bar: None,
    }
}

/// A2, then the naive way.
pub(super) fn rows(size: Size, seed: u64) -> Vec<Row> {
    let seen = history(&mut Random(seed ^ 2), size.repositories);
    let spec = FirstSeenSpec {
        fields: vec!["repo".to_owned(), "domain".to_owned()],
        memory_ms: 30 * DAY,
        prevalence: Some(("repo".to_owned(), 3)),
        warmup_events: 10,
        warmup_ms: 7 * DAY,
        novelty_max: Some(0.05),
        quarantine_ms: DAY,
    };
    let mut own = row("A2 first seen, 30 days, prevalence below 3 (alarms a day)", &seen, &spec);
    let most = 1.5 * size.repositories as f64 / 300.0;
    own.bar =
        Some((format!("at most {most:.1} a day for {} repositories", size.repositories), own.false_alarms <= most));
    let naive = FirstSeenSpec { memory_ms: 7 * DAY, prevalence: None, novelty_max: None, quarantine_ms: 0, ..spec };
    vec![own, row("first seen, 7 days (alarms a day)", &seen, &naive)]
}
