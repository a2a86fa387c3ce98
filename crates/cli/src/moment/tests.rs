//! What people may type.
#![allow(clippy::unwrap_used)]

use super::*;

fn parse(text: &str) -> Result<Moment, String> {
    parse_moment(text, &"2026-11-20T15:00:00+01:00[Europe/Berlin]".parse().unwrap())
}

fn ms(text: &str) -> Moment {
    Moment::Time(text.parse::<Timestamp>().unwrap().as_millisecond() as u64)
}

#[test]
fn times_are_local_unless_they_name_their_zone() {
    assert_eq!(parse("2026-11-20T14:32:07Z").unwrap(), ms("2026-11-20T14:32:07Z"));
    assert_eq!(parse("2026-11-20T14:32:07.123+05:30").unwrap(), ms("2026-11-20T09:02:07.123Z"));
    assert_eq!(parse("2026-11-20T14:32:07").unwrap(), ms("2026-11-20T13:32:07Z"));
    assert_eq!(parse("2026-11-20 14:32").unwrap(), ms("2026-11-20T13:32:00Z"));
    assert_eq!(parse("2026-07-01").unwrap(), ms("2026-06-30T22:00:00Z"));
    assert_eq!(parse("14:32").unwrap(), ms("2026-11-20T13:32:00Z"));
    assert_eq!(parse("14:32:07").unwrap(), ms("2026-11-20T13:32:07Z"));
}

#[test]
fn spans_ids_names_and_steps() {
    assert_eq!(parse("-90s").unwrap(), Moment::Ago(90_000));
    assert_eq!(parse("-10m").unwrap(), Moment::Ago(600_000));
    assert_eq!(parse("-1h30m").unwrap(), Moment::Ago(5_400_000));
    assert_eq!(parse("-2d").unwrap(), Moment::Ago(172_800_000));
    assert_eq!(parse("-1w").unwrap(), Moment::Ago(604_800_000));
    assert_eq!(parse("3FA9").unwrap(), Moment::Delta("3fa9".into()));
    assert_eq!(parse("2026").unwrap(), Moment::Delta("2026".into()));
    assert_eq!(parse("name:before the refactoring").unwrap(), Moment::Name("before the refactoring".into()));
    assert_eq!(parse("@0").unwrap(), Moment::Step(0));
    assert_eq!(parse("@259778").unwrap(), Moment::Step(259_778));
    assert_eq!(parse("now").unwrap(), Moment::Now);
}

#[test]
fn what_is_no_moment_gets_a_sentence() {
    let bad = [
        "",
        " ",
        "yesterday",
        "@",
        "@x",
        "@-1",
        "@+1",
        "@99999999999999999999",
        "-",
        "-10",
        "-m",
        "-10y",
        "-10m!",
        "name:",
        "abc",
        "25:00",
        "14:61",
        "2026-13-01",
        "2026-02-30",
        "2026-11-20T",
        "xyz1",
        "1969-01-01T00:00:00Z",
        "-99999999999999999999w",
        "-ä",
        "3fa9g",
    ];
    for text in bad {
        let sentence = parse(text).expect_err(text);
        assert!(sentence.ends_with('.') && sentence.len() > 10, "{sentence}");
    }
    assert!(parse(&"a".repeat(65)).is_err());
}
