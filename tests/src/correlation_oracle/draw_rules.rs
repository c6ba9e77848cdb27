//! Random rules and correlations as YAML: small spans, thresholds near the edge, chains up to three deep.
//!
//! Must never draw a document that the parser refuses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::generate::Random;

/// The parser's documents are YAML, and JSON is YAML.
pub(super) fn documents(random: &mut Random, grid_s: i64) -> String {
    let mut drawing = Drawing { random, grid_s, names: Vec::new(), documents: Vec::new() };
    for at in 0..2 + drawing.random.below(3) {
        drawing.rule(at);
    }
    for at in 0..1 + drawing.random.below(6) {
        drawing.correlation(at);
    }
    drawing.documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

struct Drawing<'r> {
    random: &'r mut Random,
    grid_s: i64,
    /// What can be referred to, with its depth.
    names: Vec<(String, usize)>,
    documents: Vec<Value>,
}

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
const OPERATORS: [&str; 6] = ["gte", "gt", "lte", "lt", "eq", "neq"];

impl Drawing<'_> {
    fn span(&mut self, from: i64, to: i64) -> String {
        let steps = from + self.random.below((to - from + 1) as usize) as i64;
        format!("{}s", steps * self.grid_s)
    }

    /// Ids whose order is not the order of the documents.
    fn id(&mut self, at: usize) -> String {
        format!("{:08x}-0000-4000-8000-{at:012}", self.random.bits() as u32)
    }

    fn rule(&mut self, at: usize) {
        let letter = LETTERS[at];
        let selection = match self.random.below(8) {
            0 => json!({"k": ["a", letter]}),
            1 => json!({"v": self.random.pick(&["p", "q"])}),
            _ => json!({"k": letter}),
        };
        let mut rule = json!({
            "title": format!("Rule {letter}"), "id": self.id(at), "name": letter, "level": "low",
            "logsource": {"category": "test"},
            "detection": {"s": selection, "condition": "s"},
        });
        if self.random.percent(15) {
            rule["x-alert"] = self.alert(&["u", "v"]);
        }
        match self.random.below(8) {
            0 => {
                rule["x-requires"] = json!(["E8"]);
                rule["x-prev"] = self.previous();
            }
            1 if at >= 2 => {
                rule["x-requires"] = json!(["E10"]);
                let pads = [self.span(0, 2), self.span(0, 2)];
                let expect = self.random.pick(&["inside", "outside"]);
                let key = self.random.pick(&["w", "env"]);
                let ttl = self.span(1, 8);
                rule["x-interval"] =
                    json!({"open": "a", "close": "b", "key": [key], "pad": pads, "expect": expect, "ttl": ttl});
            }
            _ => {}
        }
        let depth = usize::from(rule.get("x-interval").is_some());
        self.names.push((letter.to_owned(), depth));
        self.documents.push(rule);
    }

    fn previous(&mut self) -> Value {
        let mut previous = json!({"key": [self.random.pick(&["u", "v"])], "field": "w"});
        match self.random.below(3) {
            0 => previous["changed"] = json!(true),
            1 => previous["gap"] = json!(1),
            _ => previous["returns"] = json!(self.span(1, 8)),
        }
        if self.random.percent(40) {
            previous["ignore_same"] = json!([self.random.pick(&["env", "v"])]);
        }
        if self.random.percent(50) {
            previous["ttl"] = json!(self.span(1, 5));
        }
        previous
    }

    fn alert(&mut self, fields: &[&str]) -> Value {
        let mut alert = json!({"route": match self.random.below(4) {
            0 => json!("page"),
            1 => json!("ticket"),
            _ => json!([{"when": {"env": "prod"}, "route": "page"}, {"route": "ticket"}]),
        }});
        if self.random.percent(40) {
            alert["fingerprint"] = json!(&fields[..1 + self.random.below(fields.len())]);
        }
        if self.random.percent(75) {
            alert["realert"] = json!(self.span(1, 6));
        }
        alert
    }

    fn correlation(&mut self, at: usize) {
        let mut known: Vec<(String, usize)> = self.names.iter().filter(|(_, depth)| *depth < 3).cloned().collect();
        let mut chosen = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            if !known.is_empty() {
                chosen.push(known.swap_remove(self.random.below(known.len())));
            }
        }
        let names: Vec<String> = chosen.iter().map(|(name, _)| name.clone()).collect();
        let mut body = json!({"rules": names, "timespan": self.span(1, 6)});
        let mut document =
            json!({"title": format!("Correlation {at}"), "id": self.id(10 + at), "name": format!("c{at}")});
        let mut depth = chosen.iter().map(|(_, depth)| depth + 1).max().unwrap_or(1);
        let mut until = None;
        match self.random.below(12) {
            0 | 1 => body["condition"] = self.measure(&["1", "2", "3"]),
            2 | 3 => {
                body["type"] = json!("value_count");
                body["condition"] = self.measure(&["1", "2", "3"]);
                body["condition"]["field"] =
                    self.random.pick(&[&["v"][..], &["w"], &["v", "w"]]).iter().copied().collect();
            }
            4 | 5 => self.numbers(&mut body),
            6 | 7 if names.len() > 1 => {
                if let Some((name, its)) = known.first().filter(|_| self.random.percent(40)) {
                    depth = depth.max(its + 1);
                    until = Some(name.clone());
                }
                self.absence(&mut body, &mut document, &names, until.as_deref());
            }
            8 if names.len() > 1 => {
                body["type"] = json!(self.random.pick(&["temporal", "temporal_ordered"]));
                document["x-requires"] = json!(["E2"]);
                document["x-where"] = json!([self.expression(&names[0], &names[1])]);
            }
            _ => self.temporal(&mut body, &names),
        }
        if body.get("type").is_none() {
            body["type"] = json!("event_count");
        }
        self.group(&mut body, &names, until.as_deref());
        if self.random.percent(20) {
            body["generate"] = json!(true);
        }
        if self.random.percent(45) {
            document["x-alert"] = self.alert(&["u", "env"]);
            if document.get("x-absence").is_some() {
                document["x-alert"].as_object_mut().expect("a map").remove("fingerprint");
            }
        }
        document["correlation"] = body;
        self.names.push((format!("c{at}"), depth));
        self.documents.push(document);
    }

    fn group(&mut self, body: &mut Value, names: &[String], until: Option<&str>) {
        match self.random.below(10) {
            0 => {}
            1 => body["group-by"] = json!(["v"]),
            2 => body["group-by"] = json!(["u", "v"]),
            3 => {
                let fields = ["u", "v", "u", "env"];
                let all = names.iter().map(String::as_str).chain(until);
                let alias: BTreeMap<&str, &str> = all.map(|name| (name, self.random.pick(&fields))).collect();
                body["group-by"] = json!(["g"]);
                body["aliases"] = json!({"g": alias});
            }
            _ => body["group-by"] = json!(["u"]),
        }
    }

    fn measure(&mut self, bounds: &[&str]) -> Value {
        let bound = |random: &mut Random| serde_json::from_str::<Value>(random.pick(bounds)).expect("a number");
        if self.random.percent(15) {
            return json!({"gte": serde_json::from_str::<Value>(bounds[0]).expect("a number"),
                "lte": serde_json::from_str::<Value>(bounds[bounds.len() - 1]).expect("a number")});
        }
        let operator = if self.random.percent(50) { "gte" } else { self.random.pick(&OPERATORS) };
        json!({operator: bound(self.random)})
    }

    fn numbers(&mut self, body: &mut Value) {
        let kind = self.random.pick(&["value_sum", "value_avg", "value_percentile", "value_median"]);
        body["type"] = json!(kind);
        body["condition"] = self.measure(&["0.3", "1", "2.5", "3", "3.2", "4.75", "7"]);
        body["condition"]["field"] = json!("n");
        if kind == "value_percentile" {
            body["condition"]["percentile"] = json!(self.random.pick(&[0, 10, 25, 33, 50, 70, 90, 95, 99, 100]));
        }
    }

    fn expression(&mut self, a: &str, b: &str) -> String {
        match self.random.below(5) {
            0 => format!("{a}.n < {b}.n"),
            1 => format!("{a}.v == {b}.v"),
            2 => format!("not {a}.w == {b}.w"),
            _ => format!("{a}.w != {b}.w"),
        }
    }

    fn absence(&mut self, body: &mut Value, document: &mut Value, names: &[String], until: Option<&str>) {
        body["type"] = json!(self.random.pick(&["temporal", "temporal_ordered"]));
        body["condition"] = json!(format!("{} and not {}", names[0], names[1..].join(" and not ")));
        let mut absence = json!({"start": names[0], "expect": &names[1..]});
        let both = self.random.below(3);
        if both != 0 {
            absence["deadline"] = json!(self.span(1, 4));
        }
        if both != 1 {
            absence["before"] = json!(self.span(1, 4));
        }
        if self.random.percent(25) {
            absence["grace"] = json!(self.span(1, 2));
        }
        if let Some(until) = until {
            absence["until"] = json!(until);
        }
        document["x-requires"] = json!(["E1"]);
        if names.len() == 2 && self.random.percent(20) {
            document["x-requires"] = json!(["E1", "E2"]);
            document["x-where"] = json!([self.expression(&names[0], &names[1])]);
        }
        document["x-absence"] = absence;
    }

    fn temporal(&mut self, body: &mut Value, names: &[String]) {
        let ordered = self.random.percent(50);
        body["type"] = json!(if ordered { "temporal_ordered" } else { "temporal" });
        let [a, rest @ ..] = names else { return };
        let text = match (self.random.below(7), rest) {
            (0, _) => {
                body["condition"] = self.measure(&["1", "2", "3"]);
                return;
            }
            (1, [b, ..]) if !ordered => format!("{a} or {b}"),
            (2, [b, c]) if !ordered => format!("({a} or {b}) and {c}"),
            (3, [b, c]) if !ordered => format!("{a} and not ({b} and {c})"),
            (1, [b, ..]) => format!("{a} and {b}"),
            (2, [b, c]) => format!("{a} and {b} and not {c}"),
            (3, [b, c]) => format!("{a} and not {b} and {c}"),
            (4, [b, ..]) => format!("{a} and not {b}"),
            _ => return,
        };
        body["condition"] = json!(text);
    }
}
