//! How sure a share of few is: Wilson's score interval (1927).
//!
//! Must never be shown without the counts that it was made of.

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share of `good` in `total`. None: nothing was counted, or the counts are no share.
pub fn wilson_95(good: i64, total: i64) -> Option<(f64, f64)> {
    if total <= 0 || !(0..=total).contains(&good) {
        return None;
    }
    let (n, share) = (total as f64, good as f64 / total as f64);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let (middle, width) = (share + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
    let low = if good == 0 { 0.0 } else { (middle - spread) / width };
    let high = if good == total { 1.0 } else { (middle + spread) / width };
    Some((low, high))
}
