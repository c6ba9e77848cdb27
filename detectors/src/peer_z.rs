//! A3, peers: a job unlike the jobs of its kind.
//!
//! For each feature `z = (x − median) / max(1.4826·MAD, floor)` over the last 256 clean jobs of the group (workflow, job, runner class,
//! trigger), or of the next wider one where it has fewer than 30. One z of 6 or two of 4 are remarkable; less than usual counts only where
//! a feature says so. Median and MAD: half of the jobs may be odd and neither moves (Iglewicz and Hoaglin). Must never
//! learn from a job that was remarkable, unless most jobs of three days are.

use std::collections::VecDeque;

use model::{Frame, PeerZSpec};
use serde::{Deserialize, Serialize};

use crate::bucketed::{Bucket, Event, Learner, Learning, Score};
use crate::explanation::Explanation;
use crate::stats::{median_mad, robust_z, shown};

/// Jobs of a group.
const JOBS_MAX: usize = 256;

/// The parameters.
#[derive(Debug, Clone)]
pub(crate) struct PeerZ {
    pub(crate) spec: PeerZSpec,
}

/// What is known of a group: its last jobs, features on the compared scale.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Jobs {
    ring: VecDeque<Vec<f32>>,
    /// Clean jobs of the open bucket, in total order.
    open: Vec<Vec<f32>>,
    /// Remarkable ones, of the open bucket and of those before that were not learned.
    held: VecDeque<Vec<f32>>,
    /// Remarkable jobs of the open bucket.
    odd: u64,
    last: Option<(f64, Explained)>,
}

/// An explanation as state: what the last remarkable job of the open bucket said.
type Explained = (String, String, String, String);

/// One feature against its peers.
struct Off {
    z: f64,
    words: String,
}

impl Jobs {
    fn extend(&mut self, jobs: impl IntoIterator<Item = Vec<f32>>) {
        for job in jobs {
            if self.ring.len() >= JOBS_MAX {
                self.ring.pop_front();
            }
            self.ring.push_back(job);
        }
    }
}

impl PeerZ {
    /// The job's features on the compared scale. None: one is missing or no number.
    fn features(&self, event: &Event<'_>) -> Option<Vec<f32>> {
        let texts = self.spec.features.iter().zip(event.rest);
        let numbers: Vec<f32> = texts
            .filter_map(|(feature, texts)| {
                let x = texts.first()?.trim().parse::<f64>().ok().filter(|x| x.is_finite())?;
                Some(if feature.is_log { libm::log1p(x.max(0.0)) } else { x } as f32)
            })
            .collect();
        (numbers.len() == self.spec.features.len()).then_some(numbers)
    }

    /// Every feature against the ring, the farthest off first.
    fn off(&self, job: &[f32], ring: &VecDeque<Vec<f32>>) -> Vec<Off> {
        let mut off: Vec<Off> = Vec::new();
        for (at, (feature, x)) in self.spec.features.iter().zip(job).enumerate() {
            let column: Vec<f64> = ring.iter().filter_map(|job| job.get(at)).map(|x| f64::from(*x)).collect();
            let (median, mad) = median_mad(&column);
            let z = robust_z(f64::from(*x), median, mad, feature.floor);
            let z = if feature.is_two_sided { z.abs() } else { z };
            let plain = |x: f64| shown(if feature.is_log { libm::expm1(x) } else { x });
            let words =
                format!("{} {}, peers' median {}, z {}", feature.name, plain(f64::from(*x)), plain(median), shown(z));
            off.push(Off { z, words });
        }
        off.sort_by(|a, b| b.z.total_cmp(&a.z));
        off
    }

    fn score(&self, job: &[f32], key: &Jobs, groups: &[&Jobs]) -> Option<Score> {
        let is_enough = |jobs: &&Jobs| jobs.ring.len() >= self.spec.jobs_min;
        let (at, jobs) = [key].into_iter().chain(groups.iter().copied()).enumerate().find(|(_, of)| is_enough(of))?;
        let off = self.off(job, &jobs.ring);
        let farthest = off.first()?.z;
        let is_odd = farthest >= self.spec.z_one || off.get(1).is_some_and(|second| second.z >= self.spec.z_two);
        let words: Vec<&str> = off.iter().take(3).map(|of| of.words.as_str()).collect();
        is_odd.then(|| Score {
            value: (farthest * 1_000.0).round() / 1_000.0,
            figures: model::Figures::default(),
            explanation: Explanation {
                observed: words.join("; "),
                expected: format!("z below {}, and no two of {}", self.spec.z_one, self.spec.z_two),
                size: format!("{} jobs of {}", jobs.ring.len(), if at == 0 { "its group" } else { "a wider group" }),
                peers: format!("the medians above, {} features", off.len()),
                ordinary: format!("every feature less than {} deviations off", self.spec.z_two),
            },
        })
    }
}

impl Learner for PeerZ {
    type Key = Jobs;
    type Group = Jobs;

    fn frame(&self) -> &Frame {
        &self.spec.frame
    }

    /// Its value is the greatest z.
    fn see(&self, key: &mut Jobs, groups: &[&Jobs], event: &Event<'_>) -> Option<Score> {
        let job = self.features(event)?;
        let found = self.score(&job, key, groups);
        match &found {
            Some(score) => {
                let of = &score.explanation;
                let words = (of.observed.clone(), of.expected.clone(), of.size.clone(), of.ordinary.clone());
                (key.odd, key.last) = (key.odd + 1, Some((score.value, words)));
                if event.teaches {
                    if key.held.len() >= JOBS_MAX {
                        key.held.pop_front();
                    }
                    key.held.push_back(job);
                }
            }
            None if event.teaches && key.open.len() < JOBS_MAX => key.open.push(job),
            None => {}
        }
        found
    }

    /// A bucket is remarkable when most of its jobs are: one odd job is no new level.
    fn judge(&self, key: &mut Jobs, _: &[&Jobs], _: Bucket) -> Option<Score> {
        let (value, (observed, expected, size, ordinary)) = key.last.take()?;
        let is_most = key.odd > key.open.len() as u64;
        let explanation = Explanation { observed, expected, size, peers: String::new(), ordinary };
        is_most.then_some(Score { value, figures: model::Figures::default(), explanation })
    }

    fn settle(&self, key: &mut Jobs, _: Bucket, how: Learning) {
        let open = std::mem::take(&mut key.open);
        match how {
            Learning::Learned => {
                key.extend(open.iter().cloned());
                if !open.is_empty() {
                    key.held.clear();
                }
            }
            Learning::Held => {}
            Learning::Dropped => key.held.clear(),
            Learning::Accepted => {
                let held = std::mem::take(&mut key.held);
                // Enough of the new level to be judged by, or the old one beside it.
                if held.len() >= self.spec.jobs_min {
                    key.ring.clear();
                }
                key.extend(held);
            }
        }
        (key.odd, key.last) = (0, None);
    }

    fn is_warm(&self, key: &Jobs, groups: &[&Jobs], _: Bucket) -> bool {
        let mut all = groups.iter().copied().chain([key]);
        all.any(|of| of.ring.len() >= self.spec.jobs_min)
    }

    fn teach(&self, key: &Jobs, group: &mut Jobs) {
        let room = JOBS_MAX.saturating_sub(group.open.len());
        group.open.extend(key.open.iter().take(room).cloned());
    }

    fn settle_group(&self, group: &mut Jobs, _: Bucket) {
        let open = std::mem::take(&mut group.open);
        group.extend(open);
    }
}
