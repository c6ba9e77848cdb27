//! The nearest known name to a misspelt one.
//!
//! Must never invent a name: hints come from the list of what is known.

/// Names that a hint lists at most.
const LISTED_MAX: usize = 24;

/// `did you mean X?` when a known name is close, else the list of all where that is short.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let lower = wrong.to_lowercase();
    let best = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(3) / 2).min(4))
        .min_by_key(|(distance, _)| *distance);
    match best {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "none is known here".to_owned(),
        None if known.len() > LISTED_MAX => format!("none of the {} known names is close to it", known.len()),
        None => format!("known: {}", known.join(", ")),
    }
}
