//! A report as one page: a table, and a chart of days for each indicator. Nothing is loaded from elsewhere.
//!
//! Every text is escaped: names of teams and repositories are somebody else's. Must never hold a script.

use std::fmt::Write;

use slis::definition::Kind;

use super::print::{share, value_words, values};
use super::{Day, Page};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2330;\
background:#fff}h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;\
border-bottom:1px solid #d9dee7;vertical-align:top}th{font-weight:600}td.n{color:#6b7385}svg{display:block}\
rect.g{fill:#2f7d5b}rect.b{fill:#c0392b}rect.t{fill:#c77f0a}line.z{stroke:#c0392b;stroke-dasharray:3}\
polyline.l{fill:none;stroke:#2f7d5b;stroke-width:1.5}small{color:#6b7385}@media(prefers-color-scheme:dark){body{background:#14171d;\
color:#e3e7ee}th,td{border-color:#2c3340}}";

/// Width and height of a chart, in pixels.
const CHART: (f64, f64) = (220.0, 36.0);

/// The page.
pub(super) fn page(page: &Page) -> String {
    let mut text = String::new();
    // Writing to memory cannot fail.
    let _ = write!(
        text,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Service level indicators</title><style>{STYLE}</style><h1>Service level indicators</h1><p>{} to {}</p>\
         <table><thead><tr><th>Code<th>Indicator<th>Of<th>Value<th>Target<th>Counted<th>Days</tr></thead><tbody>",
        escaped(&page.from.to_string()),
        escaped(&page.to.to_string())
    );
    for (definition, value) in values(page) {
        let class = if value.value.is_none() { " class=\"n\"" } else { "" };
        let few = value.interval.map_or_else(String::new, |(low, high)| {
            format!("<br><small>few: {:.1} % to {:.1} %</small>", low * 100.0, high * 100.0)
        });
        let excluded = match value.excluded {
            0 => String::new(),
            excluded => format!("<br><small>{excluded} in maintenance</small>"),
        };
        let _ = write!(
            text,
            "<tr><td>{}<td>{}<br><small>{}</small><td>{}<td{class}>{}{few}<td>{}<td>{}{excluded}<td>{}</tr>",
            escaped(&definition.code),
            escaped(&definition.name),
            escaped(&definition.description),
            escaped(&value.key),
            escaped(&value_words(definition.kind, value)),
            escaped(&definition.target),
            share(definition.kind, value.good, value.total),
            chart(definition.kind, page.days.iter().filter(|day| *day.indicator == *definition.code))
        );
    }
    text.push_str("</tbody></table>");
    text.push_str(&super::html_objectives::part(&page.objectives));
    text.push_str("</html>\n");
    text
}

/// A bar a day: green what is good, red what is not.
fn chart<'d>(kind: Kind, days: impl Iterator<Item = &'d Day>) -> String {
    let days: Vec<&Day> = days.filter(|day| day.total > 0).collect();
    let most = days.iter().map(|day| day.total).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let (width, height) = CHART;
    let step = (width / days.len() as f64).min(18.0);
    let mut text =
        format!("<svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{} days\">", days.len());
    for (at, day) in days.iter().enumerate() {
        let tall = |count: i64| count.max(0) as f64 / most as f64 * height;
        let bad = if kind == Kind::Count { day.total } else { day.total.saturating_sub(day.good) };
        let (all, bad) = (tall(day.total), tall(bad.min(day.total)));
        let x = at as f64 * step;
        let good = if kind == Kind::Rate { "" } else { " good" };
        let words = escaped(&format!("{}: {}{good}", day.day, share(kind, day.good, day.total)));
        let _ = write!(
            text,
            "<g><title>{words}</title><rect class=\"g\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             <rect class=\"b\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{bad:.1}\"/></g>",
            height - all,
            step - 1.0,
            all - bad,
            height - bad,
            step - 1.0
        );
    }
    text.push_str("</svg>");
    text
}

/// Text that cannot become markup.
pub(super) fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '"' => clean.push_str("&quot;"),
            '\'' => clean.push_str("&#39;"),
            c if c.is_control() => clean.push(' '),
            c => clean.push(c),
        }
    }
    clean
}
