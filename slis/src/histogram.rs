//! The one layout of durations: which bucket a duration falls into, and what a bucket stands for.
//!
//! The layout is fixed for good: buckets of any two days, archives or workers add up. Must never be a setting.

/// Steps of one doubling: a bucket is at most a sixteenth of its lower end wide.
const STEPS_BITS: u32 = 4;
const STEPS: u64 = 1 << STEPS_BITS;

/// Number of a bucket. Below sixteen microseconds each has its own; from there sixteen for each doubling.
pub fn bucket(duration_us: u64) -> i32 {
    if duration_us < STEPS {
        return duration_us as i32;
    }
    let doubling = duration_us.ilog2() - STEPS_BITS;
    let step = (duration_us >> doubling) - STEPS;
    ((u64::from(doubling) + 1) * STEPS + step) as i32
}

/// The largest duration of a bucket, in microseconds: what a quantile that falls into it is told as. At most 6.25 % above
/// every duration in it.
pub fn upper_us(bucket: i32) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    if bucket < STEPS {
        return bucket;
    }
    let (doubling, step) = (bucket / STEPS - 1, bucket % STEPS);
    let next = u128::from(STEPS + step + 1) << doubling;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}

/// The quantile `permille` of counted buckets in ascending order, by rank (the smallest bucket at which at least that share
/// has been counted), in microseconds. None: nothing was counted.
pub fn quantile_us(buckets: &[(i32, i64)], permille: u32) -> Option<u64> {
    let all: i128 = buckets.iter().map(|(_, count)| i128::from(*count)).sum();
    if all <= 0 {
        return None;
    }
    let rank = ((all * i128::from(permille) + 999) / 1000).max(1);
    let mut counted = 0;
    for (bucket, count) in buckets {
        counted += i128::from(*count);
        if counted >= rank {
            return Some(upper_us(*bucket));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_touch_and_are_narrow() {
        assert_eq!((bucket(0), bucket(15), bucket(16), bucket(31), bucket(32), bucket(33)), (0, 15, 16, 31, 32, 32));
        for number in 0..bucket(u64::MAX) {
            let top = upper_us(number);
            assert_eq!(bucket(top), number, "{top}");
            assert_eq!(bucket(top + 1), number + 1, "{top}");
            let low = if number == 0 { 0 } else { upper_us(number - 1) + 1 };
            assert!(low < 16 || u128::from(top) * 16 <= u128::from(low) * 17, "{low} to {top}");
        }
        assert_eq!(upper_us(bucket(u64::MAX)), u64::MAX);
    }

    #[test]
    fn a_quantile_is_the_bucket_of_its_rank() {
        let of = |us: &[u64]| {
            let mut buckets: Vec<(i32, i64)> = us.iter().map(|us| (bucket(*us), 1)).collect();
            buckets.sort_unstable();
            buckets
        };
        let ten = of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let at = |permille| quantile_us(&ten, permille);
        assert_eq!((at(500), at(501), at(950), at(1000), at(1)), (Some(5), Some(6), Some(10), Some(10), Some(1)));
        assert_eq!(quantile_us(&[], 500), None);
        assert_eq!(quantile_us(&[(3, 0)], 500), None);
    }
}
