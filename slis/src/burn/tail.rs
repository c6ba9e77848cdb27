//! The tail of the binomial distribution: how likely so many bad ones are by luck.
//!
//! Sums the terms from the observed count on, each made of the one before (Abramowitz and Stegun 26.1.20); the first by the
//! logarithm of the gamma function of `libm`, so the same bits come out on every machine. Must never be asked to decide
//! without a count beside it: see the guard.

/// P[Bin(n, p) ≥ k]. Outside its domain: 1 where k is 0, 0 where k exceeds n.
pub fn at_least(k: i64, n: i64, p: f64) -> f64 {
    if k <= 0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let (kf, nf) = (k as f64, n as f64);
    // Below the mean the other side is the shorter one, and not near 1 by cancellation.
    if kf <= nf * p {
        return (1.0 - below(k, n, p)).clamp(0.0, 1.0);
    }
    let mut term = first(kf, nf, p);
    let mut sum = term;
    let odds = p / (1.0 - p);
    let mut at = kf;
    while at < nf {
        term *= (nf - at) / (at + 1.0) * odds;
        at += 1.0;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

/// P[Bin(n, p) < k], for k at most the mean: terms fall from k - 1 downwards.
fn below(k: i64, n: i64, p: f64) -> f64 {
    let nf = n as f64;
    let mut at = (k - 1) as f64;
    let mut term = first(at, nf, p);
    let mut sum = term;
    let odds = (1.0 - p) / p;
    while at > 0.0 {
        term *= at / (nf - at + 1.0) * odds;
        at -= 1.0;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// P[Bin(n, p) = k].
fn first(k: f64, n: f64, p: f64) -> f64 {
    let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    libm::exp(choose + k * libm::log(p) + (n - k) * libm::log1p(-p))
}
