//! What is read, changed in place, and written again.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

#[test]
fn numbers_are_ints_where_they_fit_and_doubles_elsewhere() {
    let json = Json::parse("[1, -9223372036854775808, 9223372036854775808, 1.0, 1e3]").unwrap();
    assert_eq!(
        json,
        Json::List(vec![
            Json::Int(1),
            Json::Int(i64::MIN),
            Json::Double(9223372036854775808.0),
            Json::Double(1.0),
            Json::Double(1000.0),
        ])
    );
}

#[test]
fn of_a_member_that_is_there_twice_the_last_counts_in_small_and_in_large_objects() {
    for others in [0, 40] {
        let rest: String = (0..others).map(|n| format!(", \"k{n}\": {n}")).collect();
        let text = format!("{{\"a\": 1{rest}, \"a\": 2}}");
        let json = Json::parse(&text).unwrap();
        assert_eq!(json.get("a"), Some(&Json::Int(2)), "{text}");
        let Json::Map(object) = &json else { panic!("not an object") };
        assert_eq!(object.len(), others + 1, "{text}");
        assert_eq!(object.iter().filter(|(name, _)| *name == "a").count(), 1, "{text}");
    }
}

#[test]
fn objects_are_equal_in_any_order() {
    let equal = |a, b| Json::parse(a).unwrap() == Json::parse(b).unwrap();
    assert!(equal(r#"{"a": 1, "b": [2]}"#, r#"{"b": [2], "a": 1}"#));
    assert!(!equal(r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "c": 2}"#));
    assert!(equal(r#"{"a": 0, "b": 1, "a": 2, "a": 3}"#, r#"{"b": 1, "a": 3}"#));
}

#[test]
fn text_without_escapes_is_borrowed() {
    let Json::List(list) = Json::parse(r#"["plain", "esc\u0061ped"]"#).unwrap() else {
        panic!("not a list")
    };
    assert!(matches!(&list[0], Json::String(Cow::Borrowed("plain"))));
    assert!(matches!(&list[1], Json::String(Cow::Owned(text)) if text == "escaped"));
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    let text = "[".repeat(100_000);
    assert!(Json::parse(&text).is_err());
}

#[test]
fn what_is_written_is_what_was_read() {
    let text = r#"{"b":[null,true,-7,0.5,"a\"b"],"a":{},"c":{"z":1.0,"y":"é"}}"#;
    let json = Json::parse(text).unwrap();
    assert_eq!(serde_json::to_string(&json).unwrap(), text);
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::Value::from(&json), value);
    assert_eq!(Json::from(&value), json);
}

#[test]
fn a_member_is_changed_where_it_is() {
    let mut json = Json::parse(r#"{"metadata": {"labels": {"app": "a"}}}"#).unwrap();
    let labels = json.get_mut("metadata").and_then(|metadata| metadata.get_mut("labels")).unwrap();
    *labels.get_mut("app").unwrap() = Json::String("b".into());
    let Json::Map(labels) = labels else { panic!("not an object") };
    assert_eq!(labels.insert("tier".into(), Json::Int(1)), None);
    let written = serde_json::to_string(&json).unwrap();
    assert_eq!(written, r#"{"metadata":{"labels":{"app":"b","tier":1}}}"#);
    assert_eq!(Json::Int(1).get_mut("a"), None);
}

/// A change to an object.
#[derive(Clone, Debug)]
enum Change {
    Insert(String, i64),
    Remove(String),
    Replace(String, i64),
}

/// Changes to so few keys that they meet, and so many that an object grows past the size at which
/// it is sorted, and shrinks below it.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = || (0..30_u8).prop_map(|number| format!("k{number}"));
    let change = prop_oneof![
        3 => (key(), any::<i64>()).prop_map(|(key, value)| Change::Insert(key, value)),
        2 => key().prop_map(Change::Remove),
        1 => (key(), any::<i64>()).prop_map(|(key, value)| Change::Replace(key, value)),
    ];
    proptest::collection::vec(change, 0..200)
}

proptest! {
    #[test]
    fn an_object_that_is_changed_has_the_members_of_a_map_that_is_changed_alike(
        start in proptest::collection::vec((0..30_u8, any::<i64>()), 0..30),
        changes in changes(),
    ) {
        let start = start.into_iter().map(|(number, value)| (format!("k{number}"), value));
        let mut map: BTreeMap<String, i64> = start.clone().collect();
        let mut object: Object<'_> =
            start.map(|(key, value)| (key.into(), Json::Int(value))).collect();
        for change in changes {
            match change {
                Change::Insert(key, value) => {
                    let old = map.insert(key.clone(), value).map(Json::Int);
                    prop_assert_eq!(object.insert(key.into(), Json::Int(value)), old);
                }
                Change::Remove(key) => {
                    prop_assert_eq!(object.remove(&key), map.remove(&key).map(Json::Int));
                }
                Change::Replace(key, value) => {
                    let (place, expected) = (object.get_mut(&key), map.get_mut(&key));
                    prop_assert_eq!(place.is_some(), expected.is_some());
                    if let (Some(place), Some(expected)) = (place, expected) {
                        *place = Json::Int(value);
                        *expected = value;
                    }
                }
            }
            prop_assert_eq!(object.len(), map.len());
            for (key, value) in &map {
                prop_assert_eq!(object.get(key), Some(&Json::Int(*value)));
            }
            for (key, _) in object.iter() {
                prop_assert!(map.contains_key(key), "{}", key);
            }
        }
    }
}
