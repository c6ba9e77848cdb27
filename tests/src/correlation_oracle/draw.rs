//! Random cases: documents, a timeline on a coarse grid with ties, and a way in which it arrives.
//!
//! The same seed gives the same case everywhere.

use model::{HealthState, Timestamp};
use serde_json::{Value, json};

use super::health::Said;
use super::{Documents, Event, draw_rules};
use crate::arrivals::Arrivals;
use crate::generate::Random;

/// 2026-10-05T08:00:00Z.
const START_MS: i64 = 1_791_187_200_000;

/// Documents and how their events arrive.
#[derive(Debug, Clone)]
pub struct Case {
    /// YAML documents.
    pub documents: String,
    /// Records of each input in arrival order.
    pub files: Vec<Vec<String>>,
    /// Allowed lateness in seconds.
    pub lateness_s: i64,
    /// Records in a chunk.
    pub chunk: usize,
    /// Each match is told, instead of alerts.
    pub every_match: bool,
    /// What is said of the source.
    pub health: Vec<Said>,
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut random = Random(seed);
    let random = &mut random;
    let grid_s = random.pick(&[1, 10, 60, 600]);
    let documents = draw_rules::documents(random, grid_s);
    let events: Vec<Event> = (0..5 + random.below(56)).map(|at| event(random, at, grid_s)).collect();
    let lateness_s = grid_s * random.pick(&[0, 1, 3, 20]);
    let files = 1 + random.below(4);
    // An absence knows when a late event comes: what it makes of it depends on the arrival.
    let strays = random.percent(30) && !documents.contains("x-absence");
    let files = arrivals(random, &events, lateness_s * 1000, files, strays);
    let chunk = random.pick(&[1, 3, 7, 1000]);
    let every_match = random.percent(35);
    let health = if random.percent(60) { health(random, grid_s) } else { Vec::new() };
    Case { documents, files, lateness_s, chunk, every_match, health }
}

/// Outages on the grid of the events, some of which nobody ends; known before, within or behind.
fn health(random: &mut Random, grid_s: i64) -> Vec<Said> {
    let moment = |random: &mut Random| {
        let off_grid = if random.percent(20) { random.pick(&[-1, 1]) } else { 0 };
        START_MS + random.below(16) as i64 * grid_s * 1000 + off_grid
    };
    let count = 1 + random.below(4);
    let said = |_| {
        let from = Timestamp::from_ms(moment(random));
        let to = random.percent(60).then(|| from.plus_ms((1 + random.below(5)) as i64 * grid_s * 1000));
        let state = match random.percent(30) {
            true => HealthState::Healthy { at: from },
            false => HealthState::Unhealthy { from, to },
        };
        Said { known_ms: if random.percent(40) { i64::MIN } else { moment(random) }, state }
    };
    (0..count).map(said).collect()
}

fn event(random: &mut Random, at: usize, grid_s: i64) -> Event {
    let off_grid = if random.percent(8) { random.pick(&[-1, 1]) } else { 0 };
    let at_ms = START_MS + random.below(14) as i64 * grid_s * 1000 + off_grid;
    let mut record =
        json!({"t": Timestamp::from_ms(at_ms).to_string(), "k": random.pick(&["a", "a", "b", "b", "c", "d"])});
    if random.percent(85) {
        record["id"] = json!(format!("e{}", (at * 37) % 61));
    }
    let mut draw = |name: &str, of_hundred: usize, values: &[&str]| {
        if random.percent(of_hundred) {
            record[name] = serde_json::from_str::<Value>(random.pick(values)).expect("JSON");
        }
    };
    draw("u", 90, &[r#""x""#, r#""x""#, r#""y""#, "7", r#""7""#, r#"["x", "y"]"#, r#"["x", "x"]"#, "null", "[]"]);
    draw("v", 65, &[r#""p""#, r#""q""#, r#""p""#, r#"["p", "q"]"#, r#"["q", "r"]"#, "7"]);
    draw("w", 80, &["1", "2", "3", "5", r#""2""#]);
    draw("n", 75, &["1", "2.5", "3", r#""3""#, "0.1", "0.2", "7", "-1", r#""many""#, r#""4.75""#, "[1, 2]"]);
    draw("env", 60, &[r#""prod""#, r#""dev""#]);
    Event::read(&record.to_string())
}

/// The lines of some files: each event in one of them, none later than lateness allows, copies of those that have an id,
/// and `strays`: some events that come too late for any window.
fn arrivals(random: &mut Random, events: &[Event], lateness_ms: i64, files: usize, strays: bool) -> Vec<Vec<String>> {
    let mut arriving = Arrivals::new(files);
    let shuffled = random.percent(75);
    let late = |random: &mut Random| if shuffled { random.below(lateness_ms as usize + 1) as i64 } else { 0 };
    let copies = random.percent(50);
    let known: Vec<&str> = events.iter().map(|event| event.line.as_str()).collect();
    for (number, event) in events.iter().enumerate() {
        let file = random.below(files);
        let unique = event.has_id && known.iter().filter(|line| **line == event.line).count() == 1;
        if strays && unique && random.percent(15) && number > 0 {
            arriving.add(random, (event.at_ms + lateness_ms + 600_000, file), &event.line);
            continue;
        }
        let place = (event.at_ms + late(random), file);
        arriving.add(random, place, &event.line);
        while copies && event.has_id && random.percent(20) {
            let on_time_ms = event.at_ms + late(random);
            arriving.add_copy(random, on_time_ms, place, &event.line);
        }
    }
    arriving.lines()
}

impl Case {
    /// The documents; None: one is refused.
    pub fn documents(&self) -> Option<Documents> {
        Documents::try_read(&self.documents).ok()
    }
}
