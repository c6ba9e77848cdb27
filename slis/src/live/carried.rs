//! Events on their way to objectives: what definitions look at, as texts, and back.
//!
//! Must never carry a field that no definition asks for: what waits for the cursor waits in memory.

use std::sync::Arc;

use model::{
    Arrival, Carried, CarriedField, Carrying, Event, EventClass, EventOrder, Occurrence, Position, Trust, Verdict,
};
use serde_json::Value;

use crate::definition::{Definition, values};
use crate::derive;

/// What stands in every event's envelope, before the definitions' own fields.
const ENVELOPE: [&str; 4] = ["event.class", "event.action", "event.outcome", "event.trust"];

/// The fields that are carried, by number.
#[derive(Debug, Clone)]
pub(super) struct Names(Arc<[String]>);

impl Names {
    /// Of some definitions.
    pub(super) fn of(definitions: &[Definition]) -> Names {
        let envelope = ENVELOPE.iter().map(|name| (*name).to_owned());
        Names(envelope.chain(derive::fields(definitions)).collect())
    }

    fn numbered(&self) -> impl Iterator<Item = (CarriedField, &str)> {
        (0..).zip(self.0.iter().map(String::as_str))
    }

    /// An event, packed. None: it has no time.
    pub(super) fn pack(&self, event: &Event, arrival: Arrival, position: Position) -> Option<Box<Occurrence>> {
        let mut carrying = Carrying::default();
        for (number, name) in self.numbered() {
            values(event, name).iter().for_each(|text| carrying.push(number, text));
        }
        let id = event.id.clone().unwrap_or_else(|| event.sha256.hex().into());
        let order = EventOrder { time: event.time?, source: event.source.clone(), id, sha256: event.sha256 };
        Some(Box::new(Occurrence { order, arrival, position, fields: carrying.take(), held: Vec::new(), gate: 0 }))
    }

    /// The event, as far as it was carried.
    pub(super) fn unpack(&self, order: &EventOrder, fields: &Carried) -> Event {
        let envelope = |number: CarriedField| fields.text(number);
        let own = self.numbered().skip(ENVELOPE.len()).filter_map(|(number, name)| {
            let mut texts: Vec<Value> = fields.texts(number).map(Value::from).collect();
            let value = if texts.len() > 1 { Some(Value::Array(texts)) } else { texts.pop() };
            Some((name.to_owned(), value?))
        });
        Event {
            id: Some(order.id.clone()),
            class: envelope(0).and_then(EventClass::by_name),
            action: envelope(1).map(str::to_owned),
            outcome: envelope(2).and_then(Verdict::by_name).unwrap_or(Verdict::Unknown),
            time: Some(order.time),
            source: order.source.clone(),
            trust: envelope(3).and_then(Trust::by_name).unwrap_or(Trust::Tenant),
            sha256: order.sha256,
            fields: own.collect(),
        }
    }
}

/// A share of one as a percentage, with as many digits as it needs.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}
