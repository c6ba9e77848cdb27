//! Spans in milliseconds and the calendar in UTC. No clock: every time is an argument.

/// A second.
pub const SECOND: i64 = 1_000;
/// A minute.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;
/// A day.
pub const DAY: i64 = 24 * HOUR;

/// Hour of the day, 0 to 23.
pub fn hour_of_day(ms: i64) -> i64 {
    ms.rem_euclid(DAY) / HOUR
}

/// Day of the week: 0 is Monday.
pub fn weekday(ms: i64) -> i64 {
    (ms.div_euclid(DAY) + 3).rem_euclid(7)
}

/// Saturday or Sunday.
pub fn is_weekend(ms: i64) -> bool {
    weekday(ms) >= 5
}

/// Tuesday and Thursday: the days on which production gets most of its changes.
pub fn is_release_day(ms: i64) -> bool {
    matches!(weekday(ms), 1 | 3)
}

/// Year, month and day of a day number since 1970-01-01 (Howard Hinnant's algorithm for the civil calendar).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Day number of a date, the inverse of the above.
pub fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// `2026-09-01T10:00:00.250Z`.
pub fn rfc3339_ms(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY));
    let of_day = ms.rem_euclid(DAY);
    let (h, m, s, ms) = (of_day / HOUR, of_day / MINUTE % 60, of_day / SECOND % 60, of_day % SECOND);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
}

/// `2026-09-01T10:00:00Z`, as sources that know whole seconds only write it.
pub fn rfc3339(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY));
    let of_day = ms.rem_euclid(DAY);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        of_day / HOUR,
        of_day / MINUTE % 60,
        of_day / SECOND % 60
    )
}

/// Midnight of a date `2026-09-01`, in milliseconds; none when it is not one.
pub fn midnight(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let days = day_number(year, month, day);
    (parts.next().is_none() && civil(days) == (year, month, day)).then_some(days * DAY)
}
