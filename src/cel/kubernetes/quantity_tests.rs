use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

#[test]
fn quantities_display_in_canonical_form() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("1000", "1k"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("0.5Ki", "512"),
        ("0.0001Ki", "102400u"),
        ("12e5", "1200e3"),
        ("1234567890123456789012e-3", "1234567890123456789012e-3"),
        ("100000000000000000000", "100E"),
        ("1000000000000000000000000", "1"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("1.0000000001", "1000000001n"),
        ("9Ei", "9223372036854775807"),
        ("-9Ei", "-9223372036854775807"),
        ("7Ei", "7Ei"),
        ("e3", "0"),
        ("Ki", "0"),
        ("+", "0"),
        (".", "0"),
        ("1000e4294967299", "1e6"),
    ] {
        assert_eq!(quantity(text).to_string(), expected, "{text}");
    }
}

#[test]
fn text_that_is_taken_for_canonical_is_shown_as_given() {
    for text in ["+5", "5.", "1.500", "0005", "1E3", "17Ki", "1001Ki", "123e3"] {
        assert_eq!(quantity(text).to_string(), text);
    }
}

#[test]
fn what_is_no_quantity_is_refused_in_the_api_servers_words() {
    let wrong = "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    let suffix = "unable to parse quantity's suffix";
    for (text, reason) in [
        ("", wrong),
        ("1 ", wrong),
        ("1,3G", wrong),
        ("Three", wrong),
        ("é", wrong),
        ("1K", suffix),
        ("1ki", suffix),
        ("1e", suffix),
        ("1+3", suffix),
        ("1e9223372036854775808", suffix),
        ("e-10", "unable to parse numeric part of quantity"),
        ("-.e-10", "unable to parse numeric part of quantity"),
    ] {
        assert_eq!(Quantity::parse(text).unwrap_err().to_string(), reason, "{text}");
    }
}

#[test]
fn only_the_fast_form_is_an_integer() {
    for (text, integer) in [
        ("50k", Some(50_000)),
        ("-2Ki", Some(-2048)),
        ("1e18", Some(1_000_000_000_000_000_000)),
        ("1e19", None),
        ("1.0", None),
        ("1.5Gi", None),
        ("1024Gi", Some(1 << 40)),
        ("1Pi", None),
        ("9999999999999999999", None),
    ] {
        assert_eq!(quantity(text).as_integer().ok(), integer, "{text}");
        assert_eq!(quantity(text).is_integer(), integer.is_some());
    }
    let error = quantity("1.5").as_integer().unwrap_err();
    assert_eq!(error.to_string(), "cannot convert value to integer");
}

#[test]
fn the_float_is_the_product_of_mantissa_and_power() {
    for (text, bits) in [
        ("50k", 50_000.0_f64.to_bits()),
        ("0.1", 0.1_f64.to_bits()),
        ("123456789n", 0x3fbf_9add_3739_6360),
        ("1e300", 0x7e37_e43c_8800_759c),
        ("1e309", f64::INFINITY.to_bits()),
        ("-1e400", f64::NEG_INFINITY.to_bits()),
        ("1.5Gi", 1_610_612_736.0_f64.to_bits()),
    ] {
        assert_eq!(quantity(text).as_approximate_float().to_bits(), bits, "{text}");
    }
    assert!(quantity("0e400").as_approximate_float().is_nan());
}

#[test]
fn arithmetic_is_exact_and_keeps_the_notation() {
    let add = |left, right| quantity(left).add(&quantity(right)).unwrap().to_string();
    let sub = |left, right| quantity(left).sub(&quantity(right)).unwrap().to_string();
    assert_eq!(add("50k", "20k"), "70k");
    assert_eq!(add("1Mi", "1M"), "2048576");
    assert_eq!(add("1Mi", "1Mi"), "2Mi");
    assert_eq!(add("0", "1Gi"), "1Gi");
    assert_eq!(sub("0", "1Gi"), "-1Gi");
    assert_eq!(add("1e30", "1n"), "1000000000000000000000000000000000000001e-9");
    assert_eq!(sub("1e20", "1"), "99999999999999999999");
    assert_eq!(sub("1.5Gi", "1.5Gi"), "0");
    assert_eq!(add("9223372036854775807", "1"), "9223372036854775808");
    assert_eq!(quantity("50k").add_integer(20).unwrap().to_string(), "50020");
    assert_eq!(quantity("50k").sub_integer(-20).unwrap().to_string(), "50020");
    assert_eq!(quantity("1").sub_integer(i64::MIN).unwrap().to_string(), "-9223372036854775807");
    let least = quantity("-1Ki").add_integer(-9_223_372_036_854_774_784).unwrap();
    assert_eq!(least.to_string(), "-9223372036854775808");
}

#[test]
fn quantities_compare_by_number() {
    for (left, right, ordering) in [
        ("200M", "0.2G", Ordering::Equal),
        ("50M", "50Mi", Ordering::Less),
        ("-1e100", "-1e99", Ordering::Less),
        ("1e2147483647", "1n", Ordering::Greater),
        ("1.5Gi", "1536Mi", Ordering::Equal),
        ("0", "-1n", Ordering::Greater),
        ("0e400", "0.0e-400", Ordering::Equal),
    ] {
        assert_eq!(quantity(left).compare(&quantity(right)), ordering, "{left} {right}");
        assert_eq!(quantity(left).equals(&quantity(right)), Some(ordering.is_eq()));
    }
    assert_eq!(["-1m", "0e9", "2Ki"].map(|text| quantity(text).sign()), [-1, 0, 1]);
}

#[test]
fn a_computed_quantity_equals_others_only_from_the_left() {
    let (seventy, sum) = (quantity("70k"), quantity("50k").add(&quantity("20k")).unwrap());
    assert_eq!(sum.equals(&seventy), Some(true));
    assert_eq!(seventy.equals(&sum), None);
    assert_eq!(sum.equals(&sum), None);
}

#[test]
fn a_sum_with_a_decimal_changes_the_decimal() {
    let (left, right) = (quantity("1.5Gi"), quantity("1Gi"));
    let sum = left.add(&right).unwrap();
    assert_eq!((sum.to_string(), left.to_string()), ("2560Mi".to_owned(), "2560Mi".to_owned()));
    assert_eq!(right.to_string(), "1Gi");
    sum.sub(&right).unwrap();
    assert_eq!(left.to_string(), "1536Mi");
    left.add(&left).unwrap();
    assert_eq!(sum.to_string(), "3Gi");
}

#[test]
fn a_sum_of_fast_forms_changes_neither() {
    let left = quantity("1500M");
    left.add(&quantity("1G")).unwrap();
    left.add(&quantity("1.5Gi")).unwrap();
    assert_eq!(left.as_integer(), Ok(1_500_000_000));
}

#[test]
fn a_comparison_with_a_decimal_makes_the_receiver_one() {
    let (left, right) = (quantity("5"), quantity("1.5Gi"));
    assert_eq!(left.equals(&right), Some(false));
    assert_eq!(right.compare(&left), Ordering::Greater);
    assert!(left.is_integer());
    assert_eq!(left.compare(&right), Ordering::Less);
    assert!(!left.is_integer());
}

#[test]
fn a_sum_of_too_many_digits_is_refused_and_changes_nothing() {
    let large = quantity("123456789012345678901e2000000");
    assert_eq!(large.add_integer(1).unwrap_err(), QuantityError::TooLong);
    assert_eq!(large.to_string(), "12345678901234567890100e1999998");
    assert_eq!(large.compare(&quantity("1")), Ordering::Greater);
}

#[test]
fn numbers_of_a_million_digits_are_quick() {
    let start = std::time::Instant::now();
    let large = quantity(&"9".repeat(1_000_000));
    assert_eq!(large.to_string().len(), 1_000_000);
    assert_eq!(large.as_approximate_float(), f64::INFINITY);
    assert_eq!(quantity(&format!("0.{}1", "0".repeat(1_000_000))).to_string(), "1n");
    assert_eq!(quantity("123456789012345678901e-2147483647").to_string(), "1e-9");
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn quantities_compare_as_numbers_in_whatever_notation() {
    assert_eq!(compare_quantities("1000m", "1"), Some(Ordering::Equal));
    assert_eq!(compare_quantities("1Gi", "1G"), Some(Ordering::Greater));
    assert_eq!(compare_quantities("0.5", "501m"), Some(Ordering::Less));
    assert_eq!(compare_quantities("1", "one"), None);
}

#[test]
fn a_whole_quantity_is_one_in_whatever_notation() {
    for (text, whole) in
        [("1", true), ("2k", true), ("1000m", true), ("1Gi", true), ("0.5", false), ("500m", false)]
    {
        assert_eq!(is_whole_quantity(text), Some(whole), "{text}");
    }
    assert_eq!(is_whole_quantity("much"), None);
}
