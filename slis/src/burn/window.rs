//! The period of an objective: the last so many days, or a calendar month, quarter or week.
//!
//! Calendar periods begin at midnight of a named time zone. Must never know what the time is: the end is an argument.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// The last milliseconds.
    Rolling(i64),
    /// Since the week, month or quarter began.
    Calendar(Calendar, TimeZone),
}

/// Unit of a calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Calendar {
    Week,
    Month,
    Quarter,
}

impl Window {
    /// The period in which a time lies, [from, to) in milliseconds; of a rolling one `at` is the end. None: outside the
    /// calendar's years.
    pub fn period(&self, at_ms: i64) -> Option<(i64, i64)> {
        let (unit, zone) = match self {
            Window::Rolling(length_ms) => return Some((at_ms.checked_sub(*length_ms)?, at_ms)),
            Window::Calendar(unit, zone) => (unit, zone),
        };
        let at = jiff::Timestamp::from_millisecond(at_ms).ok()?.to_zoned(zone.clone()).date();
        let (from, to) = match unit {
            Calendar::Week => {
                let from = at.checked_sub(i64::from(at.weekday().to_monday_zero_offset()).days()).ok()?;
                (from, from.checked_add(1.week()).ok()?)
            }
            Calendar::Month => (at.first_of_month(), at.first_of_month().checked_add(1.month()).ok()?),
            Calendar::Quarter => {
                let from = Date::new(at.year(), (at.month() - 1) / 3 * 3 + 1, 1).ok()?;
                (from, from.checked_add(3.months()).ok()?)
            }
        };
        let ms = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
        Some((ms(from)?, ms(to)?))
    }

    /// Its length for burn rates, in milliseconds: of a calendar unit the usual one.
    pub fn length_ms(&self) -> i64 {
        const DAY: i64 = 86_400_000;
        match self {
            Window::Rolling(length_ms) => *length_ms,
            Window::Calendar(Calendar::Week, _) => 7 * DAY,
            Window::Calendar(Calendar::Month, _) => 30 * DAY,
            Window::Calendar(Calendar::Quarter, _) => 90 * DAY,
        }
    }
}
