//! What these tests stand on does what it says.

use serde_json::{Value, json};

use super::corpus::additions;
use super::corpus::numbers::{MARK, mark, restore};

#[test]
fn a_number_keeps_its_text_and_a_string_with_digits_is_none() {
    let text = r#"{"1\"2":[-0.10,1e3,"7\\",12345678901234567890],"a":null}"#;
    let marked = mark(text);
    assert_eq!(marked["1\"2"][1], format!("{MARK}1e3"));
    assert_eq!(restore(&marked), text);
}

#[test]
fn additions_are_told_and_all_else_is_an_error() {
    let old: Value = json!({"a": [{"name": "x"}, {"name": "z"}], "b": null, "c": 1});
    let mut new = old.clone();
    new["a"] = json!([{"name": "x", "more": 1}, {"name": "y"}, {"name": "z"}]);
    new["b"] = json!({"d": []});
    let added = additions(&old, &new).unwrap();
    let paths: Vec<&str> = added.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a[x].more", "a[y]"]);
    for (path, value) in [("a", json!([{"name": "z"}, {"name": "x"}])), ("c", 2.into())] {
        let mut changed = old.clone();
        changed[path] = value;
        assert!(additions(&old, &changed).is_err());
    }
}
