//! `x-detector` (E6): which detector a rule asks, what it observes, and its parameters.
//!
//! Keys that an algorithm does not have are refused, and so are values outside their range: a parameter that is not heeded would
//! be another detector. Must never learn anything, nor know a formula.

use jiff::tz::TimeZone;
use model::{
    BeaconSpec, CountsSpec, CusumSpec, DetectorSpec, Draw, DurationSpec, EntropySpec, Feature, Frame, MixSpec,
    PeerZSpec, RatioSpec, SilenceSpec,
};

use super::alert::flag;
use super::context::Context;
use super::extension::{self, check_keys, entries};
use super::header::{self, scalar};
use super::hint::nearest;
use super::problem::Problem;
use super::span;
use super::yaml::Node;
use crate::ast::{AlertSpec, DetectorUse, Observed};
use crate::where_expr::Where;

/// What an event shows of itself, whatever the detector.
const SHARED: [&str; 7] = ["algo", "key", "peers", "by", "bucket", "memory", "shadow"];

/// The algorithms, with the keys that each has beside [`SHARED`].
const ALGORITHMS: [(&str, &[&str]); 9] = [
    ("nb_seasonal", &["amount", "exposure", "freeze", "p", "min", "zone"]),
    ("peer_z", &["features", "freeze", "z_one", "z_two", "jobs_min"]),
    ("cusum", &["amount", "exposure", "bad", "freeze", "ratio", "run_length", "zone"]),
    ("duration_shift", &["duration", "freeze", "slack", "threshold", "p", "runs_min"]),
    ("ratio", &["amount", "bad", "freeze", "p", "min", "days", "trials_min"]),
    ("beacon", &["amount", "runner", "freeze", "score_min", "connections_min", "prevalence_max"]),
    ("entropy", &["field", "length_min", "bits", "label"]),
    ("mix_shift", &["amount", "class", "freeze", "p", "divergence", "min", "baseline_min"]),
    ("silence", &["freeze", "health", "p", "silence_min", "zone"]),
];

/// The field that names an event's source.
const SOURCE: &str = "event.source";

/// The shortest bucket and the longest, in milliseconds.
const BUCKETS_MS: std::ops::RangeInclusive<i64> = 60_000..=86_400_000;

const EXAMPLE: &str = "for example `x-detector: {algo: nb_seasonal, key: [prov.team], bucket: 1h, p: 0.00001, min: 5}`";

/// Numbers above zero, as far as anybody needs them.
const MOST: f64 = 1e9;

/// Reads `x-detector`.
pub(super) fn parse(
    cx: &mut Context<'_>,
    document: &Node,
    alert: Option<&AlertSpec>,
) -> Result<Option<DetectorUse>, Problem> {
    let Some(body) = document.get("x-detector") else { return Ok(None) };
    let keys = entries(body, "x-detector")?;
    let Some(algo) = scalar(body, "algo")? else {
        return Err(Problem::new(body.line, "`x-detector` has no `algo`").hint(EXAMPLE));
    };
    let line = body.get("algo").map_or(body.line, |node| node.line);
    let Some((_, own)) = ALGORITHMS.iter().find(|(name, _)| *name == algo) else {
        let known = ALGORITHMS.iter().map(|(name, _)| *name);
        return Err(Problem::new(line, format!("unknown detector `{algo}`")).hint(nearest(&algo, known)));
    };
    let is_text_only = algo == "entropy";
    let shared: &[&str] = if is_text_only { &SHARED[..1] } else { &SHARED };
    let known: Vec<&str> = shared.iter().chain(own.iter()).copied().collect();
    check_keys(keys, &format!("x-detector with algo {algo}"), &known)?;
    let mut reading = Reading { cx, body };
    if is_text_only {
        return reading.entropy(algo).map(Some);
    }
    let frame = reading.frame(alert)?;
    let key = reading.fields("key")?;
    if key.is_empty() {
        return Err(Problem::new(body.line, "`x-detector` has no `key`").hint(EXAMPLE));
    }
    let declared = alert.and_then(|alert| alert.fingerprint.as_ref());
    if let Some(other) = declared.into_iter().flatten().find(|field| !key.contains(field)) {
        let why = format!("the fingerprint has `{other}`, which the key of x-detector has not");
        return Err(
            Problem::new(body.line, why).hint("what is over could not be told from what is not: use its fields")
        );
    }
    let is_health = reading.health(&key)?;
    let peers = Observed::Fields(reading.fields("peers")?);
    let by = Observed::Fields(reading.field("by")?.into_iter().collect());
    let (spec, amount, rest) = reading.spec(&algo, frame)?;
    let observed = [Observed::Key, peers, by, amount].into_iter().chain(rest).collect();
    Ok(Some(DetectorUse { algo, spec, key, observed, is_health }))
}

/// A specification, where its amounts come from, and what it observes behind the frame's four.
type Read = (DetectorSpec, Observed, Vec<Observed>);

struct Reading<'r, 'c> {
    cx: &'r mut Context<'c>,
    body: &'r Node,
}

impl Reading<'_, '_> {
    fn spec(&mut self, algo: &str, frame: Frame) -> Result<Read, Problem> {
        let amount = Observed::Fields(self.field("amount")?.into_iter().collect());
        Ok(match algo {
            "nb_seasonal" => {
                let is = CountsSpec::default();
                let exposure = self.test("exposure")?;
                let spec = CountsSpec {
                    p: self.part("p", is.p)?,
                    count_min: self.whole("min", is.count_min)?,
                    has_exposure: exposure.is_some(),
                    zone: self.zone()?,
                    frame,
                };
                let (amount, exposure) = self.exposed(exposure)?;
                (DetectorSpec::Counts(spec), amount, vec![exposure])
            }
            "cusum" => return self.cusum(frame),
            "peer_z" => return self.peer_z(frame),
            "duration_shift" => {
                let is = DurationSpec::default();
                let spec = DurationSpec {
                    slack: self.number("slack", is.slack, 0.0..=10.0)?,
                    threshold: self.number("threshold", is.threshold, 0.5..=100.0)?,
                    p: self.part("p", is.p)?,
                    runs_min: self.whole("runs_min", is.runs_min as u64)? as usize,
                    frame,
                };
                let duration = self.needed("duration", "a field of milliseconds: duration_ms")?;
                (DetectorSpec::Duration(spec), amount, vec![Observed::Fields(vec![duration])])
            }
            "ratio" => {
                let is = RatioSpec::default();
                let spec = RatioSpec {
                    p: self.part("p", is.p)?,
                    bad_min: self.whole("min", is.bad_min)?,
                    days: self.whole("days", is.days as u64)? as usize,
                    trials_min: self.whole("trials_min", is.trials_min)?,
                    frame,
                };
                (DetectorSpec::Ratio(spec), amount, vec![Observed::Test(self.bad()?)])
            }
            "beacon" => return self.beacon(frame, amount),
            "mix_shift" => return self.mix_shift(frame, amount),
            _ => return self.silence(frame),
        })
    }

    fn beacon(&mut self, frame: Frame, amount: Observed) -> Result<Read, Problem> {
        let is = BeaconSpec::default();
        let spec = BeaconSpec {
            score_min: self.number("score_min", is.score_min, 0.0..=1.15)?,
            connections_min: self.whole("connections_min", is.connections_min as u64)? as usize,
            prevalence_max: self.number("prevalence_max", is.prevalence_max, 0.0..=1.0)?,
            frame,
        };
        if self.fields("peers")?.len() != 2 {
            let line = self.body.get("peers").map_or(self.body.line, |node| node.line);
            let why = "the `peers` of a beacon are two: the destination, and a field that all runners share";
            return Err(Problem::new(line, why).hint("write `peers: [dst.domain, event.class]`"));
        }
        let runner = self.needed("runner", "the field that names who connects: prov.runner_id")?;
        Ok((DetectorSpec::Beacon(spec), amount, vec![Observed::Fields(vec![runner])]))
    }

    fn mix_shift(&mut self, frame: Frame, amount: Observed) -> Result<Read, Problem> {
        let is = MixSpec::default();
        let spec = MixSpec {
            p: self.part("p", is.p)?,
            divergence: self.number("divergence", is.divergence, 0.0..=1.0)?,
            count_min: self.whole("min", is.count_min)?,
            baseline_min: self.whole("baseline_min", is.baseline_min)?,
            frame,
        };
        let class = self.needed("class", "the field whose mix is watched: event.action")?;
        Ok((DetectorSpec::Mix(spec), amount, vec![Observed::Fields(vec![class])]))
    }

    fn silence(&mut self, frame: Frame) -> Result<Read, Problem> {
        let is = SilenceSpec::default();
        let silence_min_ms = self.body.get("silence_min").map(|node| span::plain(node, "silence_min")).transpose()?;
        let frame = match self.body.get("bucket") {
            Some(_) => frame,
            None => Frame { bucket_ms: is.frame.bucket_ms, ..frame },
        };
        let spec = SilenceSpec {
            p: self.part("p", is.p)?,
            silence_min_ms: silence_min_ms.unwrap_or(is.silence_min_ms),
            zone: self.zone()?,
            frame,
        };
        Ok((DetectorSpec::Silence(spec), Observed::Fields(Vec::new()), Vec::new()))
    }

    fn cusum(&mut self, frame: Frame) -> Result<Read, Problem> {
        let is = CusumSpec::default();
        let bad = self.test("bad")?;
        let exposure = self.test("exposure")?;
        if let (Some(_), Some(_)) = (&bad, &exposure) {
            return Err(
                Problem::new(self.body.line, "`exposure` beside `bad`").hint("trials have no exposure: drop one")
            );
        }
        let frame = match self.body.get("freeze") {
            Some(_) => frame,
            None => Frame { freeze_max_ms: is.frame.freeze_max_ms, ..frame },
        };
        let spec = CusumSpec {
            draw: if bad.is_some() { Draw::Bernoulli } else { Draw::Poisson },
            ratio: self.number("ratio", is.ratio, 1.01..=100.0)?,
            run_length: self.number("run_length", is.run_length, 2.0..=MOST)?,
            zone: self.zone()?,
            frame,
        };
        let spec = DetectorSpec::Cusum(spec);
        if let Some(bad) = bad {
            let amount = Observed::Fields(self.field("amount")?.into_iter().collect());
            return Ok((spec, amount, vec![Observed::Test(bad)]));
        }
        let (amount, exposure) = self.exposed(exposure)?;
        Ok((spec, amount, vec![exposure]))
    }

    fn peer_z(&mut self, frame: Frame) -> Result<Read, Problem> {
        let hint = "write `features: [{field: bytes_out, log: true, floor: 0.1}]`";
        let Some(listed) = self.body.get("features") else {
            return Err(Problem::new(self.body.line, "`x-detector` has no `features`").hint(hint));
        };
        let (mut features, mut rest) = (Vec::new(), Vec::new());
        for member in listed.members() {
            check_keys(entries(member, "features")?, "x-detector.features", &["field", "log", "two_sided", "floor"])?;
            let Some(name) = scalar(member, "field")? else {
                return Err(Problem::new(member.line, "a feature has no `field`").hint(hint));
            };
            self.cx.check_field(&name, member.line)?;
            features.push(Feature {
                is_log: flag(member, "log")?,
                is_two_sided: flag(member, "two_sided")?,
                floor: number(member, "floor", 0.1, 1e-6..=MOST)?,
                name: name.clone(),
            });
            rest.push(Observed::Fields(vec![name]));
        }
        if features.is_empty() {
            return Err(Problem::new(listed.line, "`features` is an empty list").hint(hint));
        }
        let spec = PeerZSpec {
            features,
            z_one: self.number("z_one", 6.0, 1.0..=100.0)?,
            z_two: self.number("z_two", 4.0, 1.0..=100.0)?,
            jobs_min: self.whole("jobs_min", 30)? as usize,
            frame,
        };
        Ok((DetectorSpec::PeerZ(spec), Observed::Fields(Vec::new()), rest))
    }

    fn entropy(&mut self, algo: String) -> Result<DetectorUse, Problem> {
        let field = self.needed("field", "the field whose text is looked at: dst.domain")?;
        let is_label = flag(self.body, "label")?;
        let spec = EntropySpec {
            length_min: self.whole("length_min", if is_label { 12 } else { 20 })? as usize,
            bits: self.number("bits", if is_label { 3.5 } else { 4.5 }, 0.1..=6.0)?,
            is_label,
        };
        let observed = vec![Observed::Fields(vec![field])];
        Ok(DetectorUse { algo, spec: DetectorSpec::Entropy(spec), key: Vec::new(), observed, is_health: false })
    }

    fn frame(&mut self, alert: Option<&AlertSpec>) -> Result<Frame, Problem> {
        let is = Frame::default();
        let span = |key: &str| self.body.get(key).map(|node| span::or_zero(node, key)).transpose();
        let (bucket_ms, memory_ms) = (span("bucket")?.unwrap_or(is.bucket_ms), span("memory")?.unwrap_or(is.memory_ms));
        if !BUCKETS_MS.contains(&bucket_ms) {
            let line = self.body.get("bucket").map_or(self.body.line, |node| node.line);
            return Err(
                Problem::new(line, "`bucket` is shorter than a minute or longer than a day").hint("write `bucket: 1h`")
            );
        }
        if memory_ms < bucket_ms {
            let line = self.body.get("memory").map_or(self.body.line, |node| node.line);
            return Err(Problem::new(line, "`memory` is shorter than a bucket").hint("write `memory: 60d`"));
        }
        Ok(Frame {
            bucket_ms,
            memory_ms,
            shadow_ms: span("shadow")?.unwrap_or(is.shadow_ms),
            freeze_max_ms: span("freeze")?.unwrap_or(is.freeze_max_ms),
            never_suppress: alert.is_some_and(|alert| alert.never_suppress),
        })
    }

    /// What a silence says of a source is heeded where the key is the source and nothing else.
    fn health(&mut self, key: &[String]) -> Result<bool, Problem> {
        let is_health = flag(self.body, "health")?;
        if is_health && !matches!(key, [of] if of == SOURCE) {
            let line = self.body.get("health").map_or(self.body.line, |node| node.line);
            let why = "`health: true` beside a key that is not the source alone";
            return Err(Problem::new(line, why).hint(format!("write `key: [{SOURCE}]`")));
        }
        Ok(is_health)
    }

    fn fields(&mut self, key: &str) -> Result<Vec<String>, Problem> {
        let fields = header::texts(self.body, key)?;
        let line = self.body.get(key).map_or(self.body.line, |node| node.line);
        fields.iter().try_for_each(|field| self.cx.check_field(field, line))?;
        Ok(fields)
    }

    fn field(&mut self, key: &str) -> Result<Option<String>, Problem> {
        let field = scalar(self.body, key)?;
        let line = self.body.get(key).map_or(self.body.line, |node| node.line);
        field.iter().try_for_each(|field| self.cx.check_field(field, line))?;
        Ok(field)
    }

    fn needed(&mut self, key: &str, hint: &str) -> Result<String, Problem> {
        let missing = || Problem::new(self.body.line, format!("`x-detector` has no `{key}`")).hint(hint);
        let missing = missing();
        self.field(key)?.ok_or(missing)
    }

    /// An expression over the event.
    fn test(&mut self, key: &str) -> Result<Option<Where>, Problem> {
        let Some(node) = self.body.get(key) else { return Ok(None) };
        let (expression, line) = extension::expression(self.cx, node, key)?;
        expression.fields().iter().try_for_each(|field| self.cx.check_field(field, line))?;
        Ok(Some(expression))
    }

    fn bad(&mut self) -> Result<Where, Problem> {
        let missing = Problem::new(self.body.line, "`x-detector` has no `bad`");
        let missing = missing.hint("an expression that is true of bad ones: \"event.outcome == 'failure'\"");
        self.test("bad")?.ok_or(missing)
    }

    fn exposed(&mut self, exposure: Option<Where>) -> Result<(Observed, Observed), Problem> {
        let amount = self.field("amount")?;
        Ok(match exposure {
            Some(of) => (Observed::AmountUnless(amount, of.clone()), Observed::OneWhere(of)),
            None => (Observed::Fields(amount.into_iter().collect()), Observed::Fields(Vec::new())),
        })
    }

    fn zone(&self) -> Result<String, Problem> {
        let Some(text) = scalar(self.body, "zone")? else { return Ok("UTC0".to_owned()) };
        let line = self.body.get("zone").map_or(self.body.line, |node| node.line);
        match TimeZone::posix(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(Problem::new(line, format!("zone `{text}` is no time zone as POSIX writes it"))
                .hint("write `zone: CET-1CEST,M3.5.0,M10.5.0/3`: rules, no name of a place")),
        }
    }

    fn part(&self, key: &str, missing: f64) -> Result<f64, Problem> {
        number(self.body, key, missing, f64::MIN_POSITIVE..=0.5)
    }

    fn number(&self, key: &str, missing: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64, Problem> {
        number(self.body, key, missing, range)
    }

    fn whole(&self, key: &str, missing: u64) -> Result<u64, Problem> {
        let Some(member) = self.body.get(key) else { return Ok(missing) };
        let found = member.text().and_then(|text| text.parse().ok()).filter(|found| (1..=1_000_000).contains(found));
        found.ok_or_else(|| {
            Problem::new(member.line, format!("`{key}` needs a whole number from 1 to 1000000"))
                .hint(format!("write `{key}: {missing}`"))
        })
    }
}

fn number(node: &Node, key: &str, missing: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64, Problem> {
    let Some(member) = node.get(key) else { return Ok(missing) };
    let found = member.text().and_then(|text| text.parse::<f64>().ok()).filter(|found| range.contains(found));
    found.ok_or_else(|| {
        let least = if *range.start() < 1e-9 { "above 0".to_owned() } else { format!("from {}", range.start()) };
        Problem::new(member.line, format!("`{key}` needs a number {least} to {}", range.end()))
            .hint(format!("write `{key}: {missing}`, a plain number without a unit"))
    })
}

#[cfg(test)]
mod tests;
