//! Macros that go through a list or a map. Each round costs what the loop costs that cel-go makes
//! of the macro, and errors are kept, replaced and absorbed as there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::{LIST_COST, Machine, Outcome};
use super::{FoldPlan, Plan, Slot};
use crate::cel::error::Fault;
use crate::cel::library::insert;
use crate::cel::syntax::FoldKind;
use crate::cel::value::{Key, Map, Value};

// What the parts cost of the loop that cel-go's parser makes of a macro (`parser/macro.go` and
// `ext/comprehensions.go`).

/// Reading what the loop adds up, or one of its variables.
const READ: u64 = 1;
/// A call of one of the loop's own functions.
const CALL: u64 = 1;
/// `@not_strictly_false(@result)`, before each round of `all`.
const ALL_SO_FAR: u64 = READ + CALL;
/// `@not_strictly_false(!@result)`, before each round of `exists`.
const NONE_SO_FAR: u64 = READ + CALL + CALL;

/// Whether to go on.
enum Next {
    Go,
    Stop,
}

impl<'a> Machine<'a, '_> {
    pub(super) fn fold(&mut self, fold: &'a FoldPlan) -> Outcome<'a> {
        let range = self.evaluate(&fold.range)?;
        match fold.kind {
            FoldKind::All => self.quantify(fold, &range, false, ALL_SO_FAR),
            FoldKind::Exists => self.quantify(fold, &range, true, NONE_SO_FAR),
            FoldKind::ExistsOne => self.exists_one(fold, &range),
            FoldKind::List => self.fold_list(fold, &range),
            FoldKind::Map | FoldKind::MapEntry => self.fold_map(fold, &range),
        }
    }

    /// Does something for each element, with the variables set.
    fn each(
        &mut self,
        fold: &'a FoldPlan,
        range: &Value<'a>,
        mut round: impl FnMut(&mut Self) -> Result<Next, Fault>,
    ) -> Result<(), Fault> {
        match range {
            Value::List(list) => {
                for index in 0..list.len() {
                    let Some(element) = list.get(index) else { break };
                    match fold.second {
                        Some(second) => {
                            self.set(fold.slot, Slot::Value(Value::Int(index as i64)));
                            self.set(second, Slot::Value(element));
                        }
                        None => self.set(fold.slot, Slot::Value(element)),
                    }
                    if let Next::Stop = round(self)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    self.set(fold.slot, Slot::Value(key));
                    if let Some(second) = fold.second {
                        self.set(second, Slot::Value(value));
                    }
                    if let Next::Stop = round(self)? {
                        break;
                    }
                }
            }
            other => {
                let name = other.go_type();
                return Err(Fault::error(match fold.second {
                    Some(_) => format!("unsupported comprehension range type: {name}"),
                    None => format!("got '{name}', expected iterable type"),
                }));
            }
        }
        Ok(())
    }

    /// `all` and `exists`: `decides` is the answer of one element that decides for all, and
    /// `question` the cost of asking whether one has.
    fn quantify(
        &mut self,
        fold: &'a FoldPlan,
        range: &Value<'a>,
        decides: bool,
        question: u64,
    ) -> Outcome<'a> {
        let mut decided = false;
        let mut first_error = None;
        self.each(fold, range, |machine| {
            machine.meter.charge(question)?;
            if decided {
                return Ok(Next::Stop);
            }
            machine.meter.charge(READ)?;
            match machine.evaluate(&fold.body) {
                Ok(Value::Bool(value)) => decided = value == decides,
                Ok(_) => _ = first_error.get_or_insert_with(Fault::no_such_overload),
                Err(fault) if fault.is_final() => return Err(fault),
                Err(error) => _ = first_error.get_or_insert(error),
            }
            Ok(Next::Go)
        })?;
        self.meter.charge(READ)?;
        match first_error {
            _ if decided => Ok(Value::Bool(decides)),
            Some(error) => Err(error),
            None => Ok(Value::Bool(!decides)),
        }
    }

    /// A condition of one round: its error takes the place of those before.
    fn holds(&mut self, condition: &'a Plan, error: &mut Option<Fault>) -> Result<bool, Fault> {
        match self.evaluate(condition) {
            Ok(Value::Bool(value)) => return Ok(value),
            Ok(_) => *error = Some(Fault::no_such_overload()),
            Err(fault) if fault.is_final() => return Err(fault),
            Err(new) => *error = Some(new),
        }
        Ok(false)
    }

    fn exists_one(&mut self, fold: &'a FoldPlan, range: &Value<'a>) -> Outcome<'a> {
        let mut count = 0;
        let mut error = None;
        self.each(fold, range, |machine| {
            if machine.holds(&fold.body, &mut error)? {
                // @result + 1
                machine.meter.charge(READ + CALL)?;
                count += 1;
            }
            Ok(Next::Go)
        })?;
        // @result == 1
        self.meter.charge(READ + CALL)?;
        match error {
            Some(error) => Err(error),
            None => Ok(Value::Bool(count == 1)),
        }
    }

    fn fold_list(&mut self, fold: &'a FoldPlan, range: &Value<'a>) -> Outcome<'a> {
        let mut elements = Vec::new();
        let mut error = None;
        // @result + [body]
        let price = match fold.body {
            // A list of a constant is a constant itself.
            Plan::Constant(_) => READ + CALL,
            _ => READ + CALL + LIST_COST,
        };
        self.each(fold, range, |machine| {
            if let Some(condition) = &fold.condition
                && !machine.holds(condition, &mut error)?
            {
                return Ok(Next::Go);
            }
            let element = machine.evaluate(&fold.body);
            machine.meter.charge(price)?;
            match element {
                Ok(element) if error.is_none() => {
                    machine.meter.allocate(size_of::<Value<'_>>())?;
                    elements.push(element);
                }
                Ok(_) => {}
                Err(fault) if fault.is_final() => return Err(fault),
                Err(new) => _ = error.get_or_insert(new),
            }
            Ok(Next::Go)
        })?;
        self.meter.charge(READ)?;
        match error {
            Some(error) => Err(error),
            None => Ok(Value::list(elements)),
        }
    }

    fn fold_map(&mut self, fold: &'a FoldPlan, range: &Value<'a>) -> Outcome<'a> {
        let mut map: Arc<BTreeMap<Key<'a>, Value<'a>>> = Arc::default();
        let mut error = None;
        self.each(fold, range, |machine| {
            if let Some(condition) = &fold.condition
                && !machine.holds(condition, &mut error)?
            {
                return Ok(Next::Go);
            }
            machine.meter.charge(READ)?;
            if error.is_some() && fold.kind == FoldKind::Map {
                return Ok(Next::Go);
            }
            match machine.put(fold, &mut map, error.is_some()) {
                Ok(()) => {}
                Err(fault) if fault.is_final() => return Err(fault),
                Err(new) => _ = error.get_or_insert(new),
            }
            Ok(Next::Go)
        })?;
        self.meter.charge(READ)?;
        match error {
            Some(error) => Err(error),
            None => Ok(Value::Map(Map::Shared(map))),
        }
    }

    /// Puts what one round makes into the map.
    fn put(
        &mut self,
        fold: &'a FoldPlan,
        map: &mut Arc<BTreeMap<Key<'a>, Value<'a>>>,
        has_failed: bool,
    ) -> Result<(), Fault> {
        if fold.kind == FoldKind::Map {
            self.meter.charge(READ)?;
            let key = match self.slots.get(fold.slot) {
                Some(Slot::Value(key)) => key.clone(),
                _ => return Err(Fault::no_such_overload()),
            };
            let value = self.evaluate(&fold.body)?;
            // cel.@mapInsert(@result, key, value)
            self.meter.charge(CALL)?;
            self.meter.allocate(size_of::<Value<'_>>() * 2)?;
            return insert(map, Key::new(&key)?, value);
        }
        let entries = self.evaluate(&fold.body);
        // cel.@mapInsert(@result, entries)
        self.meter.charge(CALL)?;
        let entries = match entries? {
            Value::Map(entries) => entries,
            other => {
                let name = other.type_name();
                return Err(Fault::error(format!("no such overload: cel.@mapInsert(map, {name})")));
            }
        };
        if has_failed {
            return Ok(());
        }
        for (key, value) in entries.entries() {
            self.meter.allocate(size_of::<Value<'_>>() * 2)?;
            insert(map, key, value)?;
        }
        Ok(())
    }
}
