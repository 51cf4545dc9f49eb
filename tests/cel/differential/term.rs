//! Expressions, in the making and in the taking apart.

use super::types::Type;

/// An expression whose parts are still known.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it was meant to be.
    pub type_: Type,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// Whether it has to be in parentheses where it is a part of another.
    pub is_loose: bool,
}

/// What an expression is made of.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is.
    Text(String),
    /// An expression in it.
    Term(Term),
}

impl Term {
    /// An expression without parts.
    pub fn leaf(type_: &Type, text: impl Into<String>) -> Self {
        let text = text.into();
        let is_loose = super::template::is_loose(&text);
        Self { type_: type_.clone(), parts: vec![Part::Text(text)], is_loose }
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Term(term) => term.write(text),
            }
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Self> {
        self.parts.iter().filter_map(|part| match part {
            Part::Term(term) => Some(term),
            Part::Text(_) => None,
        })
    }

    /// All that is in it, itself included.
    fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(term) = all.get(next).copied() {
            all.extend(term.parts());
            next += 1;
        }
        all
    }

    /// Expressions that are shorter by one of its parts, the shortest first: it is gone, but for
    /// something of the same type in it, or for the simplest value that there is.
    pub fn reductions(&self) -> Vec<Self> {
        let mut shorter = Vec::new();
        self.reduce(&mut |term| shorter.push(term));
        shorter.sort_by_cached_key(|term| term.text().len());
        shorter
    }

    fn reduce(&self, found: &mut dyn FnMut(Self)) {
        let length = self.text().len();
        for inner in self.all().into_iter().skip(1).filter(|inner| inner.type_ == self.type_) {
            found(inner.clone());
        }
        let simplest = simplest(&self.type_);
        if simplest.len() < length {
            found(Self::leaf(&self.type_, simplest));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let Part::Term(part) = part else { continue };
            part.reduce(&mut |other| {
                let mut term = self.clone();
                term.parts[index] = Part::Term(other);
                found(term);
            });
        }
    }
}

/// The shortest text of this type.
fn simplest(type_: &Type) -> &'static str {
    match type_ {
        Type::Named("bool") => "true",
        Type::Named("int") => "1",
        Type::Named("uint") => "1u",
        Type::Named("double") => "1.5",
        Type::Named("bytes") => "b'a'",
        Type::Named("null") => "null",
        Type::Named("dyn") => "dyn(1)",
        Type::Named("type") => "int",
        Type::Named("timestamp") => "timestamp(1)",
        Type::Named("duration") => "duration('1s')",
        Type::Named("Quantity") => "quantity('1')",
        Type::Named("Semver") => "semver('1.2.3')",
        Type::Named("URL") => "url('/a')",
        Type::Named("IP") => "ip('::')",
        Type::Named("CIDR") => "cidr('::/0')",
        Type::Named("Format") => "format.uuid()",
        Type::List(_) => "[]",
        Type::Map(_) | Type::Object(_) => "{}",
        Type::Optional(_) => "optional.none()",
        Type::Named(_) | Type::Parameter(_) => "'a'",
    }
}
