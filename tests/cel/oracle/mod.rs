//! A real API server that is asked what it makes of CEL, and the files of what is asked and answered.
//!
//! [`corpus`] reads what is asked, [`reviews`] the Pods that it is asked about, [`examples`] policies
//! with Pods of their own; [`Server::ask`] asks, [`answers`] keeps what came. Nothing here knows of Portreeve's own evaluator, so that none of it
//! can come to agree with it by mistake.

pub mod answers;
pub mod corpus;
pub mod examples;
pub mod harness;
pub mod log;
pub mod objects;
pub mod policies;
pub mod refusals;
pub mod requests;
pub mod reviews;
pub mod server;
pub mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};

pub use answers::{Answer, Outcome};
pub use corpus::{Case, Policy};
pub use reviews::{Review, Seen};
pub use server::{Question, Server};

/// `tests/cel`.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel")
}

/// All that is asked: the corpus and the examples, sorted by id.
///
/// # Errors
/// Where a file can't be read, or two cases have the same id.
pub fn cases() -> Result<Vec<Case>> {
    let mut cases = corpus::read(&directory().join("corpus"))?;
    cases.extend(examples::read()?.iter().flat_map(examples::Example::cases));
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    ensure!(cases.is_sorted_by(|one, other| one.id < other.id), "two cases have the same id");
    Ok(cases)
}

/// All that it can be asked about: the Pods of `tests/cel/pods` and of the examples, by the name of
/// the review.
///
/// # Errors
/// Where a file can't be read, or where the server could not tell one Pod from another.
pub fn all_reviews() -> Result<BTreeMap<String, Review>> {
    let mut all = reviews::read(&directory().join("pods"))?;
    for review in examples::read()?.iter().flat_map(examples::Example::reviews) {
        let name = review.name.clone();
        ensure!(all.insert(name.clone(), review).is_none(), "{name}: there are two");
    }
    reviews::tell_apart(&all)?;
    Ok(all)
}

/// What validations saw of these.
///
/// # Errors
/// Where a file can't be read.
pub fn read_seen() -> Result<BTreeMap<String, Seen>> {
    let mut seen = reviews::read_seen(&directory().join("seen"))?;
    seen.extend(reviews::read_seen(&directory().join("seen-of-examples"))?);
    Ok(seen)
}

/// Writes it anew. That of the examples stands apart, so that they change nothing of what the
/// differential test makes of the rest. What is of no review any more goes.
///
/// # Errors
/// Where a file can't be written.
pub fn write_seen(mut seen: BTreeMap<String, Seen>) -> Result<()> {
    let reviews = all_reviews()?;
    seen.retain(|name, _| reviews.contains_key(name));
    let mut of_examples = BTreeMap::new();
    for review in examples::read()?.iter().flat_map(examples::Example::reviews) {
        of_examples.extend(seen.remove_entry(&review.name));
    }
    reviews::write_seen(&directory().join("seen"), &seen)?;
    reviews::write_seen(&directory().join("seen-of-examples"), &of_examples)
}
