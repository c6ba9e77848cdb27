//! What an anomaly says to the person who is woken: observed, expected, from what, by whom, when last, what peers do, and
//! what would have been ordinary.
//!
//! Every detector that learns by bucket fills all of it. Must never quote a text without its redaction later: what is said
//! here leaves as facts of a finding, which are redacted there.

use model::{Figures, Timestamp};

use crate::stats::shown;

/// See the module.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Explanation {
    /// What was seen, with its unit.
    pub(crate) observed: String,
    /// What was expected, with the interval that all but a few lie in.
    pub(crate) expected: String,
    /// How much the expectation was learned from (`22 similar hours`).
    pub(crate) size: String,
    /// What the peers show. Empty: there are none.
    pub(crate) peers: String,
    /// What would have been ordinary.
    pub(crate) ordinary: String,
}

/// What the frame knows of a key beside the detector's own explanation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Circumstances<'a> {
    pub(crate) key: &'a str,
    pub(crate) first_ms: i64,
    /// Of the open bucket, by amount.
    pub(crate) contributors: &'a [(String, u64)],
    pub(crate) last_similar_ms: Option<i64>,
}

impl Explanation {
    /// Of the bucket that ends an excursion.
    pub(crate) fn ordinary_again() -> Explanation {
        let words = "ordinary again";
        Explanation {
            observed: words.to_owned(),
            expected: "what is ordinary".to_owned(),
            size: "what was learned before".to_owned(),
            peers: String::new(),
            ordinary: words.to_owned(),
        }
    }

    /// The sentence of what was observed.
    pub(crate) fn observed(&self, of: &Circumstances<'_>) -> String {
        let mut words = format!("{}: {}", of.key, self.observed);
        let total: u64 = of.contributors.iter().map(|(_, amount)| amount).sum();
        let mut ranked: Vec<&(String, u64)> = of.contributors.iter().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if !ranked.is_empty() {
            let top: Vec<String> = ranked.iter().take(3).map(|(name, amount)| format!("{name} {amount}")).collect();
            words.push_str(&format!("; most of {total} by {}", top.join(", ")));
        }
        words
    }

    /// The sentence of what it was compared with.
    pub(crate) fn baseline(&self, of: &Circumstances<'_>) -> String {
        let since = Timestamp::from_ms(of.first_ms);
        let last = of.last_similar_ms.map_or("never".to_owned(), |ms| Timestamp::from_ms(ms).to_string());
        let peers = if self.peers.is_empty() { "none known" } else { &self.peers };
        format!(
            "expected {} from {}, known since {since}; last like this: {last}; peers: {peers}; ordinary: {}",
            self.expected, self.size, self.ordinary
        )
    }
}

/// What was seen and expected, in numbers.
pub(crate) fn figures(observed: f64, expected: f64, p: Option<f64>) -> Figures {
    Figures { observed: Some(observed), expected: Some(expected), p }
}

/// An expectation with the bound that all but the part p lie below.
pub(crate) fn below(expected: f64, bound: u64, p: f64) -> String {
    format!("{} ({} % below {bound})", shown(expected), shown_part(1.0 - p))
}

fn shown_part(part: f64) -> String {
    let text = format!("{:.6}", part * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
