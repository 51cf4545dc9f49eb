//! Where in an object a validation does not hold.

#[cfg(test)]
mod tests;

use super::{Lazy, Rules};
use crate::cel::error::Fault;
use crate::cel::meter::{EXPRESSION_LIMIT, Meter, POLICY_BUDGET};
use crate::cel::program::{Inputs, Program, Variables};
use crate::cel::stack;
use crate::cel::trace::Trace;
use crate::cel::value::Value;

/// How much deeper than an evaluation a trace recurses: it evaluates from every step that it is at,
/// and is asked at each of them what it reads.
const DEEPER: usize = 4;

impl Rules {
    /// Where in `inputs.object` it is that the validation of this index does not hold: ten places
    /// at most, those of elements first; none where nothing of the object is read, or nothing can
    /// be told. It is to be asked of validations that do not hold; it costs as much as evaluating
    /// them several times.
    ///
    /// ```
    /// use portreeve::cel::{Inputs, Json, RuleSources, Rules, ValidationSource};
    ///
    /// let expression = "object.spec.containers.all(c, !c.image.endsWith(':latest'))".to_owned();
    /// let validation = ValidationSource { expression, ..Default::default() };
    /// let sources = RuleSources { validations: vec![validation], ..Default::default() };
    /// let rules = Rules::compile(&sources).unwrap();
    ///
    /// let pod = r#"{"spec": {"containers": [{"image": "a:1"}, {"image": "b:latest"}]}}"#;
    /// let (object, none) = (&Json::parse(pod).unwrap(), &Json::Null);
    /// let inputs = Inputs { object, old_object: none, request: none, namespace_object: none };
    /// assert_eq!(rules.trace(0, inputs)[0].path.to_string(), "spec.containers[1].image");
    /// ```
    pub fn trace(&self, validation: usize, inputs: Inputs<'_>) -> Vec<Trace> {
        let Some(validation) = self.validations.get(validation) else { return Vec::new() };
        let program = validation.expression.program();
        let trace = || {
            let mut meter = Meter::new(EXPRESSION_LIMIT);
            program.trace(inputs, &Bounded(Lazy::new(self, inputs)), &mut meter)
        };
        stack::for_depth(program.depth * DEEPER, trace).unwrap_or_default()
    }
}

/// Variables that cost no more together than a policy may: a trace may read what its validation
/// did not.
struct Bounded<'a>(Lazy<'a>);

impl<'a> Variables<'a> for Bounded<'a> {
    fn get(&self, index: usize, meter: &mut Meter) -> Result<Value<'a>, Fault> {
        if self.0.spent.get() > POLICY_BUDGET {
            return Err(Fault::OverBudget);
        }
        self.0.get(index, meter)
    }

    fn program(&self, index: usize) -> Option<&'a Program> {
        self.0.program(index)
    }
}
