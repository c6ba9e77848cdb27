//! Objectives from files, held against an archive.
//!
//! Must never go on with a file in which something is wrong, nor with two objectives of one name.

use std::path::PathBuf;

use anyhow::{Context, bail};
use slis::definition::Definition;
use slis::query::{QueryError, Store};
use slis::report::Asked;
use slis::slo::Slo;
use slis::standing::{Alert, Standing, alerts, counted, left_over_time, standing};

/// Points of a chart.
const POINTS: i64 = 120;

/// What is told of one objective.
pub(super) struct Told {
    pub(super) slo: Slo,
    pub(super) standing: Standing,
    /// The alerts of the span that is asked for, where they are asked for.
    pub(super) alerts: Option<Vec<Alert>>,
    /// What was left of the budget, over its period.
    pub(super) left: Vec<(i64, f64)>,
}

/// The objectives of files.
///
/// # Errors
/// When one cannot be read, everything that is wrong with any of them, or when two have one name.
pub(super) fn load(files: &[PathBuf]) -> anyhow::Result<Vec<Slo>> {
    let definitions = Definition::shipped()?;
    let (mut slos, mut problems): (Vec<Slo>, Vec<String>) = (Vec::new(), Vec::new());
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        match Slo::parse(&text, &definitions) {
            Ok(slo) if slos.iter().any(|other| other.name == slo.name) => {
                let hint = "hint: another metadata.name";
                problems.push(format!("{}: there is an objective {:?} already ({hint})", file.display(), slo.name));
            }
            Ok(slo) => slos.push(slo),
            Err(found) => problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", file.display()))),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(slos)
}

/// Where objectives stand at the end of what is asked for; with `is_judged`, the alerts of it as well.
pub(super) async fn ask(
    store: &Store,
    slos: Vec<Slo>,
    asked: &Asked,
    is_judged: bool,
) -> Result<Vec<Told>, QueryError> {
    let mut told = Vec::new();
    for slo in slos {
        let from_ms = if is_judged { asked.from_ms } else { asked.to_ms };
        let series = counted(store, &slo, asked, from_ms).await?;
        let standing = standing(&slo, &series, asked.to_ms);
        let alerts = is_judged.then(|| alerts(&slo, &series, asked.from_ms, asked.to_ms));
        let left = left_over_time(&series, &standing, POINTS);
        told.push(Told { slo, standing, alerts, left });
    }
    Ok(told)
}
