use super::*;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap().unwrap()
}

#[test]
fn durations_are_read_as_go_reads_them() {
    const SECOND: i64 = 1_000_000_000;
    for (text, expected) in [
        ("0", Some(0)),
        ("+0", Some(0)),
        ("-0", Some(0)),
        ("0s", Some(0)),
        ("1s", Some(SECOND)),
        ("+1s", Some(SECOND)),
        ("-1m30s", Some(-90 * SECOND)),
        ("1.5h", Some(5_400 * SECOND)),
        (".5s", Some(SECOND / 2)),
        ("1.s", Some(SECOND)),
        ("1h2m3s4ms5us6ns", Some(3_723_004_005_006)),
        ("1s1h", Some(3_601 * SECOND)),
        ("1\u{b5}s", Some(1_000)),
        ("1\u{3bc}s", Some(1_000)),
        ("0.9ns", Some(0)),
        ("9223372036854775807ns", Some(i64::MAX)),
        ("2562047h47m16.854775807s", Some(i64::MAX)),
        ("-9223372036854775808ns", Some(i64::MIN)),
        ("9223372036854775808ns", None),
        ("-9223372036854775809ns", None),
        ("2562048h", None),
        ("", None),
        ("-", None),
        ("1", None),
        (".", None),
        (".s", None),
        ("s", None),
        ("1d", None),
        ("1S", None),
        (" 1s", None),
        ("1s ", None),
        ("1h-1m", None),
        ("--1s", None),
        ("1e3s", None),
    ] {
        assert_eq!(parse_duration(text), expected, "{text:?}");
    }
}

#[test]
fn durations_are_written_as_go_writes_them() {
    for (nanos, expected) in [
        (0, "0s"),
        (1, "1ns"),
        (-1, "-1ns"),
        (999, "999ns"),
        (1_000, "1\u{b5}s"),
        (1_100, "1.1\u{b5}s"),
        (999_999, "999.999\u{b5}s"),
        (1_000_000, "1ms"),
        (2_200_000, "2.2ms"),
        (1_000_000_000, "1s"),
        (3_300_000_000, "3.3s"),
        (60_000_000_000, "1m0s"),
        (245_001_000_000, "4m5.001s"),
        (3_600_000_000_000, "1h0m0s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (480_000_000_001, "8m0.000000001s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ] {
        assert_eq!(go_duration(nanos), expected, "{nanos}");
    }
}

#[test]
fn timestamps_are_read_as_go_reads_them() {
    for (text, expected) in [
        ("2023-01-02T03:04:05Z", "2023-01-02T03:04:05Z"),
        // An hour of one digit, and a comma before the fraction.
        ("2023-01-02T3:04:05Z", "2023-01-02T03:04:05Z"),
        ("2023-01-02T03:04:05,5Z", "2023-01-02T03:04:05.5Z"),
        ("2023-01-02T03:04:05.000Z", "2023-01-02T03:04:05Z"),
        ("2023-01-02T03:04:05.123456789987Z", "2023-01-02T03:04:05.123456789Z"),
        ("2023-01-02T03:04:05+00:00", "2023-01-02T03:04:05Z"),
        ("2023-01-02T03:04:05+07:30", "2023-01-02T03:04:05+07:30"),
        ("2023-01-02T03:04:05-00:30", "2023-01-02T03:04:05-00:30"),
        ("2023-01-02T03:04:05+24:00", "2023-01-02T03:04:05+24:00"),
        ("2023-01-02T03:04:05+00:60", "2023-01-02T03:04:05+01:00"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0000-12-31T23:59:59-00:01", "0000-12-31T23:59:59-00:01"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ("9999-12-31T23:59:59+00:01", "9999-12-31T23:59:59+00:01"),
    ] {
        assert_eq!(time(text).rfc3339(), expected, "{text}");
    }
}

#[test]
fn what_is_no_rfc_3339_is_no_timestamp() {
    for text in [
        "",
        "2023-01-02",
        "2023-01-02T03:04:05",
        "2023-01-02 03:04:05Z",
        "2023-01-02t03:04:05Z",
        "2023-01-02T03:04:05z",
        "2023-01-02T03:04Z",
        "2023-01-02T03:4:05Z",
        "2023-1-02T03:04:05Z",
        "2023-01-02T03:04:05.Z",
        "2023-01-02T24:00:00Z",
        "2023-01-02T03:60:05Z",
        "2023-01-02T03:04:60Z",
        "2023-00-02T03:04:05Z",
        "2023-13-02T03:04:05Z",
        "2023-01-00T03:04:05Z",
        "2023-04-31T03:04:05Z",
        "2023-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2023-01-02T03:04:05+0730",
        "2023-01-02T03:04:05+7:30",
        "2023-01-02T03:04:05+25:00",
        "2023-01-02T03:04:05+00:61",
        "2023-01-02T03:04:05Z ",
        "10000-01-01T00:00:00Z",
        "+2023-01-02T03:04:05Z",
    ] {
        assert_eq!(Timestamp::parse(text), Ok(None), "{text:?}");
    }
}

#[test]
fn beyond_the_years_1_to_9999_a_timestamp_overflows() {
    for text in ["0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
        assert_eq!(Timestamp::parse(text), Err(overflow()), "{text}");
    }
    assert!(time("0001-01-01T00:00:00Z").is_zero());
    assert_eq!(time("0001-01-01T00:00:00Z").plus(-1), Err(overflow()));
    assert_eq!(time("9999-12-31T23:59:59.999999999Z").plus(1), Err(overflow()));
    assert_eq!(Timestamp::from_seconds(253_402_300_800), Err(overflow()));
    assert_eq!(Timestamp::from_seconds(-62_135_596_801), Err(overflow()));
}

#[test]
fn timestamps_are_one_point_whatever_their_offset() {
    assert_eq!(time("2023-01-02T03:04:05+07:30"), time("2023-01-01T19:34:05Z"));
    let (last, first) = (time("9999-12-31T23:59:59Z"), time("0001-01-01T00:00:00Z"));
    assert_eq!(last.since(first), Err(Fault::error("integer overflow")));
    assert_eq!(
        time("1970-01-01T00:00:00Z").since(time("1970-01-01T00:00:00.5Z")),
        Ok(-500_000_000)
    );
}

#[test]
fn error_texts_have_a_timestamp_as_go_prints_it() {
    assert_eq!(time("2023-01-02T03:04:05.5Z").go_string(), "2023-01-02 03:04:05.5 +0000 UTC");
    let zoned = time("2023-01-02T03:04:05-07:30");
    assert_eq!(zoned.go_string(), "2023-01-02 03:04:05 -0730 -0730");
}

#[test]
fn a_calendar_is_that_of_the_zone() {
    let hours = |zone| time("2023-07-01T12:00:00Z").calendar(zone).map(|calendar| calendar.hours);
    for (zone, expected) in [
        ("", 12),
        ("UTC", 12),
        ("Local", 12),
        ("02:00", 14),
        ("+02:00", 14),
        ("-02:30", 9),
        ("America/New_York", 8),
    ] {
        assert_eq!(hours(zone), Ok(expected), "{zone:?}");
    }
    for (zone, why) in [
        ("america/new_york", "unknown time zone america/new_york"),
        ("../UTC", "time: invalid location name"),
        ("/UTC", "time: invalid location name"),
        ("a:00", r#"strconv.Atoi: parsing "a": invalid syntax"#),
        ("1:", r#"strconv.Atoi: parsing "": invalid syntax"#),
        (
            "1:99999999999999999999",
            "strconv.Atoi: parsing \"99999999999999999999\": value out of range",
        ),
    ] {
        assert_eq!(hours(zone), Err(Fault::error(why)), "{zone:?}");
    }
}

#[test]
fn a_zone_can_move_a_moment_out_of_the_years_1_to_9999() {
    let last = time("9999-12-31T23:59:59Z").calendar("14:00").unwrap();
    assert_eq!((last.year, last.month, last.day, last.day_of_year), (10_000, 1, 1, 1));
    let first = time("0001-01-01T00:00:00Z").calendar("-00:01").unwrap();
    assert_eq!((first.year, first.month, first.day, first.day_of_year), (0, 12, 31, 366));
}
