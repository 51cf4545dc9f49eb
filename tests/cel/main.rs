//! The corpus and the examples, asked of Portreeve: it answers as the API server did, or refuses the
//! expression.

// All of it is test code, but clippy knows only the functions marked as tests for such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// What asks the server is for the recording.
#[allow(dead_code)]
mod oracle;

mod desk;
mod examples;
mod hostile;
mod ours;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Answer, Outcome, answers};

#[test]
fn the_corpus_is_answered_as_the_api_server_does() {
    let directory = oracle::directory();
    let cases = oracle::cases().unwrap();
    let theirs = answers::read(&directory.join("answers")).unwrap();
    let seen = oracle::read_seen().unwrap();
    let ids: BTreeSet<_> = cases.iter().map(|case| &case.id).collect();
    assert_eq!(ids, theirs.keys().collect(), "make cel-record was not run");

    let (mut differences, mut unexplained) = (Vec::new(), refusals::all());
    let mut tally = BTreeMap::<Outcome, usize>::new();
    for case in &cases {
        let theirs = without_kinds(&theirs[&case.id]);
        *tally.entry(theirs.outcome).or_default() += 1;
        let ours = ours::ask(&case.policy, &seen[&case.pod]).unwrap();
        let explained = unexplained.remove(case.id.as_str());
        let is_as_expected = match explained {
            Some(refusals::Difference::WeRefuse) => {
                ours.outcome == Outcome::Refused && theirs.outcome != Outcome::Refused
            }
            Some(refusals::Difference::Words) => {
                ours.outcome == Outcome::Refused
                    && theirs.outcome == Outcome::Refused
                    && ours.message != theirs.message
            }
            None => ours == theirs,
        };
        if !is_as_expected {
            differences.push(format!(
                "{}: {}\n  server: {:?} {}\n  ours:   {:?} {}",
                case.id,
                serde_json::to_string(&case.policy).unwrap().chars().take(600).collect::<String>(),
                theirs.outcome,
                theirs.message,
                ours.outcome,
                ours.message,
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
    assert!(unexplained.is_empty(), "refusals of cases that there are not: {unexplained:?}");
    assert!(tally[&Outcome::Refused] >= 80 && cases.len() >= 500, "{tally:?}");
}

/// The kinds of errors that a Kubernetes object can have say nothing that the words behind them do
/// not.
fn without_kinds(theirs: &Answer) -> Answer {
    let mut message = theirs.message.clone();
    if theirs.outcome == Outcome::Refused {
        for kind in ["Internal error: ", "Required value: "] {
            message = message.replace(&format!(": {kind}"), ": ");
        }
    }
    Answer { message, ..*theirs }
}
