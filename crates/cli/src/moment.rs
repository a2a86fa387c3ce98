//! The words for moments: `2026-11-20T14:32:07Z`, `2026-11-20 14:32`, `14:32`, `-10m`, `3fa9`, `name:…`, `@12`.

use codesync_api::Moment;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, Zoned};

/// Fewer digits of an id name too much.
const ID_DIGITS_MIN: usize = 4;
const ID_DIGITS_MAX: usize = 64;

/// What a person means, or a sentence that says why it means nothing.
pub fn parse_moment(text: &str, now: &Zoned) -> Result<Moment, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(Moment::Now);
    }
    if let Some(name) = text.strip_prefix("name:") {
        return if name.is_empty() {
            Err("A name is needed after “name:”.".into())
        } else {
            Ok(Moment::Name(name.into()))
        };
    }
    if let Some(digits) = text.strip_prefix('@') {
        let step = digits.parse().ok().filter(|_| is_digits(digits));
        return step.map(Moment::Step).ok_or_else(|| format!("“{text}” is no step: write @ and a number, as in @12."));
    }
    if let Some(span) = text.strip_prefix('-') {
        return ago(span)
            .map(Moment::Ago)
            .ok_or_else(|| format!("“{text}” is no time span: write a number and s, m, h, d or w, as in -10m."));
    }
    if let Some(instant) = instant(text, now) {
        let at_ms = u64::try_from(instant.as_millisecond());
        return at_ms.map(Moment::Time).map_err(|_| format!("“{text}” lies before 1970."));
    }
    let is_id = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        ID_DIGITS_MIN..=ID_DIGITS_MAX if is_id => Ok(Moment::Delta(text.to_ascii_lowercase())),
        1..ID_DIGITS_MIN if is_id => {
            Err(format!("“{text}” is too short for an id: give at least {ID_DIGITS_MIN} digits."))
        }
        _ => Err(format!(
            "“{text}” is no moment: write a time (14:32, 2026-11-20T14:32:07Z), -10m, an id, name:… or @N."
        )),
    }
}

/// `10m`, `1h30m`: milliseconds.
fn ago(span: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = span;
    while !rest.is_empty() {
        let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = rest.split_at(n_digits);
        let unit = after.chars().next()?;
        let unit_ms: u64 = match unit {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            'w' => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit_ms)?)?;
        rest = &after[unit.len_utf8()..];
    }
    (!span.is_empty()).then_some(total)
}

/// A time with its zone, or local.
fn instant(text: &str, now: &Zoned) -> Option<Timestamp> {
    if !text.contains([':', '-']) {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil = if let Ok(time) = text.parse::<Time>() {
        now.date().to_datetime(time)
    } else if text.contains(':') {
        text.parse::<DateTime>().ok()?
    } else {
        text.parse::<Date>().ok()?.to_datetime(Time::midnight())
    };
    Some(civil.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
