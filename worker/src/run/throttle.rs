//! The release throttle: while an objective pages, how much of its releases a delivery system should still let through.
//!
//! Published on a topic where it changes, and served over HTTP. Must never decide what burns: that the objectives have judged.

use std::time::Duration;

use ingest::kafka::{Connection, Producer, Retry};
use model::Urgency;
use serde_json::{Value, json};
use slis::live::LiveValues;

use super::build::tell_attempt;
use super::worker::Worker;

const PUBLISH_WAIT: Duration = Duration::from_secs(1);

/// Where the decision goes.
#[derive(Default)]
pub(super) struct Throttle {
    topic: Option<(Producer, String)>,
    /// The decision that was published last, without its time.
    published: Option<Value>,
}

impl Throttle {
    /// Opens the topic of decisions, where one is asked for.
    ///
    /// # Errors
    /// When the broker or the topic is not there.
    pub(super) fn open(topic: Option<&str>, connection: &Connection) -> anyhow::Result<Throttle> {
        let Some(topic) = topic else { return Ok(Throttle::default()) };
        let producer = Producer::open(connection, &[topic], &Retry::default(), &mut tell_attempt);
        let producer = producer.map_err(|error| anyhow::anyhow!("{error} (hint: {})", error.hint()))?;
        Ok(Throttle { topic: Some((producer, topic.to_owned())), published: None })
    }
}

/// The decision. `let_through`: at this share of the releases of now the budget would burn no faster than it lasts, the
/// inverse of the highest burn rate that pages; 1 where none does.
fn decision(values: &LiveValues) -> Value {
    // What has no budget has no rate at which releases would spend it.
    let burns = values.burns.iter().filter(|of| !of.rates.is_empty());
    let paging = burns.filter(|of| of.urgency == Some(Urgency::Page));
    let (mut objectives, mut highest) = (Vec::new(), 1.0_f64);
    for of in paging {
        let rate = of.rates.values().copied().fold(0.0, f64::max);
        highest = highest.max(rate);
        objectives.push(json!({
            "slo": of.slo, "key": *of.key, "burn_rate": hundredths(rate),
            "budget_left": of.budget_left.map(hundredths),
        }));
    }
    json!({"throttle": !objectives.is_empty(), "let_through": hundredths(1.0 / highest), "objectives": objectives})
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl Worker<'_> {
    /// Shows indicators and objectives as of the last close, and publishes the decision where it is another one.
    pub(super) fn objectives_now(&mut self) {
        let Some((set, values)) = self.pipeline.objectives() else { return };
        self.metrics.objectives.update(set, &values);
        let Some(as_of) = values.as_of else { return };
        let decision = decision(&values);
        let mut told = decision.clone();
        told["as_of"] = json!(as_of.to_string());
        if let Ok(mut shown) = self.published.throttle.lock() {
            *shown = Some(told.to_string());
        }
        let Throttle { topic: Some((producer, topic)), published } = &mut self.throttle else { return };
        if published.as_ref() == Some(&decision) {
            return;
        }
        let text = told.to_string();
        match producer.send(topic, Some(b"throttle"), text.as_bytes()).and_then(|()| producer.flush(PUBLISH_WAIT)) {
            Ok(()) => *published = Some(decision),
            Err(error) => tracing::warn!("topic {topic}: throttle not published yet: {error} (hint: {})", error.hint()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use slis::live::Burns;

    use super::*;

    fn burns(slo: &str, rate: f64, urgency: Option<Urgency>) -> Burns {
        let rates = BTreeMap::from([(3_600_000, rate), (300_000, rate / 2.0)]);
        Burns { slo: slo.to_owned(), key: "".into(), rates, budget_left: Some(-0.5), urgency }
    }

    #[test]
    fn only_what_pages_throttles_and_by_its_rate() {
        let of = |burns| decision(&LiveValues { burns, ..LiveValues::default() });
        let quiet = of(vec![burns("a", 90.0, None), burns("b", 3.0, Some(Urgency::Ticket))]);
        assert_eq!(quiet, json!({"throttle": false, "let_through": 1.0, "objectives": []}));
        let paged = of(vec![burns("a", 20.0, Some(Urgency::Page)), burns("b", 3.0, Some(Urgency::Ticket))]);
        let objective = json!({"slo": "a", "key": "", "burn_rate": 20.0, "budget_left": -0.5});
        assert_eq!(paged, json!({"throttle": true, "let_through": 0.05, "objectives": [objective]}));
    }
}
