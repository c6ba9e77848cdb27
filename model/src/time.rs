//! Event time: milliseconds since the Unix epoch, and the spans between times.
//!
//! Must never read a clock: every time here comes out of an event, a control record or an argument.

use std::fmt;

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize, Serializer};

/// A point in event time, in milliseconds since 1970-01-01T00:00:00Z. Finer input is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Timestamp(i64);

/// Epoch numbers below each of these count in so many milliseconds: seconds below 10^11 (the year 5138; in milliseconds
/// 1973), and so on for milliseconds and microseconds.
const EPOCH_UNITS: [(f64, f64); 3] = [(1e11, 1e3), (1e14, 1.0), (1e17, 1e-3)];
/// What is larger counts nanoseconds.
const NANOSECOND_MS: f64 = 1e-6;

/// 0000-01-01T00:00:00Z to 9999-12-30T22:00:00Z: what RFC 3339 text can hold (and calendars here), in milliseconds.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_200_000;

impl Timestamp {
    /// Before every event.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// Behind every event: the watermark of an input that has ended.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The last time that can be written.
    pub const LAST: Timestamp = Timestamp(*RANGE_MS.end());

    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 text (`2026-09-01T00:00:00.000Z`, an offset, a space for the `T`), what forges write in its place
    /// (`2026-09-01 00:00:00 UTC`, `… +0200`), or an epoch number written as text. None when it is neither.
    pub fn parse(text: &str) -> Option<Timestamp> {
        if let Some(time) = parse_plain(text.as_bytes()) {
            return Some(time);
        }
        let text = text.trim();
        // No time with an offset is made of these letters alone.
        let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        if numeric && let Ok(number) = text.parse::<f64>() {
            return Timestamp::from_epoch(number);
        }
        if let Ok(instant) = text.parse::<Instant>() {
            return Timestamp::in_range(instant.as_millisecond());
        }
        parse_without_offset(text)
    }

    /// Reads an epoch number: seconds below 10^11, milliseconds below 10^14, microseconds below 10^17, nanoseconds from
    /// there on. None outside the years that RFC 3339 has.
    pub fn from_epoch(number: f64) -> Option<Timestamp> {
        let unit = EPOCH_UNITS.iter().find(|(below, _)| number.abs() < *below).map_or(NANOSECOND_MS, |(_, unit)| *unit);
        let ms = (number * unit).floor();
        // A float beyond the integers becomes their end, which is out of range, too.
        if ms.is_nan() { None } else { Timestamp::in_range(ms as i64) }
    }

    fn in_range(ms: i64) -> Option<Timestamp> {
        RANGE_MS.contains(&ms).then_some(Timestamp(ms))
    }

    /// This time and a span in milliseconds, saturating: `MAX` stays `MAX`.
    pub const fn plus_ms(self, span_ms: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(span_ms))
    }

    /// The instant for calendar questions, where the time is within RFC 3339's years.
    pub fn instant(self) -> Option<Instant> {
        Instant::from_millisecond(self.0).ok()
    }
}

/// `2026-09-01T00:00:00Z`, with a fraction or without: what nearly all sources write, read without a calendar. None: it is
/// not of exactly this shape, and whoever asks looks further.
fn parse_plain(text: &[u8]) -> Option<Timestamp> {
    let (clock, rest) = text.split_at_checked(19)?;
    let digits = |range: std::ops::Range<usize>| {
        let digits = clock.get(range)?.iter();
        digits.map(|b| b.is_ascii_digit().then(|| i64::from(b - b'0'))).try_fold(0, |n, digit| Some(n * 10 + digit?))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.iter().all(|&(at, mark)| clock.get(at) == Some(&mark)) {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // Outside these years, and for leap seconds, calendars decide.
    let is_plain =
        (1970..=9998).contains(&year) && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let ms = match rest {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => {
            if !fraction.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let digit = |at: usize| fraction.get(at).map_or(0, |b| i64::from(b - b'0'));
            digit(0) * 100 + digit(1) * 10 + digit(2)
        }
        _ => return None,
    };
    // Years that begin in March have their leap day at the end, and months of 153 days in five.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let since_0000_03_01 = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    let days = since_0000_03_01 - DAYS_TO_1970;
    is_plain.then_some(Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms))
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// `2023-11-20 21:20:09.423`: audit exports that leave the offset out mean UTC.
fn parse_without_offset(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", text).and_then(|parsed| parsed.to_timestamp())
    {
        return Timestamp::in_range(zoned.as_millisecond());
    }
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Timestamp::in_range(zoned.timestamp().as_millisecond())
}

/// `2026-09-01T00:00:00.000Z`.
pub type Rfc3339 = [u8; 24];

impl Timestamp {
    /// RFC 3339, UTC, exactly three decimals, written into `room` without a calendar. None outside the years from 1970 to
    /// 9999, where [`Timestamp`]'s own text has to do.
    pub fn write(self, room: &mut Rfc3339) -> Option<&str> {
        let (days, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        if !(0..=LAST_DAY).contains(&days) {
            return None;
        }
        // The way of `parse_plain` back: eras of 400 years, years that begin in March.
        let shifted = days + DAYS_TO_1970;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let months = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * months + 2) / 5 + 1;
        let month = if months < 10 { months + 3 } else { months - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let second = ms / 1_000;
        let [[y1, y2], [y3, y4]] = [pair(year / 100), pair(year % 100)];
        let [[m1, m2], [d1, d2]] = [pair(month), pair(day)];
        let [[h1, h2], [n1, n2], [s1, s2]] = [pair(second / 3_600), pair(second / 60 % 60), pair(second % 60)];
        let ([t1, t2], [_, t3]) = (pair(ms % 1_000 / 10), pair(ms % 10));
        *room = [
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', t1, t2, t3,
            b'Z',
        ];
        std::str::from_utf8(room).ok()
    }
}

/// The two digits of a number below 100.
fn pair(number: i64) -> [u8; 2] {
    let number = number as u8;
    [b'0' + number / 10, b'0' + number % 10]
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// 9999-12-29, the last day that [`Timestamp::LAST`] leaves whole, counted from 1970-01-01.
const LAST_DAY: i64 = *RANGE_MS.end() / DAY_MS - 1;

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, exactly three decimals. `MIN` and `MAX` print as `-inf` and `+inf`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.write(&mut Rfc3339::default()) {
            return f.write_str(text);
        }
        match self.instant() {
            Some(instant) => write!(f, "{}", instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")),
            None if self.0 < 0 => f.write_str("-inf"),
            None => f.write_str("+inf"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

/// Reads a span: a whole number and one of `ms`, `s`, `m`, `h`, `d` (Sigma's timespan units, and milliseconds).
/// Returns milliseconds; None when the text is no span or the span does not fit.
pub fn parse_span_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_shapes_that_sources_write() {
        let at = Some(Timestamp::from_ms(1_788_220_800_123));
        for text in [
            "2026-09-01T00:00:00.123Z",
            "2026-09-01T02:00:00.1239+02:00",
            "2026-09-01 00:00:00.123000000",
            "1788220800123",
            "1788220800123456",
            "1788220800123456789",
        ] {
            assert_eq!(Timestamp::parse(text), at, "{text}");
        }
        for text in ["2026-09-01 00:00:00 UTC", "2026-09-01 02:00:00 +0200", "2026-09-01T00:00:00"] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_ms(1_788_220_800_000)), "{text}");
        }
        assert_eq!(Timestamp::from_epoch(1_788_220_800.0), Some(Timestamp::from_ms(1_788_220_800_000)));
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "1e400",
            "999999999999999999999",
            "-000001-06-01T00:00:00Z",
            "-62167219200.001",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_times_are_what_calendars_say() {
        let all = |text: &str| text.parse::<Instant>().ok().map(|instant| Timestamp(instant.as_millisecond()));
        for year in ["1970", "1971", "1999", "2000", "2024", "2026", "2100", "2400", "9998"] {
            for month in 0..=13 {
                for day in 0..=32 {
                    for clock in ["00:00:00Z", "23:59:59.9999Z", "07:08:09.1Z"] {
                        let text = format!("{year}-{month:02}-{day:02}T{clock}");
                        assert_eq!(parse_plain(text.as_bytes()), all(&text), "{text}");
                    }
                }
            }
        }
        for other in [
            "1969-12-31T23:59:59Z",
            "2026-09-01T24:00:00Z",
            "2026-09-01T00:60:00Z",
            "2026-09-01T00:00:60Z",
            "2026-09-01T00:00:00.Z",
            "2026-09-01T00:00:00.1234567890Z",
            "2026-09-01T00:00:00",
            "2026-09-01 00:00:00Z",
            "2026-09-01T00:00:00.1x3Z",
            "2026-09-01T00:00:0xZ",
        ] {
            assert_eq!(parse_plain(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_is_written_is_what_calendars_say() {
        let by_calendar = |time: Timestamp| {
            time.instant().map(|instant| instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
        };
        let mut ms = -3 * DAY_MS;
        while ms < Timestamp::LAST.ms() {
            for time in [ms, ms + DAY_MS - 1].map(Timestamp::from_ms) {
                let mut room = Rfc3339::default();
                let is_written = time.write(&mut room).is_some();
                assert_eq!(is_written, (0..=LAST_DAY).contains(&time.ms().div_euclid(DAY_MS)), "{}", time.ms());
                assert_eq!(time.to_string(), by_calendar(time), "{}", time.ms());
            }
            // Each day of years with and without a leap day, then days that fall everywhere.
            ms += if ms < 500 * 366 * DAY_MS { DAY_MS } else { 17 * DAY_MS + 12_345_678 };
        }
        assert_eq!(Timestamp::LAST.to_string(), by_calendar(Timestamp::LAST));
    }

    #[test]
    fn prints_exactly_three_decimals() {
        assert_eq!(Timestamp::from_ms(1_788_220_800_000).to_string(), "2026-09-01T00:00:00.000Z");
        assert_eq!(
            Timestamp::parse("0001-01-01T00:00:00Z").map(|t| t.to_string()).as_deref(),
            Some("0001-01-01T00:00:00.000Z")
        );
        assert_eq!(Timestamp::MAX.to_string(), "+inf");
    }

    #[test]
    fn spans_have_units() {
        assert_eq!(parse_span_ms("60s"), Some(60_000));
        assert_eq!(parse_span_ms("5m"), Some(300_000));
        for text in ["60", "5 m", "1M", "-1s", "h", "99999999999999999d"] {
            assert_eq!(parse_span_ms(text), None, "{text}");
        }
    }
}
