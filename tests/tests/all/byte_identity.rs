//! The seal log of all game days is the same bytes under every fault: shuffled within lateness, duplicated, split, cut into
//! processes that are killed and go on, judged by more threads, beside a source that is quiet and an event that is dated ahead.
//!
//! `SEEDS=n` runs so many seeds; `SEED=n` runs one, `FAULTS=Split,Shuffled` with these faults and no others. `BASELINE_DAYS=n`
//! lets so many ordinary days come before, as a state that every seed goes on from; `WHOLE=1` strikes them with the same faults,
//! from the first day on. Must never compare anything but whole lines as they were written.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use harness::cli;
use harness::faults::history::History;
use harness::faults::process::{kill_in, run_in};
use harness::faults::{self, Delivery, Fault, Line, ordinary};
use model::Sha256;

const SEEDS: u64 = 50;
const DAYS: u32 = 30;
/// Wide, so that shuffling moves a record past many others.
const LATENESS_MS: i64 = 900_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A history, what must be told of it, and the state that its processes go on from.
struct Bench {
    history: History,
    args: Vec<String>,
    /// Sealed by one plain run from the first day on.
    promised: String,
    /// What the ordinary days told, and the state behind them.
    before: Option<Before>,
}

#[derive(Clone)]
struct Before {
    told: String,
    state: PathBuf,
}

/// What every replay here is told.
fn arguments(lists: &[(String, String)], folder: &Path) -> Vec<String> {
    let common = cli::workspace().join("replay-data/gd-common");
    let path = |name: &str| common.join(name).display().to_string();
    let lateness = format!("{LATENESS_MS}ms");
    let mut args: Vec<String> = ["replay", "--source", "s", "--log", "off", "--json", "--lateness", &lateness]
        .into_iter()
        .chain(["--inventory", &path("inventory.yaml"), "--network", &path("network.csv")])
        .map(str::to_owned)
        .collect();
    for (name, text) in lists {
        let file = folder.join(format!("{name}.txt"));
        fs::write(&file, text).expect("written");
        args.extend(["--list".to_owned(), format!("{name}={}", file.display())]);
    }
    args
}

/// The replays of one history, one after another: what they told together, and how much of it they had to.
fn replay(bench: &Bench, delivery: &Delivery) -> String {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut told = bench.before.as_ref().map(|before| before.told.clone()).unwrap_or_default();
    let (mut late, mut early) = (0, 0);
    for number in 0..delivery.count() {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own).expect("made");
        let piece = delivery.write(number, &own).expect("written");
        let mut args = bench.args.clone();
        let state = |of: usize| folder.path().join(format!("{of}.state")).display().to_string();
        match &bench.before {
            _ if number > 0 => args.extend(["--state-in".to_owned(), state(number - 1)]),
            Some(before) => args.extend(["--state-in".to_owned(), before.state.display().to_string()]),
            None => {}
        }
        if number + 1 < delivery.count() {
            args.extend(["--state-out".to_owned(), state(number)]);
        }
        if let Some(until) = delivery.until_ms {
            args.extend(["--until".to_owned(), model::Timestamp::from_ms(until).to_string()]);
        }
        args.extend(["--threads".to_owned(), piece.threads.to_string()]);
        args.extend(["--alerts".to_owned(), "alerts.jsonl".to_owned()]);
        args.extend(piece.inputs);
        if let Some(after_ms) = piece.killed_after_ms {
            kill_in(&own, &args, &piece.stdin, after_ms);
        }
        let summary = run_in(&own, &args, &piece.stdin).expect_code(0).json();
        late += summary["events"]["late"].as_u64().unwrap_or_default();
        early += summary["events"]["early"].as_u64().unwrap_or_default();
        told += &fs::read_to_string(own.join("alerts.jsonl")).expect("records");
    }
    // The faults themselves are held to their word: what they made late would be no fault of the engine's.
    // An early event counts as a late one, too.
    let wanted = u64::from(delivery.early_id.is_some());
    if (late, early) != (wanted, wanted) {
        told = format!("{late} events were late or early and {early} early, and not {wanted}\n{told}");
    }
    match &delivery.early_id {
        Some(id) => without(&told, id),
        None => told,
    }
}

/// All lines but those that speak of an event.
fn without(told: &str, id: &str) -> String {
    let id = format!("\"id\":\"{id}\"");
    told.split_inclusive('\n').filter(|line| !line.contains(&id)).collect()
}

/// The first line in which two differ, shortened; None: they do not.
fn difference(promised: &str, found: &str) -> Option<String> {
    if promised == found {
        return None;
    }
    let (mut a, mut b) = (promised.lines(), found.lines());
    let counts = (promised.lines().count(), found.lines().count());
    for number in 1.. {
        let (promised, found) = (a.next(), b.next());
        if promised != found {
            let [promised, found] = [promised, found].map(|line| line.map_or("(the end)", |line| line));
            return Some(format!(
                "{} lines promised, {} found; line {number}:\n- {promised}\n+ {found}",
                counts.0, counts.1
            ));
        }
        if promised.is_none() {
            break;
        }
    }
    Some("the ends of lines differ".to_owned())
}

fn differs(bench: &Bench, seed: u64, faults: &[Fault]) -> Option<String> {
    let delivery = Delivery::plain(&bench.history.lines, LATENESS_MS).after(seed, faults);
    difference(&bench.promised, &replay(bench, &delivery))
}

/// Leaves out one fault after another as long as the two still differ: what is left is guilty.
fn report(bench: &Bench, seed: u64, faults: Vec<Fault>, mut differing: String) -> String {
    let mut guilty = faults.clone();
    for fault in &faults {
        let fewer: Vec<Fault> = guilty.iter().copied().filter(|of| of != fault).collect();
        if let Some(still) = differs(bench, seed, &fewer) {
            (guilty, differing) = (fewer, still);
        }
    }
    let names: Vec<String> = guilty.iter().map(|fault| fault.name()).collect();
    let days = days();
    let mut text = String::new();
    let _ = write!(
        text,
        "{}, seed {seed}: {faults:?}; differs by {guilty:?}: {differing}\nonce more: SEED={seed} FAULTS={} BASELINE_DAYS={days} \
         cargo test --release -p pipewarden-tests --test all -- byte_identity",
        bench.history.name,
        names.join(",")
    );
    text
}

fn days() -> u32 {
    variable("BASELINE_DAYS").map_or(DAYS, |days| days as u32)
}

/// Writes the ordinary days before a time into a file, and returns it.
fn ordinary_days(first_ms: i64, folder: &Path) -> PathBuf {
    let path = folder.join("ordinary.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).expect("made"));
    for (_, bytes) in ordinary::days_before(first_ms, days()) {
        file.write_all(&bytes).and_then(|()| file.write_all(b"\n")).expect("written");
    }
    file.flush().expect("written");
    path
}

/// The state behind the ordinary days; read once for a binary, its arguments and its input.
fn before(args: &[String], texts: &[u8], folder: &Path) -> Before {
    let mut of = Sha256::of(&fs::read(cli::binary()).expect("the binary")).hex();
    let common = cli::workspace().join("replay-data/gd-common");
    for file in [folder.join("ordinary.jsonl"), common.join("inventory.yaml"), common.join("network.csv")] {
        of += &Sha256::of(&fs::read(file).expect("readable")).hex();
    }
    of += &Sha256::of(texts).hex();
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("byte-identity");
    let place = kept.join(Sha256::of(of.as_bytes()).hex());
    let (state, alerts) = (place.join("days.state"), place.join("alerts.jsonl"));
    if !state.is_file() {
        fs::create_dir_all(&place).expect("made");
        forget_old(&kept);
        let paths = [&alerts, &state].map(|path| path.display().to_string());
        let [alerts, state] = paths;
        let more = ["--threads", "1", "--alerts", &alerts, "--state-out", &state, "ordinary.jsonl"];
        let args: Vec<String> = args.iter().cloned().chain(more.map(str::to_owned)).collect();
        run_in(folder, &args, b"").expect_code(0);
    }
    Before { told: fs::read_to_string(alerts).expect("records"), state }
}

/// States that are a day old are of binaries that are gone; younger ones may be in use beside this run.
fn forget_old(kept: &Path) {
    let day = std::time::Duration::from_secs(86_400);
    for place in fs::read_dir(kept).into_iter().flatten().flatten() {
        let age = place.metadata().and_then(|of| of.modified()).map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > day) {
            let _ = fs::remove_dir_all(place.path());
        }
    }
}

/// Histories with what must be told of each, by one process that reads everything from the first day on, in order of time.
fn benches(folder: &Path) -> Vec<Bench> {
    // No attack stands beside its own twin, and no twin beside a second attack of another history.
    let attacks = History::of_variants("the attacks", |variant| variant == "attack");
    let others = History::of_variants("the twins and the second attacks", |variant| variant != "attack");
    let mut lists = attacks.lists.clone();
    lists.extend(others.lists.iter().filter(|(name, _)| attacks.lists.iter().all(|(of, _)| of != name)).cloned());
    let args = arguments(&lists, folder);
    let first_ms = [&attacks, &others].iter().filter_map(|of| Some(of.lines.first()?.at_ms)).min().expect("events");
    let ordinary = ordinary_days(first_ms, folder);
    let whole = variable("WHOLE") == Some(1);
    let texts: String = lists.iter().map(|(name, text)| format!("{name}\n{text}\n")).collect();
    // Each of the three reads every ordinary day: side by side.
    let (before, promised) = std::thread::scope(|scope| {
        let before = scope.spawn(|| (!whole && days() > 0).then(|| before(&args, texts.as_bytes(), folder)));
        let told = [&attacks, &others].map(|history| scope.spawn(|| promised(history, &args, &ordinary)));
        (before.join().expect("the ordinary days"), told.map(|told| told.join().expect("a plain run")))
    });
    let bench = |(mut history, promised): (History, String)| {
        if whole {
            let line = |(at_ms, bytes): (i64, Vec<u8>)| {
                Arc::new(Line { at_ms, text: String::from_utf8(bytes).expect("UTF-8"), has_id: false })
            };
            history.lines.splice(..0, ordinary::days_before(first_ms, days()).map(line));
        }
        Bench { history, args: args.clone(), promised, before: before.clone() }
    };
    [attacks, others].into_iter().zip(promised).map(bench).collect()
}

/// What one process tells that reads everything from the first day on, in order of time.
fn promised(history: &History, args: &[String], ordinary: &Path) -> String {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let text: String = history.lines.iter().map(|line| format!("{}\n", line.text)).collect();
    fs::write(folder.path().join("days.jsonl"), text).expect("written");
    let more = ["--threads", "1", "--alerts", "alerts.jsonl", "days.jsonl"].map(str::to_owned);
    let mut plain: Vec<String> = args.iter().cloned().chain(more).collect();
    plain.extend((days() > 0).then(|| ordinary.display().to_string()));
    let summary = run_in(folder.path(), &plain, b"").expect_code(0).json();
    assert_eq!(summary["events"]["late"], 0, "{}", history.name);
    assert_eq!(summary["records"]["invalid"], 0, "{}", history.name);
    fs::read_to_string(folder.path().join("alerts.jsonl")).expect("records")
}

#[test]
fn every_arrival_of_the_game_days_is_sealed_as_the_same_bytes() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let benches = benches(folder.path());
    for bench in &benches {
        let name = bench.history.name;
        let told = bench.promised.lines().count();
        println!("{name}: {} events, {told} records", bench.history.lines.len());
        assert!(bench.history.lines.len() > 2_000 && told > 200, "{name}: {told} records are too few");
    }
    let (first, last) = match variable("SEED") {
        Some(seed) => (seed, seed),
        None => (1, variable("SEEDS").unwrap_or(SEEDS)),
    };
    let pinned = std::env::var("FAULTS").ok();
    let faults_of = |seed: u64| match &pinned {
        Some(names) => {
            Fault::ALL.into_iter().filter(|fault| names.split(',').any(|name| name == fault.name())).collect()
        }
        None => faults::draw(seed),
    };
    let (next, wrong) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // A handful says enough: each is run again many times to find what is guilty.
                    if seed > last || wrong.lock().expect("sound").len() >= 3 {
                        return;
                    }
                    for bench in &benches {
                        let faults = faults_of(seed);
                        if let Some(differing) = differs(bench, seed, &faults) {
                            let report = report(bench, seed, faults, differing);
                            wrong.lock().expect("sound").push(report);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("sound");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}
