//! The executable form of an expression: names are places, constants are values, patterns are
//! compiled.

mod attribute;
mod calls;
mod evaluate;
mod fold;
mod plan;
mod set;
#[cfg(test)]
mod tests;
mod trace;

use super::error::Fault;
use super::library::{Function, Overload, Pattern};
use super::meter::Meter;
use super::scope::Input;
use super::syntax::FoldKind;
use super::value::{Json, Value};

use evaluate::Machine;
use set::Set;

pub(super) use plan::plan;

/// An expression, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Program {
    root: Plan,
    /// How many places the variables of macros take.
    slots: usize,
    /// How deep an evaluation goes, variables included.
    pub depth: usize,
    /// Whether its cost can be far beyond what one expression may cost.
    pub can_overdraw: bool,
    /// What it reads, its variables not included.
    pub reads: Reads,
}

/// What expressions read beside the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Whether they read `oldObject`.
    pub old_object: bool,
    /// Whether they read `request`.
    pub request: bool,
    /// Whether they read `namespaceObject`.
    pub namespace_object: bool,
}

impl Reads {
    /// What either of two reads.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            old_object: self.old_object || other.old_object,
            request: self.request || other.request,
            namespace_object: self.namespace_object || other.namespace_object,
        }
    }
}

/// What an expression is evaluated on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The object as it is to be; `null` when it is deleted.
    pub object: &'a Json<'a>,
    /// The object as it was; `null` when it is created.
    pub old_object: &'a Json<'a>,
    /// The admission request.
    pub request: &'a Json<'a>,
    /// The object's namespace; `null` for match conditions, and for what has none.
    pub namespace_object: &'a Json<'a>,
}

/// Where the values of a policy's variables come from.
pub(super) trait Variables<'a> {
    /// The value of the variable at a place. Its cost is not that of who reads it; what it makes
    /// and does that costs nothing is counted in `meter`.
    fn get(&self, index: usize, meter: &mut Meter) -> Result<Value<'a>, Fault>;

    /// The program that computes it.
    fn program(&self, index: usize) -> Option<&'a Program>;
}

impl Program {
    /// Evaluates the expression.
    pub(super) fn evaluate<'a>(
        &'a self,
        inputs: Inputs<'a>,
        variables: &dyn Variables<'a>,
        meter: &mut Meter,
    ) -> Result<Value<'a>, Fault> {
        self.machine(inputs, variables, meter).evaluate(&self.root)
    }

    fn machine<'a, 'e>(
        &self,
        inputs: Inputs<'a>,
        variables: &'e dyn Variables<'a>,
        meter: &'e mut Meter,
    ) -> Machine<'a, 'e> {
        let slots = std::iter::repeat_with(|| Slot::Empty).take(self.slots).collect();
        Machine { inputs, variables, slots, meter }
    }
}

/// A step of the program.
#[derive(Debug)]
enum Plan {
    Constant(Value<'static>),
    Attribute(Box<Attribute>),
    /// Whether the attribute has the field.
    Has(Box<Attribute>, Box<str>),
    /// Whether a variable has a value: it is there, so that is whether it can be evaluated.
    HasVariable(usize),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Equal(Box<(Plan, Plan)>),
    NotEqual(Box<(Plan, Plan)>),
    /// A level to flatten to: the API server takes an error for a number, and fails.
    Level(Box<Plan>),
    Call(Box<CallPlan>),
    Pattern(Box<PatternPlan>),
    /// Whether a value is among constants.
    InSet(Box<(Plan, Set)>),
    List(Vec<(bool, Plan)>),
    Map(Vec<(bool, Plan, Plan)>),
    Fold(Box<FoldPlan>),
    OptionalMap(Box<OptionalMapPlan>),
    SortBy(Box<SortByPlan>),
    OptionalOr(Box<(Plan, Plan)>),
    OptionalOrValue(Box<(Plan, Plan)>),
}

/// A value and a path into it, such as `object.spec.containers[0].?name`: one step, as in cel-go,
/// so that an optional part makes what follows optional too.
#[derive(Debug)]
struct Attribute {
    root: Root,
    path: Vec<Qualifier>,
}

impl Attribute {
    /// Whether it is no more than the variable of a macro.
    fn is_slot(&self) -> bool {
        matches!(self.root, Root::Slot(_)) && self.path.is_empty()
    }
}

#[derive(Debug)]
enum Root {
    Input(Input),
    Variable(usize),
    Slot(usize),
    Plan(Plan),
    Conditional(Box<(Plan, Plan, Plan)>),
}

#[derive(Debug)]
struct Qualifier {
    optional: bool,
    /// Whether it is a field that its object's type declares. That it is not there costs nothing.
    is_declared: bool,
    key: QualifierKey,
}

#[derive(Debug)]
enum QualifierKey {
    Field(Box<str>),
    Constant(Value<'static>),
    Computed(Plan),
}

#[derive(Debug)]
struct CallPlan {
    function: &'static Function,
    only: Option<&'static Overload>,
    arguments: Vec<Plan>,
}

#[derive(Debug)]
struct PatternPlan {
    pattern: Pattern,
    text: Plan,
    count: Option<Plan>,
    /// Whether the checker found one overload, so that it costs what a search costs.
    is_priced: bool,
}

#[derive(Debug)]
struct FoldPlan {
    kind: FoldKind,
    range: Plan,
    slot: usize,
    second: Option<usize>,
    condition: Option<Plan>,
    body: Plan,
}

#[derive(Debug)]
struct OptionalMapPlan {
    flat: bool,
    target: Plan,
    slot: usize,
    body: Plan,
}

#[derive(Debug)]
struct SortByPlan {
    function: &'static Function,
    only: Option<&'static Overload>,
    target: Plan,
    slot: usize,
    keys: Plan,
}

/// What a variable of a macro holds.
#[derive(Debug)]
enum Slot<'a> {
    Empty,
    Value(Value<'a>),
    /// A value that costs something when it is first looked at.
    Unpaid(Value<'a>, u64),
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl std::fmt::Debug for Overload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} -> {}", self.parameters, self.result)
    }
}
