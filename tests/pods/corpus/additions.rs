//! What one JSON value has that another has not, where all of the other is still in it.

use serde_json::{Map, Value};

/// What was added, each with its path; elements of lists are named by their names. Nothing counts
/// as an addition but what is in the place of nothing: where anything was changed, taken away or put
/// into another order, that is an error.
pub fn additions(old: &Value, new: &Value) -> Result<Vec<(String, Value)>, String> {
    let mut added = Vec::new();
    compare("", old, new, &mut added)?;
    Ok(added)
}

fn compare(
    path: &str,
    old: &Value,
    new: &Value,
    added: &mut Vec<(String, Value)>,
) -> Result<(), String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => members(path, old, new, added),
        (Value::Array(old), Value::Array(new)) => elements(path, old, new, added),
        // What is null is not there, for Kubernetes.
        (Value::Null, Value::Object(new)) => members(path, &Map::new(), new, added),
        (Value::Null, Value::Array(new)) => elements(path, &[], new, added),
        (Value::Null, new) if !new.is_null() => {
            added.push((path.to_owned(), new.clone()));
            Ok(())
        }
        _ if old == new => Ok(()),
        _ => Err(format!("{path} was {old}, and is {new}")),
    }
}

fn members(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    added: &mut Vec<(String, Value)>,
) -> Result<(), String> {
    if let Some(gone) = old.keys().find(|key| !new.contains_key(*key)) {
        return Err(format!("{path}.{gone} is gone"));
    }
    for (key, value) in new {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match old.get(key) {
            Some(old) => compare(&path, old, value, added)?,
            // Of what was not there at all, the parts are the additions.
            None => compare(&path, &Value::Null, value, added)?,
        }
    }
    Ok(())
}

/// Each of the old ones is found in one of the new ones, in the same order.
fn elements(
    path: &str,
    old: &[Value],
    new: &[Value],
    added: &mut Vec<(String, Value)>,
) -> Result<(), String> {
    let mut rest = old.iter();
    let mut next = rest.next();
    let mut hindrance = None;
    for value in new {
        let path = format!("{path}[{}]", name(value));
        if let Some(old) = next {
            let mut within = Vec::new();
            match compare(&path, old, value, &mut within) {
                Ok(()) => {
                    added.append(&mut within);
                    next = rest.next();
                    continue;
                }
                Err(why) => hindrance = hindrance.or(Some(why)),
            }
        }
        added.push((path, value.clone()));
    }
    match next {
        None => Ok(()),
        Some(gone) => {
            let why = hindrance.unwrap_or_default();
            Err(format!("{path}[{}] is gone, or was changed: {why}", name(gone)))
        }
    }
}

/// By what an element of a list is known.
fn name(value: &Value) -> &str {
    let key = ["mountPath", "name"].into_iter().find_map(|key| value.get(key)?.as_str());
    key.unwrap_or_default()
}
