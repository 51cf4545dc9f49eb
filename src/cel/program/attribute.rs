//! Names and paths into their values; cel-go's attributes (`interpreter/attributes.go`).

use super::evaluate::{Machine, Outcome};
use super::{Attribute, Plan, Qualifier, QualifierKey, Root, Slot};
use crate::cel::error::Fault;
use crate::cel::scope::Input;
use crate::cel::value::compare::double_to_int;
use crate::cel::value::display::go_value;
use crate::cel::value::{Json, Kubernetes, List, Map, Object, Text, Value, no_such_key};

impl<'a> Machine<'a, '_> {
    pub(super) fn attribute(&mut self, attribute: &'a Attribute) -> Outcome<'a> {
        let value = self.resolve(attribute);
        if !matches!(attribute.root, Root::Conditional(_)) {
            self.meter.charge(1)?;
        }
        value
    }

    /// A step that is a branch of `?:`, or an index: a name costs nothing more there.
    fn branch(&mut self, plan: &'a Plan) -> Outcome<'a> {
        match plan {
            Plan::Attribute(attribute) => self.resolve(attribute),
            // As a branch, `has` of a path that is optional gives an optional.
            Plan::Has(attribute, field) if attribute.path.iter().any(|q| q.optional) => {
                Ok(match self.has(attribute, field)? {
                    Value::Bool(true) => Value::some(Value::Bool(true)),
                    _ => Value::Optional(None),
                })
            }
            other => Ok(read_again(self.evaluate(other)?)),
        }
    }

    fn resolve(&mut self, attribute: &'a Attribute) -> Outcome<'a> {
        let root = self.root(&attribute.root)?;
        if attribute.path.is_empty() {
            return Ok(root);
        }
        let mut is_optional = false;
        let value = self.follow(root, attribute, &mut is_optional)?;
        Ok(match value {
            Some(Value::Kubernetes(lost @ Kubernetes::Lost(_))) => return Err(lost.error()),
            Some(value) if is_optional => Value::some(value),
            Some(value) => value,
            None => Value::Optional(None),
        })
    }

    fn root(&mut self, root: &'a Root) -> Outcome<'a> {
        match root {
            Root::Input(input) => Ok(Value::from(match input {
                Input::Object => self.inputs.object,
                Input::OldObject => self.inputs.old_object,
                Input::Request => self.inputs.request,
                Input::NamespaceObject => self.inputs.namespace_object,
            })),
            Root::Variable(index) => {
                self.meter.charge(1)?;
                self.variables.get(*index, self.meter)
            }
            Root::Slot(slot) => {
                let (value, cost) = match self.slots.get(*slot) {
                    Some(Slot::Value(value)) => return Ok(read_again(value.found()?)),
                    Some(Slot::Unpaid(value, cost)) => (value.clone(), *cost),
                    Some(Slot::Empty) | None => return Err(Fault::no_such_overload()),
                };
                self.meter.charge(cost)?;
                self.set(*slot, Slot::Value(value.clone()));
                Ok(read_again(value.found()?))
            }
            Root::Plan(plan) => self.evaluate(plan),
            Root::Conditional(parts) => {
                let (condition, yes, no) = &**parts;
                match self.evaluate(condition)? {
                    Value::Bool(true) => self.branch(yes),
                    Value::Bool(false) => self.branch(no),
                    _ => Err(Fault::no_such_overload()),
                }
            }
        }
    }

    /// The value at the end of a path, `None` where an optional part of it is absent; and whether
    /// any part was optional.
    fn follow(
        &mut self,
        root: Value<'a>,
        attribute: &'a Attribute,
        is_optional: &mut bool,
    ) -> Result<Option<Value<'a>>, Fault> {
        let mut value = root;
        let mut path = attribute.path.as_slice();
        match (&value, &attribute.root) {
            (Value::Map(Map::Json(object)), _) => {
                let object: &'a Object<'a> = object;
                value = self.descend(object, &mut path)?;
            }
            // There the path begins at `variables`, and an optional within a path is no more than
            // a value that has nothing in it.
            (_, Root::Variable(_)) => {}
            (Value::Optional(inner), _) => {
                *is_optional = true;
                match inner {
                    Some(inner) => value = inner.found()?,
                    None => return Ok(None),
                }
            }
            _ => {}
        }
        for qualifier in path {
            *is_optional |= qualifier.optional;
            let next = match &qualifier.key {
                QualifierKey::Field(field) => match &value {
                    Value::Map(map) => Ok(map.get_str(field)),
                    other => at(other, &Value::String(Text::Borrowed(field)), *is_optional),
                },
                QualifierKey::Constant(key) => at(&value, &key.borrowed(), *is_optional),
                QualifierKey::Computed(plan) => {
                    let key = self.branch(plan)?;
                    if !is_qualifier(&key) {
                        let is_made = matches!(attribute.root, Root::Plan(_));
                        let name = if is_made { key.go_type() } else { go_native_type(&key) };
                        Err(Fault::error(format!("invalid qualifier type: {name}")))
                    } else {
                        match at(&value, &key, *is_optional) {
                            Ok(None) if !*is_optional => Err(no_such_key(&key)),
                            found => found,
                        }
                    }
                }
            };
            if next.is_err() && !*is_optional {
                self.meter.charge(1)?;
            }
            match next? {
                Some(next) => {
                    self.meter.charge(1)?;
                    value = next;
                }
                None if *is_optional => return Ok(None),
                None => {
                    self.pay_for_missing(qualifier)?;
                    return Err(match &qualifier.key {
                        QualifierKey::Field(field) => Fault::error(format!("no such key: {field}")),
                        QualifierKey::Constant(key) => no_such_key(key),
                        QualifierKey::Computed(_) => Fault::no_such_overload(),
                    });
                }
            }
        }
        Ok(Some(value))
    }

    /// Goes as far as plain names lead through objects of the request: most paths are that alone,
    /// and nothing on the way needs to be made a value. What is left of the path stays in it.
    fn descend(&mut self, mut object: &'a Object<'a>, path: &mut &'a [Qualifier]) -> Outcome<'a> {
        while let [
            qualifier @ Qualifier { optional: false, key: QualifierKey::Field(field), .. },
            rest @ ..,
        ] = path
        {
            *path = rest;
            let Some(next) = object.get(field) else {
                self.pay_for_missing(qualifier)?;
                return Err(Fault::error(format!("no such key: {field}")));
            };
            self.meter.charge(1)?;
            match next {
                Json::Map(inner) => object = inner,
                other => return Ok(Value::from(other)),
            }
        }
        Ok(Value::Map(Map::Json(object)))
    }

    fn pay_for_missing(&mut self, qualifier: &Qualifier) -> Result<(), Fault> {
        self.meter.charge(u64::from(!qualifier.is_declared))
    }

    pub(super) fn has(&mut self, attribute: &'a Attribute, field: &'a str) -> Outcome<'a> {
        let root = self.root(&attribute.root)?;
        let mut is_optional = false;
        let value = self.follow(root, attribute, &mut is_optional)?;
        let Some(value) = value else { return Ok(Value::Bool(false)) };
        let found = match &value {
            Value::Map(map) => map.get_str(field).is_some(),
            other => at(other, &Value::String(Text::Borrowed(field)), true)?.is_some(),
        };
        // Of what is optional, only what is there costs something.
        self.meter.charge(u64::from(found || !is_optional))?;
        Ok(Value::Bool(found))
    }
}

/// An optional as cel-go hands it on when a name or a branch is read: what is in it is taken out
/// and put in again, and an optional in an optional is lost by that, as are most values of
/// Kubernetes' libraries.
pub(super) fn read_again<'a>(value: Value<'a>) -> Value<'a> {
    let Value::Optional(Some(inner)) = &value else { return value };
    match unwrapped(inner) {
        Some(inner) => Value::some(inner),
        None => value,
    }
}

/// What is in a value that is no plain one; `None` for plain ones.
fn unwrapped<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Optional(None) => Some(Value::Null),
        Value::Optional(Some(inner)) => Some(unwrapped(inner).unwrap_or_else(|| (**inner).clone())),
        Value::Kubernetes(value) => Some(Value::Kubernetes(value.taken_out())),
        Value::Type(name) => Some(Value::String(Text::Borrowed(name))),
        _ => None,
    }
}

/// The name of the Go type of an index: what is of the request is not wrapped by cel-go there.
fn go_native_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::List(List::Json(_)) => "[]interface {}",
        Value::Map(Map::Json(_)) => "map[string]interface {}",
        other => other.go_type(),
    }
}

/// Whether a value can be an index.
fn is_qualifier(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::String(_)
    )
}

/// What is at a key or an index; `None` where nothing is, but for lists that is an error unless
/// it is asked whether something is.
pub(super) fn at<'a>(
    value: &Value<'a>,
    key: &Value<'a>,
    is_asked: bool,
) -> Result<Option<Value<'a>>, Fault> {
    match value {
        Value::Map(map) => Ok(map.get(key)),
        Value::List(list) => in_list(list, key, is_asked),
        _ => Ok(None),
    }
}

fn in_list<'a>(
    list: &List<'a>,
    key: &Value<'a>,
    is_asked: bool,
) -> Result<Option<Value<'a>>, Fault> {
    let unsupported = || Fault::error(format!("unsupported index value {} in list", go_value(key)));
    let index = match key {
        Value::Int(index) => *index,
        Value::Uint(index) => i64::try_from(*index).map_err(|_| unsupported())?,
        Value::Double(index) => double_to_int(*index).ok_or_else(unsupported)?,
        other => {
            let name = other.type_name();
            return Err(Fault::error(format!("unsupported index type '{name}' in list")));
        }
    };
    let element = usize::try_from(index).ok().and_then(|index| list.get(index));
    if element.is_none() && !is_asked {
        return Err(Fault::error(format!("index out of bounds: {}", go_value(key))));
    }
    Ok(element)
}
