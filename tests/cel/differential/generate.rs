//! Expressions of a type that is wanted, at random.

use super::access;
use super::fields::{Fields, Step};
use super::grammar::Grammar;
use super::literals::literal;
use super::random::Random;
use super::template::{Piece, Template};
use super::term::{Part, Term};
use super::types::{Bindings, Type};

/// Of a hundred parts, how many are of another type than they should be.
const ILL_TYPED: usize = 1;
/// Of a hundred parts, how many are hidden from the type checker.
const HIDDEN: usize = 3;
/// Of a hundred parts that need parentheses, how many have none.
const BARE: usize = 3;

/// What is needed to make expressions.
pub struct Generator<'a> {
    /// Where chance comes from.
    pub random: Random,
    /// What there is to be read, by the variables of CEL and by those of a policy and of macros.
    pub scope: Vec<(String, Type)>,
    /// The reviews whose fields are read.
    pub reviews: Vec<String>,
    grammar: &'a Grammar,
    fields: &'a Fields,
    names: usize,
    /// Whether the type checker has to see the type of all that comes.
    is_strict: bool,
}

impl<'a> Generator<'a> {
    /// One that reads fields of these reviews.
    pub fn new(
        random: Random,
        reviews: Vec<String>,
        grammar: &'a Grammar,
        fields: &'a Fields,
    ) -> Self {
        Self { random, scope: Vec::new(), reviews, grammar, fields, names: 0, is_strict: false }
    }

    /// An expression of this type, so many templates deep.
    pub fn term(&mut self, type_: &Type, depth: usize) -> Term {
        if !self.is_strict && self.random.percent(ILL_TYPED) {
            let other = self.any_type();
            return self.well_typed(&other, depth);
        }
        let term = self.well_typed(type_, depth);
        match !self.is_strict && self.random.percent(HIDDEN) {
            true => Term {
                type_: type_.clone(),
                parts: vec![Part::Text("dyn(".into()), Part::Term(term), Part::Text(")".into())],
                is_loose: false,
            },
            false => term,
        }
    }

    fn well_typed(&mut self, type_: &Type, depth: usize) -> Term {
        if depth == 0 || self.random.percent(15) {
            return self.leaf(type_);
        }
        self.composed(type_, depth)
    }

    /// An expression that is more than a field or a literal, where that can be.
    pub fn composed(&mut self, type_: &Type, depth: usize) -> Term {
        let mut type_ = type_.clone();
        if type_.is_text() {
            if self.random.percent(90) {
                return self.leaf(&type_);
            }
            type_ = Type::STRING;
        }
        if type_ == Type::DYN {
            type_ = self.any_type();
        }
        let grammar = self.grammar;
        let among = match !self.is_strict && self.random.percent(18) {
            true => &grammar.any,
            false => &grammar.certain,
        };
        let fits = |template: &&Template| template.result.unify(&type_, &mut Bindings::new());
        let fit: Vec<_> = among.iter().filter(fits).collect();
        match fit.is_empty() {
            true => self.leaf(&type_),
            false => {
                let template = *self.random.pick(&fit);
                self.fill(template, &type_, depth - 1)
            }
        }
    }

    fn fill(&mut self, template: &Template, type_: &Type, depth: usize) -> Term {
        let mut bindings = Bindings::new();
        template.result.unify(type_, &mut bindings);
        let scope = self.scope.len();
        let was_strict = self.is_strict;
        self.is_strict |= template.is_literal && self.random.percent(85);
        let mut parts = Vec::new();
        for (index, piece) in template.pieces.iter().enumerate() {
            let next = template.pieces.get(index + 1);
            match piece {
                Piece::Text(text) => parts.push(Part::Text((*text).to_owned())),
                Piece::Binder(type_) => {
                    let name = self.new_name();
                    parts.push(Part::Text(name.clone()));
                    let type_ = self.bound(type_, &mut bindings);
                    self.scope.push((name, type_));
                }
                Piece::Hole(type_) => {
                    let type_ = self.bound(type_, &mut bindings);
                    let term = self.term(&type_, depth);
                    let is_alone = index.checked_sub(1).is_none_or(|before| {
                        !matches!(template.pieces.get(before),
                            Some(Piece::Text(text)) if text.ends_with(['(', '[', '{', ' ', '?']))
                    });
                    let is_receiver =
                        matches!(next, Some(Piece::Text(text)) if text.starts_with(['.', '[']));
                    let is_operand = template.is_loose;
                    let is_number = term.text().starts_with(|c: char| c.is_ascii_digit());
                    let needs = match is_receiver {
                        true => term.is_loose || is_number,
                        false => term.is_loose && (is_operand || is_alone && next.is_some()),
                    };
                    if needs && !self.random.percent(BARE) {
                        parts.push(Part::Text("(".into()));
                        parts.push(Part::Term(term));
                        parts.push(Part::Text(")".into()));
                    } else {
                        parts.push(Part::Term(term));
                    }
                }
            }
        }
        self.scope.truncate(scope);
        self.is_strict = was_strict;
        Term { type_: type_.clone(), parts, is_loose: template.is_loose }
    }

    /// The name of a variable of a macro. Sometimes one of another is hidden by it.
    pub fn new_name(&mut self) -> String {
        const NAMES: &[&str] = &["x", "y", "z", "c", "k", "v", "e", "i"];
        if self.random.percent(1) {
            return (*self.random.pick(&["object", "size", "variables", "x"])).to_owned();
        }
        self.names += 1;
        match NAMES.get(self.names - 1) {
            Some(name) => (*name).to_owned(),
            None => format!("x{}", self.names),
        }
    }

    /// The type without parameters: what they stand for is decided.
    fn bound(&mut self, type_: &Type, bindings: &mut Bindings) -> Type {
        match type_ {
            Type::Parameter(letter) => match bindings.get(letter) {
                Some(bound) => bound.clone(),
                None => {
                    let choices = Type::choices(*letter);
                    let chosen = match choices.is_empty() {
                        true => self.any_type(),
                        false if self.random.percent(40) => Type::Named(choices[0]),
                        false => Type::Named(*self.random.pick(choices)),
                    };
                    bindings.insert(*letter, chosen.clone());
                    chosen
                }
            },
            Type::List(element) => match **element {
                Type::Parameter(letter) if !bindings.contains_key(&letter) => {
                    if let Some(list) = self.list_type(letter) {
                        bindings.insert(letter, list);
                    }
                    Type::List(Box::new(self.bound(element, bindings)))
                }
                _ => Type::List(Box::new(self.bound(element, bindings))),
            },
            Type::Optional(inner) => Type::Optional(Box::new(self.bound(inner, bindings))),
            Type::Map(entry) => {
                let key = self.bound(&entry.0, bindings);
                Type::Map(Box::new((key, self.bound(&entry.1, bindings))))
            }
            _ => type_.clone(),
        }
    }

    /// The type of the elements of a list that there is in a Pod.
    fn list_type(&mut self, letter: char) -> Option<Type> {
        if !Type::choices(letter).is_empty() || !self.random.percent(60) {
            return None;
        }
        let review = self.random.pick(&self.reviews).clone();
        let any = Type::List(Box::new(Type::DYN));
        match &self.fields.pick(&review, "object", &any, &mut self.random)?.type_ {
            Type::List(element) => Some((**element).clone()),
            _ => None,
        }
    }

    /// Some type, everyday's rather than others.
    pub fn any_type(&mut self) -> Type {
        const EVERYDAY: &[&str] = &["string", "int", "bool", "dyn"];
        const OTHER: &[&str] = &[
            "uint",
            "double",
            "bytes",
            "null",
            "timestamp",
            "duration",
            "Quantity",
            "Semver",
            "URL",
            "IP",
            "CIDR",
            "type",
            "Format",
        ];
        match self.random.below(20) {
            0..=9 => Type::Named(*self.random.pick(EVERYDAY)),
            10..=12 => Type::Named(*self.random.pick(OTHER)),
            13..=14 => Type::List(Box::new(self.any_type())),
            15 => {
                let key = *self.random.pick(Type::choices('K'));
                Type::Map(Box::new((Type::Named(key), self.any_type())))
            }
            16 => Type::Optional(Box::new(self.any_type())),
            _ => {
                let review = self.random.pick(&self.reviews).clone();
                let field = self.fields.pick(&review, "object", &Type::DYN, &mut self.random);
                field.map_or(Type::STRING, |field| field.type_.clone())
            }
        }
    }

    fn leaf(&mut self, type_: &Type) -> Term {
        let chance = self.random.below(100);
        let text = match chance {
            _ if self.is_strict => self.typed(type_),
            0..=54 => self.field(type_),
            _ => None,
        };
        let text = text.or_else(|| match chance {
            55..=64 => self.seen_value(type_),
            _ => None,
        });
        let text = text.unwrap_or_else(|| literal(type_, &mut self.random));
        Term::leaf(type_, text)
    }

    /// A variable whose type is known.
    fn typed(&mut self, type_: &Type) -> Option<String> {
        let is_typed = |(_, of): &&(String, Type)| {
            of == type_ && matches!(of, Type::Named(name) if *name != "dyn" && !of.is_text())
        };
        let typed: Vec<_> = self.scope.iter().filter(is_typed).collect();
        match typed.is_empty() || self.random.percent(40) {
            true => None,
            false => Some(self.random.pick(&typed).0.clone()),
        }
    }

    /// Something in scope, or a field of it.
    fn field(&mut self, type_: &Type) -> Option<String> {
        const ROOTS: &[&str] =
            &["object", "object", "object", "oldObject", "request", "namespaceObject"];
        let own = self.scope.len().min(6);
        if own > 0 && self.random.percent(70) {
            let first = self.scope.len() - own;
            let (name, of) = self.scope[first + self.random.below(own)].clone();
            if of.serves(type_) {
                return Some(name);
            }
            if let Type::Object(root) = &of {
                if let Some(text) = self.field_of(&name, root, type_) {
                    return Some(text);
                }
            }
        }
        let root = *self.random.pick(ROOTS);
        self.field_of(root, root, type_)
    }

    fn field_of(&mut self, base: &str, root: &str, type_: &Type) -> Option<String> {
        let review = self.random.pick(&self.reviews).clone();
        let (wanted, style) = match (type_, self.random.below(100)) {
            (Type::Named("bool"), 0..=49) => (Type::DYN, "has"),
            (Type::Optional(inner), _) => ((**inner).clone(), "optional"),
            (other, 0..=19) => (other.clone(), "or value"),
            (other, _) => (other.clone(), "plain"),
        };
        let field = self.fields.pick(&review, root, &wanted, &mut self.random)?;
        let mut path = field.path.clone();
        if self.random.percent(3) {
            match path.last_mut() {
                Some(Step::Key(key)) => {
                    *key = (*self.random.pick(&["nothing", "name", "a-b"])).into()
                }
                Some(Step::Index(index)) => *index += 7,
                None => {}
            }
        }
        let random = &mut self.random;
        Some(match style {
            "has" => access::has(base, &path, random)?,
            _ if path.is_empty() && style != "plain" => return None,
            "optional" => access::select_optional(base, &path, random),
            "or value" => {
                let optional = access::select_optional(base, &path, random);
                format!("{optional}.orValue({})", literal(&wanted, random))
            }
            _ => access::select(base, &path, random),
        })
    }

    /// A value that a Pod really has.
    fn seen_value(&mut self, type_: &Type) -> Option<String> {
        let review = self.random.pick(&self.reviews).clone();
        self.fields.pick(&review, "object", type_, &mut self.random)?.value.clone()
    }
}
