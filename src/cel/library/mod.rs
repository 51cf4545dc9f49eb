//! The functions that the API server of Kubernetes 1.36 has: what they take, what they give, what
//! they cost.
//!
//! Each file is one of its libraries: a table of overloads, each with its signature as text, its
//! implementation, and its cost where that is not 1. Costs are the runtime costs of cel-go
//! (`interpreter/runtimecost.go`) and of Kubernetes (`cel/library/cost.go`).

mod arguments;
pub(super) mod convert;
mod cost;
mod format;
mod kubernetes_lists;
mod kubernetes_types;
mod lists;
mod operators;
mod optionals;
mod regexes;
mod sets;
mod signature;
mod standard;
pub(super) mod string_format;
mod strings;
mod timestamps;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::error::Fault;
use super::meter::Meter;
use super::types::Type;
use super::value::Value;

pub(super) use cost::{pattern_cost, traversal};
pub(super) use lists::not_an_int;
pub(super) use operators::{equality_cost, insert};
pub(super) use regexes::Pattern;

/// What runs when an overload is called. The arguments are of the overload's types, as far as
/// cel-go looks: the elements of a list beyond the first may be anything.
pub(super) type Run = for<'a> fn(&mut Meter, &[Value<'a>]) -> Result<Value<'a>, Fault>;

/// The cost of a call, given the arguments and the result.
pub(super) type Price = fn(&[Value<'_>], Option<&Value<'_>>) -> u64;

/// A function: its overloads in the order in which they are tried.
pub(super) struct Function {
    pub name: &'static str,
    pub overloads: Vec<Overload>,
    /// Kubernetes prices some functions by their name, whatever overload it is.
    price: Option<Price>,
    /// Whether cel-go has one implementation for all overloads, which looks at the arguments
    /// itself and says only "no such overload".
    is_singleton: bool,
}

/// One of the signatures of a function.
pub(super) struct Overload {
    /// Whether it is called on its first parameter: `x.f(y)`.
    pub member: bool,
    pub parameters: Vec<Type>,
    pub result: Type,
    /// How many type parameters there are: `A` is number 0.
    pub type_parameters: u32,
    pub run: Run,
    /// cel-go prices an overload only where the checker found just one.
    price: Option<Price>,
}

/// The function called `name`.
pub(super) fn function(name: &str) -> Option<&'static Function> {
    LIBRARY.functions.get(name)
}

/// The names of the functions that an expression can have, in the order of the tables: operators,
/// and what macros become, are written otherwise.
pub(super) fn function_names() -> impl Iterator<Item = &'static str> {
    let is_written = |name: &&str| name.starts_with(char::is_alphabetic) && !name.contains('@');
    LIBRARY.names.iter().copied().filter(is_written)
}

static LIBRARY: LazyLock<Library> = LazyLock::new(declare);

struct Library {
    functions: HashMap<&'static str, Function>,
    /// In the order of their declaration.
    names: Vec<&'static str>,
}

const TABLES: [fn() -> Table; 12] = [
    operators::table,
    convert::table,
    standard::table,
    timestamps::table,
    optionals::table,
    // Before those of strings: of `indexOf` on what may be either, the first that fits is taken.
    kubernetes_lists::table,
    strings::table,
    regexes::table,
    lists::table,
    sets::table,
    kubernetes_types::table,
    format::table,
];

fn declare() -> Library {
    let mut functions = HashMap::new();
    let mut names = Vec::new();
    for (name, declared) in TABLES.iter().flat_map(|table| table().functions).flatten() {
        let function = functions.entry(name).or_insert_with(|| {
            names.push(name);
            Function { name, overloads: Vec::new(), price: None, is_singleton: false }
        });
        function.overloads.push(declared.overload);
        function.price = function.price.or(declared.price);
        function.is_singleton |= declared.is_singleton;
    }
    Library { functions, names }
}

/// Declarations, in the making.
#[derive(Default)]
struct Table {
    /// Each by its name, or what is wrong with its signature.
    functions: Vec<Result<(&'static str, Declared), String>>,
}

struct Declared {
    overload: Overload,
    price: Option<Price>,
    is_singleton: bool,
}

impl Table {
    /// Declares an overload, such as `list(A).indexOf(A) -> int`.
    fn add(self, signature: &'static str, run: Run) -> Self {
        self.declare(signature, run, None, None, false)
    }

    /// One that costs something where it is the only one that fits.
    fn priced(self, signature: &'static str, run: Run, price: Price) -> Self {
        self.declare(signature, run, Some(price), None, false)
    }

    /// One of a function that Kubernetes prices by name.
    fn named(self, signature: &'static str, run: Run, price: Price) -> Self {
        self.declare(signature, run, None, Some(price), false)
    }

    /// One of a function with a single implementation.
    fn singleton(self, signature: &'static str, run: Run) -> Self {
        self.declare(signature, run, None, None, true)
    }

    fn priced_singleton(self, signature: &'static str, run: Run, price: Price) -> Self {
        self.declare(signature, run, Some(price), None, true)
    }

    fn declare(
        mut self,
        signature: &'static str,
        run: Run,
        price: Option<Price>,
        named: Option<Price>,
        is_singleton: bool,
    ) -> Self {
        let declared = signature::parse(signature, run, price)
            .map(|(name, overload)| (name, Declared { overload, price: named, is_singleton }));
        self.functions.push(declared);
        self
    }
}

/// Stands for what is a step of the program and not a call; the checker alone asks for it here.
fn unreached<'a>(_: &mut Meter, _: &[Value<'a>]) -> Result<Value<'a>, Fault> {
    Err(Fault::no_such_overload())
}

impl Function {
    /// Calls the function: the one overload that the checker found, or the first that the
    /// arguments fit.
    pub(super) fn call<'a>(
        &self,
        only: Option<&Overload>,
        meter: &mut Meter,
        arguments: &[Value<'a>],
    ) -> Result<Value<'a>, Fault> {
        let found = if self.is_singleton {
            only.or(self.overloads.first())
        } else {
            match only {
                Some(only) => only.fits(arguments).then_some(only),
                None => self.overloads.iter().find(|overload| overload.fits(arguments)),
            }
        };
        for argument in arguments {
            if let Value::String(text) = argument {
                meter.read(text);
            }
        }
        match found {
            Some(overload) => (overload.run)(meter, arguments),
            None => Err(self.no_such_overload(arguments)),
        }
    }

    /// What a call costs.
    pub(super) fn price(
        &self,
        only: Option<&Overload>,
        arguments: &[Value<'_>],
        result: Option<&Value<'_>>,
    ) -> u64 {
        // An overload's own price goes before that by name: of `ip`, only parsing is traversal.
        match only.and_then(|only| only.price).or(self.price) {
            Some(price) => price(arguments, result),
            None => 1,
        }
    }

    /// The fault of a call whose argument has failed: mostly the argument's own. But where cel-go
    /// prices a call by the length of a list, it takes the failure for that list, and breaks.
    pub(super) fn failed(&self, only: Option<&Overload>, fault: Fault) -> Fault {
        let is_priced_by_list = match self.name {
            "distinct" => true,
            "sort" | "@sortByAssociatedKeys" => only.is_some(),
            _ => false,
        };
        if fault.is_final() || !is_priced_by_list {
            return fault;
        }
        Fault::Aborted(lists::not_a_list("*types.Err", false).into())
    }

    fn no_such_overload(&self, arguments: &[Value<'_>]) -> Fault {
        let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
        Fault::error(format!("no such overload: {}({})", self.name, types.join(", ")))
    }
}

impl Overload {
    fn fits(&self, arguments: &[Value<'_>]) -> bool {
        self.parameters.len() == arguments.len()
            && self.parameters.iter().zip(arguments).all(|(type_, value)| holds(type_, value))
    }
}

/// Whether a value is of a type at run time; of lists and maps cel-go looks at the first element.
fn holds(type_: &Type, value: &Value<'_>) -> bool {
    match (type_, value) {
        (Type::Dyn | Type::Parameter(_), _) => true,
        (Type::List(element), Value::List(list)) => {
            list.get(0).is_none_or(|first| holds(element, &first))
        }
        (Type::Map(entry), Value::Map(map)) => map
            .iter()
            .next()
            .is_none_or(|(key, value)| holds(&entry.0, &key) && holds(&entry.1, &value)),
        (type_, value) => type_.runtime_name() == value.type_name(),
    }
}
