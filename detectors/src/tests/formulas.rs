//! The worked numbers of each formula, against figures computed elsewhere or by other means.

use crate::stats::*;
use crate::{
    bernoulli_step, beta_prior, cusum_threshold, divergence, entropy_bits, evenness, g_statistic, poisson_step,
    regularity, siegmund_run_length, silence_after_ms,
};

fn near(value: f64, expected: f64, part: f64) {
    assert!((value - expected).abs() <= part * expected.abs(), "{value}, not {expected}");
}

#[test]
fn counts_have_the_tails_of_their_distributions() {
    // a₀ = 0.5, b₀ = 0.1 h, 3 events in 200 h, 3 in the next: closed form of the negative binomial's tail, 1 − Σ over 0, 1, 2.
    let (a, b) = (3.5, 200.1);
    let p = gamma_poisson_tail(3, a, b, 1.0);
    let q: f64 = b / (b + 1.0);
    let direct = q.powf(a) * (a * (a + 1.0) * (a + 2.0) / 6.0) * (1.0 - q).powi(3);
    near(p, 1.8e-6, 0.03);
    near(p, direct, 0.05);
    // Poisson(4): 1 − e⁻⁴(1 + 4 + 8).
    near(poisson_tail(3, 4.0), 1.0 - (-4.0_f64).exp() * 13.0, 1e-12);
    assert_eq!((poisson_tail(0, 4.0), count_tail(0, 4.0, 9.0)), (1.0, 1.0));
    // Mean 2, variance 6: r = 1, q = 1/3, so P(X ≥ x) = (2/3)^x.
    near(count_tail(7, 2.0, 6.0), (2.0_f64 / 3.0).powi(7), 1e-12);
    near(ln_none(2.0, 6.0), (1.0_f64 / 3.0).ln(), 1e-12);
    assert_eq!(first_remarkable(1e-3, |x| count_tail(x, 2.0, 6.0)), 18, "(2/3)^17 is 1.01e-3");
    near(threshold(0.5, 2_000.0, 24.0), 1.04e-5, 0.01);
}

#[test]
fn ratios_keep_their_digits_with_few_of_both() {
    near(binomial_tail(6, 60, 0.01), 3.2e-5, 0.02);
    // A uniform prior makes every count as likely as any other.
    (0..=10).for_each(|x| near(beta_binomial_tail(x, 10, 1.0, 1.0), (11 - x) as f64 / 11.0, 1e-9));
    assert_eq!(beta_binomial_tail(11, 10, 1.0, 1.0), 0.0);
    // 8 of 9 reads outside the own team: nothing against the population's 40 of 400 outside it, much against 2 % of its own.
    let p = hypergeometric_tail(8, 9, 360, 400);
    near(p, 0.78, 0.01);
    let (a, b) = beta_prior(4, 200);
    assert_eq!((a, b), (4.5, 196.5));
    assert!(beta_binomial_tail(8, 9, a, b) < 1e-9);
    let (a, b) = beta_prior(20, 2_000);
    near(a + b, 201.0, 1e-12);
}

/// P(X ≥ x) of n drawn out of `all`, of which `bad` are bad: by products, no library.
fn hypergeometric_tail(x: u64, n: u64, bad: u64, all: u64) -> f64 {
    let choose = |n: u64, k: u64| (0..k).map(|at| (n - at) as f64 / (at + 1) as f64).product::<f64>();
    (x..=n.min(bad)).map(|k| choose(bad, k) * choose(all - bad, n - k) / choose(all, n)).sum()
}

#[test]
fn a_cusum_is_as_rare_as_lorden_promises_and_as_fast_as_measured() {
    assert!((cusum_threshold(1_024.0) - 6.93).abs() < 0.01, "ten doublings");
    near(poisson_step(10, 4.0, 2.0), 10.0 * 2.0_f64.ln() - 4.0, 1e-12);
    near(
        bernoulli_step(true, 0.01, 0.02) + bernoulli_step(false, 0.01, 0.02),
        2.0_f64.ln() + (0.98_f64 / 0.99).ln(),
        1e-12,
    );
    let mut random = Random(7);
    // Average hours until the first alarm at 4/h and at 8/h, λ₀ = 4, H = ln 1,024: never below the bound, and near 5.3 h.
    let mut until = |rate: f64, runs: u64| {
        let mut hours = 0_u64;
        for _ in 0..runs {
            let mut w = 0.0;
            while w <= cusum_threshold(1_024.0) {
                w = (w + poisson_step(random.poisson(rate), 4.0, 2.0)).max(0.0);
                hours += 1;
            }
        }
        hours as f64 / runs as f64
    };
    let (quiet, doubled) = (until(4.0, 60), until(8.0, 400));
    assert!(quiet > 1_024.0, "{quiet}");
    assert!((4.5..6.5).contains(&doubled), "{doubled}");
    near(siegmund_run_length(0.5, 8.0), 19_100.0, 0.01);
    near(siegmund_run_length(0.5, 5.0), 938.0, 0.01);
}

#[test]
fn entropy_is_that_of_its_table() {
    assert_eq!((entropy_bits(""), entropy_bits("aaaa")), (0.0, 0.0));
    near(entropy_bits("abcd"), 2.0, 1e-12);
    let mut random = Random(11);
    for (alphabet, length, bits) in [(64, 40, 4.78), (64, 64, 5.18), (32, 40, 4.35), (16, 40, 3.70), (16, 64, 3.82)] {
        let letters: Vec<char> =
            ('0'..='z').filter(char::is_ascii_alphanumeric).chain(['+', '/']).take(alphabet).collect();
        let mean = (0..400)
            .map(|_| {
                entropy_bits(&(0..length).map(|_| letters[random.below(alphabet as u64) as usize]).collect::<String>())
            })
            .sum::<f64>()
            / 400.0;
        assert!((mean - bits).abs() < 0.05, "{alphabet} letters, {length} of them: {mean}");
    }
}

#[test]
fn silence_takes_as_long_as_its_table_says() {
    let minutes = |rate: f64| silence_after_ms(rate, 1e-6, 600_000) as f64 / 60_000.0;
    near(minutes(2.0), 6.9 * 60.0, 0.01);
    near(minutes(10.0), 83.0, 0.01);
    near(minutes(60.0), 14.0, 0.02);
    assert_eq!(minutes(600.0), 10.0, "the floor");
}

#[test]
fn shapes_of_beats_mixes_and_ranks() {
    near(regularity(&[60.0; 20], 10.0), 1.0, 1e-12);
    near(regularity(&[60.0, 60.0, 60.0, 120.0, 180.0], 10.0), ((1.0 - 1.0) + 1.0) / 2.0, 1e-12);
    assert_eq!(regularity(&[], 10.0), 0.0);
    assert_eq!(evenness(&[5; 24]), 1.0);
    assert!(evenness(&[0, 0, 0, 60, 0, 0, 0, 0]) < 0.01);
    near(divergence(&[(1.0, 0.0), (0.0, 1.0)]), 1.0, 1e-12);
    assert_eq!(divergence(&[(0.5, 0.5), (0.5, 0.5)]), 0.0);
    // 30 and 70 instead of 50 and 50: G = 2(30 ln 0.6 + 70 ln 1.4).
    near(g_statistic(&[(30.0, 50.0), (70.0, 50.0)]), 2.0 * (30.0 * 0.6_f64.ln() + 70.0 * 1.4_f64.ln()), 1e-12);
    near(chi_squared_tail(3.841_458_8, 1), 0.05, 1e-6);
    // Ranks 1–10 below 11–20: U = 100, z = (100 − 50 − ½)/√175, one-sided.
    let (low, high): (Vec<f64>, Vec<f64>) = ((1..=10).map(f64::from).collect(), (11..=20).map(f64::from).collect());
    near(mann_whitney(&low, &high), 9.13e-5, 0.01);
    assert!(mann_whitney(&high, &low) > 0.999);
    assert_eq!(mann_whitney(&[1.0; 20], &[1.0; 20]), 1.0, "all tied");
    assert_eq!(median_mad(&[1.0, 2.0, 3.0, 4.0, 100.0]), (3.0, 1.0));
}

/// SplitMix64, and Poisson draws by counting exponential gaps.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub(super) fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        let (mut left, mut count) = (mean, 0);
        loop {
            left += self.unit().ln();
            if left < 0.0 {
                return count;
            }
            count += 1;
        }
    }
}
