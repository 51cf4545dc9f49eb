//! Values as text, so that a message can show them.

use super::generate::Generator;
use super::term::{Part, Term};
use super::types::Type;

impl Generator<'_> {
    /// An expression of type string that shows the value of another.
    pub fn show(&mut self, term: Term) -> Term {
        let type_ = term.type_.clone();
        match &type_ {
            Type::Named(name) => self.show_named(name, term),
            Type::List(element) if self.random.percent(60) => {
                let (name, shown) = self.show_new(element);
                let head = format!(".map({name}, ");
                string(vec![
                    text("'['"),
                    text(" + "),
                    receiver(term),
                    text(head),
                    Part::Term(shown),
                    text(").join(', ') + ']'"),
                ])
            }
            Type::Map(entry) if self.random.percent(40) => {
                let key = self.new_name();
                let (name, shown) = self.show_new(&entry.1);
                let head = format!(".transformList({key}, {name}, string({key}) + '=' + ");
                string(vec![
                    receiver(term),
                    text(head),
                    Part::Term(shown),
                    text(").sort().join(', ')"),
                ])
            }
            Type::Optional(inner) => {
                let (name, shown) = self.show_new(inner);
                let head = format!(".optMap({name}, ");
                string(vec![
                    receiver(term),
                    text(head),
                    Part::Term(shown),
                    text(").orValue('none')"),
                ])
            }
            _ => formatted(term),
        }
    }

    /// A new variable of this type, and what shows it.
    fn show_new(&mut self, type_: &Type) -> (String, Term) {
        let name = self.new_name();
        let shown = self.show(Term::leaf(type_, name.clone()));
        (name, shown)
    }

    fn show_named(&mut self, name: &str, term: Term) -> Term {
        const QUANTITY: &[&str] = &[".asApproximateFloat()", ".asInteger()", ".isInteger()"];
        const SEMVER: &[&str] = &[".major()", ".minor()", ".patch()"];
        const URL: &[&str] =
            &[".getHost()", ".getEscapedPath()", ".getHostname()", ".getPort()", ".getScheme()"];
        let tail = match name {
            "string" if self.random.percent(80) => return term,
            "string" => return call("strings.quote(", term),
            text if text.ends_with("Text") => return term,
            "bool" | "int" | "uint" | "double" | "timestamp" | "duration" | "IP" | "CIDR"
                if self.random.percent(80) =>
            {
                return call("string(", term);
            }
            "bytes" if self.random.percent(50) => return call("string(", term),
            "Quantity" => self.random.pick(QUANTITY),
            "Semver" => self.random.pick(SEMVER),
            "URL" => return string(vec![receiver(term), text(*self.random.pick(URL))]),
            "Format" => ".validate('a').hasValue()",
            "dyn" if self.random.percent(20) => return formatted(call("type(", term)),
            _ => return formatted(term),
        };
        string(vec![text("string("), receiver(term), text(format!("{tail})"))])
    }
}

fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

/// What a function is called on.
fn receiver(term: Term) -> Part {
    let is_number = term.text().starts_with(|c: char| c.is_ascii_digit());
    match term.is_loose || is_number {
        false => Part::Term(term),
        true => {
            let type_ = term.type_.clone();
            let parts = vec![text("("), Part::Term(term), text(")")];
            Part::Term(Term { type_, parts, is_loose: false })
        }
    }
}

fn string(parts: Vec<Part>) -> Term {
    let is_loose = matches!(parts.first(), Some(Part::Text(first)) if first == "'['");
    Term { type_: Type::STRING, parts, is_loose }
}

fn call(function: &str, term: Term) -> Term {
    string(vec![text(function), Part::Term(term), text(")")])
}

fn formatted(term: Term) -> Term {
    string(vec![text("'%s'.format(["), Part::Term(term), text("])")])
}
