use super::*;

fn answer(version: Result<Version, ParseError>) -> String {
    match version {
        Ok(version) => version.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn versions_parse_strictly() {
    for (text, expected) in [
        ("1.2.3", "1.2.3"),
        ("1.2.3-rc.1.--+build.05", "1.2.3-rc.1.--+build.05"),
        ("1.2.3-a+b-c", "1.2.3-a+b-c"),
        ("", "Version string empty"),
        ("1.2", "No Major.Minor.Patch elements found"),
        ("v1.2.3", "Invalid character(s) found in major number \"v1\""),
        ("1.é.3", "Invalid character(s) found in minor number \"é\""),
        ("1.2.3.4", "Invalid character(s) found in patch number \"3.4\""),
        ("01.2.3", "Major number must not contain leading zeroes \"01\""),
        ("1.02.3", "Minor number must not contain leading zeroes \"02\""),
        ("1.2.03", "Patch number must not contain leading zeroes \"03\""),
        ("1..3", "strconv.ParseUint: parsing \"\": invalid syntax"),
        (
            "18446744073709551616.0.0",
            "strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
        ),
        ("1.2.3-", "Prerelease is empty"),
        ("1.2.3-01", "Numeric PreRelease version must not contain leading zeroes \"01\""),
        ("1.2.3-a_b", "Invalid character(s) found in prerelease \"a_b\""),
        (
            "1.2.3-18446744073709551616",
            "strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
        ),
        ("1.2.3+", "Build meta data is empty"),
        ("1.2.3+a+b", "Invalid character(s) found in build meta data \"a+b\""),
    ] {
        assert_eq!(answer(Version::parse(text)), expected);
    }
}

#[test]
fn versions_can_be_normalized() {
    for (text, expected) in [
        ("v1", "1.0.0"),
        ("01.2", "1.2.0"),
        ("v00.001.000-rc", "0.1.0-rc"),
        ("1.2.00a", "Invalid character(s) found in patch number \"0a\""),
        ("vv1", "Invalid character(s) found in major number \"0v1\""),
        ("1.2-rc", "short version cannot contain PreRelease/Build meta data"),
        ("", "strconv.ParseUint: parsing \"\": invalid syntax"),
    ] {
        assert_eq!(answer(Version::parse_normalized(text)), expected);
    }
}

#[test]
fn precedence_is_that_of_the_specification() {
    let ascending = [
        "0.9.9",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-11",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1-a",
        "1.10.0",
        "2.0.0",
    ];
    let versions: Vec<Version> =
        ascending.iter().map(|text| Version::parse(text).unwrap()).collect();
    for (i, left) in versions.iter().enumerate() {
        for (j, right) in versions.iter().enumerate() {
            assert_eq!(left.cmp(right), i.cmp(&j), "{left} {right}");
        }
    }
}

#[test]
fn build_metadata_does_not_distinguish_versions() {
    assert_eq!(Version::parse("1.0.0+a").unwrap(), Version::parse("1.0.0+b").unwrap());
}

#[test]
fn numbers_beyond_63_bits_wrap() {
    let version = Version::parse("18446744073709551615.9223372036854775808.7").unwrap();
    assert_eq!((version.major(), version.minor(), version.patch()), (-1, i64::MIN, 7));
}
