//! The door to statrs: tails of distributions, robust location and scale, rank tests.
//!
//! Logarithms, exponentials and what is made of them come from libm, not from the machine, so equal input gives equal bits
//! everywhere. Total functions: what has no answer is 1 (nothing remarkable), never NaN. Must never hold state.

use statrs::distribution::{ChiSquared, ContinuousCDF, DiscreteCDF, NegativeBinomial, Normal, Poisson};
use statrs::function::beta::checked_ln_beta;
use statrs::function::factorial::ln_binomial;

/// Natural logarithm, the same on every machine.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// e to the x, the same on every machine.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// −log₁₀ p: how surprising a probability is. Of none at all 300.
pub fn surprise(p: f64) -> f64 {
    if p <= 1e-300 { 300.0 } else { (libm::log10(p).abs() * 1_000.0).round() / 1_000.0 }
}

/// The probability below which one test is told: `budget` false alerts a day over `keys` keys of `tests` tests a day each.
pub fn threshold(budget: f64, keys: f64, tests: f64) -> f64 {
    (budget / (keys * tests).max(1.0)).clamp(0.0, 1.0)
}

/// P(X ≥ x) for X ~ Poisson(mean).
pub fn poisson_tail(x: u64, mean: f64) -> f64 {
    match (x.checked_sub(1), Poisson::new(mean)) {
        (Some(below), Ok(of)) => sound(of.sf(below)),
        _ => 1.0,
    }
}

/// P(X ≥ x) for X negative binomial: failures before `r` successes of probability `q`; mean r(1−q)/q.
pub fn negative_binomial_tail(x: u64, r: f64, q: f64) -> f64 {
    match (x.checked_sub(1), NegativeBinomial::new(r, q)) {
        (Some(below), Ok(of)) => sound(of.sf(below)),
        _ => 1.0,
    }
}

/// P(X ≥ x) of a count with this mean and variance: negative binomial, where the variance exceeds the mean, else Poisson.
/// `r = m²/(v−m)`, `q = r/(r+m)`.
pub fn count_tail(x: u64, mean: f64, variance: f64) -> f64 {
    if variance <= 1.02 * mean {
        return poisson_tail(x, mean);
    }
    let r = mean * mean / (variance - mean);
    negative_binomial_tail(x, r, r / (r + mean))
}

/// ln P(X = 0) of the same count.
pub fn ln_none(mean: f64, variance: f64) -> f64 {
    if variance <= 1.02 * mean {
        return -mean;
    }
    let r = mean * mean / (variance - mean);
    r * ln(r / (r + mean))
}

/// The least x with P(X ≥ x) < p: the first count that would be remarkable.
pub fn first_remarkable(p: f64, tail: impl Fn(u64) -> f64) -> u64 {
    let (mut low, mut high) = (0_u64, 1_u64);
    while tail(high) >= p && high < 1 << 52 {
        low = high;
        high *= 2;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if tail(middle) < p { high = middle } else { low = middle }
    }
    high
}

/// P(X ≥ x) for the Gamma-Poisson predictive: rate ~ Gamma(a, b), `x` events within `span`; b and span in one unit.
pub fn gamma_poisson_tail(x: u64, a: f64, b: f64, span: f64) -> f64 {
    negative_binomial_tail(x, a, b / (b + span))
}

/// P(X ≥ x) of n, X beta-binomial: `Σ exp(ln C(n,k) + ln B(k+a, n−k+b) − ln B(a,b))` over k ≥ x. Summed from the tail's far
/// end where that is shorter, so that small probabilities keep their digits.
pub fn beta_binomial_tail(x: u64, n: u64, a: f64, b: f64) -> f64 {
    let Ok(whole) = checked_ln_beta(a, b) else { return 1.0 };
    if x == 0 || x > n {
        return if x == 0 { 1.0 } else { 0.0 };
    }
    let (k, rest) = (x as f64, (n - x) as f64);
    let Ok(first) = checked_ln_beta(k + a, rest + b) else { return 1.0 };
    let mut term = exp(ln_binomial(n, x) + first - whole);
    let mut sum = 0.0;
    // Each term is the one before times (n−k)(k+a) / ((k+1)(n−k−1+b)).
    for k in x..=n {
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
        let (k, left) = (k as f64, (n - k) as f64);
        term *= left * (k + a) / ((k + 1.0) * (left - 1.0 + b));
    }
    sound(sum)
}

/// P(X ≥ x) of n, each bad with probability p.
pub fn binomial_tail(x: u64, n: u64, p: f64) -> f64 {
    match (x.checked_sub(1), statrs::distribution::Binomial::new(p, n)) {
        (Some(below), Ok(of)) => sound(of.sf(below)),
        _ => 1.0,
    }
}

/// P(X ≥ g) for X ~ χ² of so many degrees of freedom.
pub fn chi_squared_tail(g: f64, degrees: usize) -> f64 {
    ChiSquared::new(degrees as f64).map_or(1.0, |of| sound(of.sf(g)))
}

/// P that members of `later` are as much greater than those of `before` by chance: Mann and Whitney's U, one-sided, by the
/// normal approximation with corrections for ties and continuity; 1 where either has fewer than eight.
pub fn mann_whitney(before: &[f64], later: &[f64]) -> f64 {
    let (n, m) = (before.len() as f64, later.len() as f64);
    if before.len() < 8 || later.len() < 8 {
        return 1.0;
    }
    let mut all: Vec<(f64, bool)> =
        before.iter().map(|x| (*x, false)).chain(later.iter().map(|x| (*x, true))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let size = equal.len() as f64;
        let rank = at as f64 + (size + 1.0) / 2.0;
        ranks += rank * equal.iter().filter(|(_, is_later)| *is_later).count() as f64;
        ties += size * size * size - size;
        at += equal.len();
    }
    let u = ranks - m * (m + 1.0) / 2.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (u - n * m / 2.0 - 0.5) / variance.sqrt();
    Normal::new(0.0, 1.0).map_or(1.0, |of| sound(of.sf(z)))
}

/// The quantile q (0 to 1) of sorted numbers, between the two nearest.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let low = at.floor() as usize;
    match (sorted.get(low), sorted.get(low + 1)) {
        (Some(low_value), Some(high)) => low_value + (high - low_value) * (at - low as f64),
        (Some(only), None) => *only,
        _ => 0.0,
    }
}

/// The median, and the median of the distances from it (MAD).
pub fn median_mad(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    let mut distances: Vec<f64> = values.iter().map(|x| (x - median).abs()).collect();
    distances.sort_by(f64::total_cmp);
    (median, quantile(&distances, 0.5))
}

/// (x − median) / max(1.4826 · MAD, floor).
pub fn robust_z(x: f64, median: f64, mad: f64, floor: f64) -> f64 {
    (x - median) / (1.4826 * mad).max(floor)
}

/// A number for people: four digits, no trailing zeros.
pub fn shown(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return "0".to_owned();
    }
    if x.abs() < 1e-3 {
        return format!("{x:.1e}");
    }
    let places = (3 - libm::log10(x.abs()).floor() as i32).clamp(0, 6) as usize;
    let text = format!("{x:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn sound(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}
