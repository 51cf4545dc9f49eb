//! Formats that are literals: whether their clauses take what they are given (cel-go's
//! `ext/formatting.go`).

use crate::cel::library::string_format::{Clause, Piece, Pieces, refused};
use crate::cel::syntax::Position;
use crate::cel::types::Type;

/// An argument of a format whose value is not known yet.
pub(super) struct FormatArgument<'t> {
    pub type_: &'t Type,
    pub at: Position,
    /// What a literal list or map is made of.
    pub parts: Vec<FormatArgument<'t>>,
}

impl FormatArgument<'_> {
    /// The first part, of itself, its parts and theirs, that the clause does not take.
    fn not_taken(&self, clause: Clause) -> Option<&Self> {
        if !takes(clause, self.type_) {
            return Some(self);
        }
        let parts = self.parts.iter().filter(|_| clause == Clause::String);
        parts.into_iter().find_map(|part| part.not_taken(clause))
    }
}

/// Checks a literal format against its arguments.
///
/// # Errors
/// What is wrong, and with which argument, if it is with one.
pub(super) fn check_format(
    format: &str,
    arguments: &[FormatArgument<'_>],
) -> Result<(), (Option<Position>, String)> {
    let mut asked = 0;
    for piece in Pieces::new(format, arguments.len()) {
        let Piece::Argument(index, clause) = piece.map_err(|why| (None, why))? else { continue };
        asked += 1;
        let clause = clause.map_err(|why| (None, why))?;
        if let Some(wrong) = arguments.get(index).and_then(|argument| argument.not_taken(clause)) {
            let why = refused(clause, wrong.type_.runtime_name());
            return Err((Some(wrong.at), why));
        }
    }
    if arguments.len() > asked {
        let given = arguments.len();
        let why =
            format!("too many arguments supplied to string.format (expected {asked}, got {given})");
        return Err((None, why));
    }
    Ok(())
}

fn takes(clause: Clause, type_: &Type) -> bool {
    match (clause, type_) {
        (_, Type::Dyn) => true,
        (Clause::String, type_) => !matches!(
            type_,
            Type::Optional(_) | Type::Object(_) | Type::Opaque(_) | Type::Parameter(_)
        ),
        (Clause::Decimal | Clause::Octal, type_) => matches!(type_, Type::Int | Type::Uint),
        (Clause::Fixed(_) | Clause::Scientific(_), type_) => {
            matches!(type_, Type::Double | Type::String)
        }
        (Clause::Binary, type_) => matches!(type_, Type::Int | Type::Uint | Type::Bool),
        (Clause::Hex { .. }, type_) => {
            matches!(type_, Type::Int | Type::Uint | Type::String | Type::Bytes)
        }
    }
}
