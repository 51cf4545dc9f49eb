//! Policies whose expressions are still known by their parts.

use super::generate::Generator;
use super::mutate::mutate;
use super::term::{Part, Term};
use super::types::Type;
use crate::oracle::Policy;
use crate::oracle::corpus::Named;

/// A policy, in the making and in the taking apart.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The validation's expression.
    pub expression: Term,
    /// Its `messageExpression`.
    pub message_expression: Option<Term>,
    /// The policy's variables.
    pub variables: Vec<(String, Term)>,
    /// Its match conditions.
    pub match_conditions: Vec<Term>,
    /// The reviews that it is asked about.
    pub reviews: Vec<String>,
}

impl Generator<'_> {
    /// A policy at random.
    pub fn draft(&mut self) -> Draft {
        let mut match_conditions = Vec::new();
        if self.random.percent(8) {
            for _ in 0..=self.random.below(2) {
                let depth = self.depth();
                match_conditions.push(self.composed(&Type::BOOL, depth));
            }
        }
        let mut variables = Vec::new();
        if self.random.percent(25) {
            for index in 0..=self.random.below(3) {
                let (type_, depth) = (self.any_type(), self.depth());
                let term = self.term(&type_, depth);
                let name = format!("v{index}");
                self.scope.push((format!("variables.{name}"), type_));
                variables.push((name, term));
            }
        }
        let depth = self.depth();
        let type_ = self.any_type();
        let (expression, message_expression) = match self.random.below(100) {
            0..=34 => (self.composed(&Type::BOOL, depth), None),
            35..=39 => {
                let expression = self.composed(&Type::BOOL, depth);
                let shown = self.term(&type_, depth);
                (expression, Some(self.show(shown)))
            }
            40..=59 => {
                let shown = self.term(&type_, depth);
                (Term::leaf(&Type::BOOL, "false"), Some(self.show(shown)))
            }
            60..=62 => (self.term(&type_, depth), None),
            // An error is told of an expression, and not of one of a message.
            _ => {
                let shown = self.term(&type_, depth);
                let shown = self.show(shown);
                let parts = vec![
                    Part::Text("size(".into()),
                    Part::Term(shown.clone()),
                    Part::Text(") < 0".into()),
                ];
                (Term { type_: Type::BOOL, parts, is_loose: true }, Some(shown))
            }
        };
        let reviews = self.reviews.clone();
        let mut draft =
            Draft { expression, message_expression, variables, match_conditions, reviews };
        if self.random.percent(6) {
            let text = mutate(&draft.expression.text(), &mut self.random);
            draft.expression = Term::leaf(&Type::BOOL, text);
        }
        draft
    }

    fn depth(&mut self) -> usize {
        *self.random.pick(&[1, 2, 2, 3, 3, 3, 4, 4, 5])
    }
}

impl Draft {
    /// The policy.
    pub fn policy(&self) -> Policy {
        let named = |(name, term): (String, &Term)| Named { name, expression: term.text() };
        let variables = self.variables.iter().map(|(name, term)| (name.clone(), term));
        let conditions = self.match_conditions.iter().enumerate();
        Policy {
            expression: self.expression.text(),
            message: None,
            message_expression: self.message_expression.as_ref().map(Term::text),
            variables: variables.map(named).collect(),
            match_conditions: conditions
                .map(|(index, term)| named((format!("c{index}"), term)))
                .collect(),
        }
    }

    /// How long it is, in all.
    pub fn length(&self) -> usize {
        let policy = self.policy();
        let named = policy.variables.iter().chain(&policy.match_conditions);
        policy.expression.len()
            + policy.message_expression.as_ref().map_or(0, |text| text.len() + 1)
            + named.map(|named| named.expression.len() + 10).sum::<usize>()
    }

    /// Drafts that are shorter by one part, the shortest first.
    pub fn reductions(&self) -> Vec<Self> {
        let mut shorter = Vec::new();
        if self.message_expression.is_some() {
            shorter.push(Self { message_expression: None, ..self.clone() });
        }
        for index in 0..self.match_conditions.len() {
            let mut draft = self.clone();
            draft.match_conditions.remove(index);
            shorter.push(draft);
        }
        for (index, (_, term)) in self.variables.iter().enumerate() {
            let mut draft = self.clone();
            draft.variables.remove(index);
            shorter.push(draft);
            for term in term.reductions() {
                let mut draft = self.clone();
                draft.variables[index].1 = term;
                shorter.push(draft);
            }
        }
        for term in self.expression.reductions() {
            shorter.push(Self { expression: term, ..self.clone() });
        }
        for term in self.message_expression.iter().flat_map(Term::reductions) {
            shorter.push(Self { message_expression: Some(term), ..self.clone() });
        }
        for (index, term) in self.match_conditions.iter().enumerate() {
            for term in term.reductions() {
                let mut draft = self.clone();
                draft.match_conditions[index] = term;
                shorter.push(draft);
            }
        }
        shorter.sort_by_cached_key(Self::length);
        shorter
    }
}
