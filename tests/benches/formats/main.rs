//! Decoding, format by format: what a record costs with the fields that the shipped rules want, and with all of them, against
//! `serde_json` on the same bytes: into a struct of twelve fields, and into nothing.
//!
//! `cargo bench -p pipewarden-tests --bench formats -- [--rounds N] [--format NAME]`. Records are samples where they stand beside
//! the checkout, else those of rule proofs and game days, else made up; envelopes hold those of all other formats. Rounds are
//! short and interleave; the best counts. All columns are for each record that was read, however many stand in it. Asserts
//! nothing about time.

mod floor;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use floor::Floor;
use harness::fuzz::mould::{MOULDS, files, known_records};
use harness::{cli, generate::Random};
use ingest::format::{FORMATS, Format, Wanted};
use ingest::{Decoder, Read, Scratch};
use model::{EventClass, Projection, Row};
use rules::Program;
use rules::parse::{Settings, load_texts};

/// The allocator that the worker ships, for the floor, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A round of one row reads at least so many bytes: so few that many a round passes without the machine doing anything else.
const ROUND_BYTES: usize = 250_000;

fn main() {
    let (mut rounds, mut only) = (100, None);
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        match option.as_str() {
            "--rounds" => rounds = given.next().and_then(|n| n.parse().ok()).expect("--rounds N"),
            "--format" => only = given.next(),
            "--bench" => {}
            other => panic!("unknown option {other}; known: --rounds N, --format NAME"),
        }
    }
    let (pack, all) = (pack_fields(), all_fields());
    let known = known_records();
    println!(
        "{:<28} {:>6} {:>7} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}",
        "format", "bytes", "records", "skip µs", "floor µs", "pack µs", "all µs", "x skip", "x floor"
    );
    for (at, format) in FORMATS.iter().enumerate() {
        if only.as_deref().is_some_and(|only| only != format.name) {
            continue;
        }
        let (records, is_made) = match known.get(&at) {
            _ if format.name == ENVELOPE.name => (enveloped(&known), false),
            Some(known) => (known.clone(), false),
            None => (made(at, format), true),
        };
        let texts: Vec<&str> = records.iter().map(String::as_str).filter(|text| text.len() < 64_000).collect();
        let texts: Vec<Text<'_>> = texts.into_iter().map(|text| (text, shape(format.name, text))).collect();
        row(format, &texts, is_made, (&decoder(format, &pack), &decoder(format, &all)), rounds);
    }
}

/// A record, and what reads twelve fields of it: of the envelope, and of what stands in it.
type Text<'a> = (&'a str, Floors);

/// The floor of a record, and of what stands in it where it is an envelope.
type Floors = (Floor, Option<Floor>);

fn shape(format: &str, text: &str) -> Floors {
    let first = |of: &str, text: &str| floor::of(of).iter().copied().find(|floor| floor(text)).unwrap_or(floor::skip);
    match floor::data(text).filter(|_| format == ENVELOPE.name) {
        Some(data) => {
            let of = FORMATS.iter().map(|of| of.name).find(|name| text.contains(&format!("\"dev.{name}\"")));
            (|text| floor::data(text).is_some(), Some(first(of.unwrap_or_default(), data)))
        }
        None => (first(format, text), None),
    }
}

/// Events of all formats in envelopes that call their type by the format, a few of each.
fn enveloped(known: &BTreeMap<usize, Vec<String>>) -> Vec<String> {
    let mut records = Vec::new();
    for at in 0..ENVELOPED {
        for (format, texts) in
            known.iter().map(|(at, texts)| (FORMATS[*at], texts)).filter(|(of, _)| !of.marks.is_empty())
        {
            let Some(text) = texts.get(at * texts.len() / ENVELOPED).filter(|text| text.len() < 16_000) else {
                continue;
            };
            let name = format.name;
            if format.name != ENVELOPE.name
                && serde_json::from_str::<serde_json::Value>(text).is_ok_and(|of| of.is_object())
            {
                records.push(format!(
                    r#"{{"specversion":"1.0","id":"e-{at}","source":"/{name}","type":"dev.{name}","time":"2026-09-01T10:00:00Z","data":{text}}}"#
                ));
            }
        }
    }
    records
}

/// So many envelopes for each format.
const ENVELOPED: usize = 8;
const ENVELOPE: &Format = &ingest::format::cloudevents::FORMAT;

/// Events that the fuzzer makes.
fn made(at: usize, format: &'static Format) -> Vec<String> {
    let decoder = decoder(format, &BTreeMap::new());
    let mut random = Random(11);
    let mut records = Vec::new();
    for _ in 0..20_000 {
        let text = MOULDS[at].record(&mut random);
        let mut events = 0;
        decoder.read(&mut Scratch::default(), &text, 0, &mut |_, read| {
            events += u64::from(matches!(read, Read::Event(_)))
        });
        if events > 0 && records.len() < 300 {
            records.push(text);
        }
    }
    records
}

fn row(format: &Format, texts: &[Text<'_>], is_made: bool, (pack, all): (&Decoder, &Decoder), rounds: usize) {
    let bytes: usize = texts.iter().map(|(text, _)| text.len()).sum();
    if texts.is_empty() {
        return println!("{:<28} no records", format.name);
    }
    let again = ROUND_BYTES.div_ceil(bytes);
    let mut best = [f64::INFINITY; 4];
    let (mut scratch, mut row, mut events) = (Scratch::default(), Row::default(), 0);
    for _ in 0..rounds {
        let mut timed = |at: usize, job: &mut dyn FnMut(&str, Floors)| {
            #[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
            let start = Instant::now();
            (0..again).for_each(|_| texts.iter().for_each(|(text, floor)| job(text, *floor)));
            best[at] = f64::min(best[at], start.elapsed().as_secs_f64());
        };
        timed(0, &mut |text, _| {
            black_box(floor::skip(text));
        });
        timed(1, &mut |text, (outer, inner)| {
            black_box(match inner {
                Some(inner) => floor::data(text).is_some_and(inner),
                None => outer(text),
            });
        });
        timed(2, &mut |text, _| events += decoded(pack, &mut scratch, &mut row, text));
        timed(3, &mut |text, _| events += decoded(all, &mut scratch, &mut row, text));
    }
    black_box(events);
    let micros = best.map(|best| best / (again * texts.len()) as f64 * 1e6);
    println!(
        "{:<28} {:>6} {:>7} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>7.2} {:>7.2}{}",
        format.name,
        bytes / texts.len(),
        texts.len(),
        micros[0],
        micros[1],
        micros[2],
        micros[3],
        micros[2] / micros[0],
        micros[2] / micros[1],
        if is_made { "  made up" } else { "" }
    );
    let is_skipped = |(outer, inner): &Floors| std::ptr::fn_addr_eq(inner.unwrap_or(*outer), floor::skip as Floor);
    let skipped = texts.iter().filter(|(_, floors)| is_skipped(floors)).count();
    if skipped > 0 {
        println!("  {skipped} of these are only skipped by the floor: they have another shape");
    }
}

/// UTF-8 is checked, records are taken apart, scanned and told, and the fields of events filled.
fn decoded(decoder: &Decoder, scratch: &mut Scratch, row: &mut Row, text: &str) -> u64 {
    let mut events = 0;
    let text = simdutf8::basic::from_utf8(text.as_bytes()).expect("UTF-8");
    decoder.read(scratch, text, 0, &mut |_, read| {
        if let Read::Event(seen) = read {
            events += 1;
            black_box(decoder.plans()[seen.plan].map(&seen.decoded, seen.raw, "bench", row));
        }
    });
    events
}

type Asked = BTreeMap<EventClass, Projection>;

/// What the rules of the shipped pack ask of each class.
fn pack_fields() -> Asked {
    let paths = files(&cli::workspace().join("rules/library"), &["yml"]);
    let texts: Vec<(std::path::PathBuf, String)> =
        paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).expect("text"))).collect();
    let texts: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), text.as_str())).collect();
    let rules: Vec<_> = load_texts(&texts, &Settings::default()).rules.into_iter().map(Arc::new).collect();
    let asked = EventClass::ALL.iter().map(|class| {
        let is_on = |rule: &rules::ast::Rule| {
            rule.logsource.product.as_deref() == Some("pipewarden")
                && rule.logsource.category.as_deref().is_none_or(|category| category == class.name())
        };
        (*class, Program::compile(&rules, is_on).expect("compiles").projection().clone())
    });
    asked.filter(|(_, projection)| !projection.is_empty()).collect()
}

fn all_fields() -> Asked {
    let mut fields = Projection::default();
    for doc in model::FIELDS.iter() {
        fields.ask(doc.name);
    }
    EventClass::ALL.iter().map(|class| (*class, fields.clone())).collect()
}

fn decoder(format: &'static Format, asked: &Asked) -> Decoder {
    let wanted = || Wanted { classes: asked.clone(), ..Wanted::default() };
    let others = FORMATS.iter().copied().filter(|other| !std::ptr::eq(*other, format) && !other.marks.is_empty());
    let others = others.filter(|_| format.carries_others());
    Decoder::new(std::iter::once(format).chain(others).map(|of| (of, wanted())).collect(), None, true)
}
