//! Numbers that add up exactly: whole multiples of a billionth, so that a window's sum never drifts and no order of its
//! members changes it.
//!
//! Must never take a text that is no number for one.

use serde::{Deserialize, Serialize};

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// Digits behind the point that count; what lies behind them is cut.
const PLACES: usize = 9;

/// The largest number that is read, in ones: sums of ten thousand of them still fit.
const WHOLE_MAX: i128 = 1_000_000_000_000_000_000_000;

/// A number in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) struct Decimal(i128);

impl Decimal {
    /// Reads what JSON writes as a number, and texts that look like one. None: no number, or beyond ± 10²¹.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Decimal::from_float(text.parse().ok()?);
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        if whole > WHOLE_MAX {
            return None;
        }
        let mut billionths = 0;
        for place in 0..PLACES {
            let digit = fraction.as_bytes().get(place).map_or(0, |byte| i128::from(byte - b'0'));
            billionths = billionths * 10 + digit;
        }
        let value = whole * ONE + billionths;
        Some(Decimal(if negative { -value } else { value }))
    }

    /// A count.
    pub(super) fn whole(count: usize) -> Decimal {
        Decimal(count as i128 * ONE)
    }

    /// The nearest below it in size.
    pub(super) fn from_float(value: f64) -> Option<Decimal> {
        if !value.is_finite() || value.abs() > WHOLE_MAX as f64 {
            return None;
        }
        // The shortest text that reads as this number: 0.1 is a tenth, not what binary makes of it.
        let text = format!("{value}");
        if text.contains(['e', 'E']) {
            return Some(Decimal((value * ONE as f64) as i128));
        }
        Decimal::parse(&text)
    }

    /// So many of it.
    pub(super) fn times(self, count: usize) -> Decimal {
        Decimal(self.0.saturating_mul(count as i128))
    }

    /// `part` of `whole` of it, behind the billionths cut; None: too large for that.
    pub(super) fn part(self, part: i128, whole: i128) -> Option<Decimal> {
        self.0.checked_mul(part)?.checked_div(whole).map(Decimal)
    }

    /// As a whole number of billionths.
    pub(super) fn billionths(self) -> i128 {
        self.0
    }

    /// The nearest float, unless it is very large: then the nearest but one.
    pub(super) fn to_float(self) -> f64 {
        if self.0.unsigned_abs() < 1 << 53 {
            return self.0 as f64 / ONE as f64;
        }
        (self.0 / ONE) as f64 + (self.0 % ONE) as f64 / ONE as f64
    }
}

impl std::ops::AddAssign for Decimal {
    fn add_assign(&mut self, other: Decimal) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl std::ops::SubAssign for Decimal {
    fn sub_assign(&mut self, other: Decimal) {
        self.0 = self.0.saturating_sub(other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_numbers_are_read_exactly() {
        let read = |text| Decimal::parse(text).map(|number| number.0);
        assert_eq!(read("6.5"), Some(6_500_000_000));
        assert_eq!(read(" -0.1 "), Some(-100_000_000));
        assert_eq!(read("1e3"), Some(1_000 * ONE));
        assert_eq!(read("0.1234567899"), Some(123_456_789));
        assert_eq!(read("+7"), Some(7 * ONE));
        for text in ["", "-", ".", "many", "1.2.3", "0x10", "NaN", "inf", "1e99", "9999999999999999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sums_do_not_drift() {
        let tenth = Decimal::parse("0.1").expect("a number");
        let mut sum = Decimal::default();
        (0..1_000).for_each(|_| sum += tenth);
        assert_eq!(sum.to_float(), 100.0);
        (0..1_000).for_each(|_| sum -= tenth);
        assert_eq!(sum, Decimal::default());
        assert_eq!(Decimal::from_float(0.1), Some(tenth));
        assert_eq!(Decimal::from_float(1e-30), Some(Decimal::default()));
    }
}
