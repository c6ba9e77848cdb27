//! Spans of time in rules.
//!
//! Must never read a unit for another: `m` is a minute and `M` a month.

use super::problem::Problem;
use super::yaml::Node;
use model::parse_span_ms;

/// One day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// The longest window, and the longest memory.
const MAX_MS: i64 = 400 * DAY_MS;

/// A span above zero of s, m, h or d (also ms).
pub(super) fn plain(node: &Node, key: &str) -> Result<i64, Problem> {
    let text = node.text().unwrap_or_default();
    parse_span_ms(&text).filter(|ms| *ms > 0).ok_or_else(|| {
        Problem::new(node.line, format!("{key} `{text}` is no span"))
            .hint("write a whole number above 0 and s, m, h or d: 24h")
    })
}

/// A span of a window: above zero, at most 400 days; w, M (30 days) and y (365 days) are known too.
pub(super) fn window(node: &Node, key: &str) -> Result<i64, Problem> {
    match or_zero(node, key)? {
        0 => Err(Problem::new(node.line, format!("{key} is zero")).hint("a window has a length: 10m")),
        ms => Ok(ms),
    }
}

/// The same, where zero is a span too.
pub(super) fn or_zero(node: &Node, key: &str) -> Result<i64, Problem> {
    let text = node.text().unwrap_or_default();
    let ms = sigma_ms(&text).ok_or_else(|| {
        Problem::new(node.line, format!("{key} `{text}` is no span"))
            .hint("write a whole number and s, m, h, d, w, M (30 days) or y (365 days): 10m")
    })?;
    match ms <= MAX_MS {
        true => Ok(ms),
        false => Err(Problem::new(node.line, format!("{key} `{text}` is longer than 400 days"))
            .hint("shorten it: nothing is remembered for longer")),
    }
}

fn sigma_ms(text: &str) -> Option<i64> {
    let unit_ms = match text.bytes().last()? {
        b's' => 1_000,
        b'm' => 60_000,
        b'h' => 3_600_000,
        b'd' => DAY_MS,
        b'w' => 7 * DAY_MS,
        b'M' => 30 * DAY_MS,
        b'y' => 365 * DAY_MS,
        _ => return None,
    };
    let number = text.get(..text.len().checked_sub(1)?)?;
    let whole = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    // A number that does not fit is longer than anything that is allowed.
    whole.then(|| number.parse::<i64>().map_or(i64::MAX, |number| number.saturating_mul(unit_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_sigma() {
        let told = ["1s", "5m", "2h", "3d", "2w", "1M", "1y", "0s"].map(sigma_ms);
        let days = |n: i64| Some(n * DAY_MS);
        assert_eq!(told[..3], [Some(1_000), Some(300_000), Some(7_200_000)]);
        assert_eq!(told[3..], [days(3), days(14), days(30), days(365), Some(0)]);
        for text in ["", "m", "5", "5 m", "-5m", "+5m", "1.5h", "5ms", "5D", "5é"] {
            assert_eq!(sigma_ms(text), None, "{text}");
        }
        assert_eq!(sigma_ms("99999999999999999999d"), Some(i64::MAX));
    }
}
