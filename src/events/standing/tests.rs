//! The tests here are of what all faults have in common; what is special of some is apart.

mod counts;
mod quiet;

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;

use super::*;
use crate::events::{
    budget::Budget,
    note::{EventType, Note, Part, Role},
};

const RENEW: Duration = Duration::from_secs(1200);
const RECOUNT: Duration = Duration::from_secs(1);
const REFILL: Duration = Duration::from_secs(15);
/// Counts that are told in a row.
const BURST: u32 = 5;

/// The state machine and the time; whatever is due is taken as told.
struct Bench {
    standing: Standing,
    now: Instant,
}

impl Bench {
    /// After a start without any past.
    fn new() -> Self {
        let mut bench = Self::starting();
        bench.standing.recovered(BTreeMap::new(), bench.now);
        bench
    }

    /// Before the past is known.
    fn starting() -> Self {
        let pace = Pace {
            renew_every: RENEW,
            recount_every: RECOUNT,
            recounts: Budget { burst: BURST, refill: REFILL },
        };
        Self { standing: Standing::new(pace), now: Instant::now() }
    }

    fn recovered(&mut self, open: &[&str]) -> Vec<String> {
        let open = open.iter().map(|text| (subject(text), HashMap::new())).collect();
        self.standing.recovered(open, self.now);
        self.told()
    }

    fn stand(&mut self, of: &str, faults: &[&str]) -> Vec<String> {
        self.find(of, faults.iter().map(|message| fault(of, message)).collect())
    }

    fn find(&mut self, of: &str, faults: Vec<Fault>) -> Vec<String> {
        let resolved = telling(of, "resolved", Role::Resolution);
        self.standing.stand(&subject(of), faults, Some(resolved), self.now);
        self.told()
    }

    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.told()
    }

    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(Wanted { due, telling, .. }) = self.standing.due(self.now) {
            self.standing.told(due, self.now);
            told.push(telling.message.clone());
        }
        told.sort();
        told
    }

    fn refuse(&mut self, wait: Duration) {
        let due = self.standing.due(self.now).unwrap().due;
        self.standing.postpone(due, self.now + wait);
    }
}

/// `text`: a uid, or a uid and a scope with a slash between.
fn subject(text: &str) -> Subject {
    let (uid, scope) = text.split_once('/').unwrap_or((text, ""));
    Subject::new(uid, scope)
}

/// A fault that is renewed and has no count.
fn fault(of: &str, message: &str) -> Fault {
    Fault { telling: telling(of, message, Role::Fault), renew: true }
}

fn telling(of: &str, message: &str, role: Role) -> Telling {
    let Subject { uid, scope } = subject(of);
    let object = ObjectReference { uid: Some(uid), ..ObjectReference::default() };
    let note = Note {
        event_type: EventType::Warning,
        reason: "Broken".into(),
        action: "Check".into(),
        message: message.into(),
        key: None,
        count: None,
        renew: true,
    };
    Telling::new("c", &object, &note, Some(Part { role, scope }))
}

const NONE: [&str; 0] = [];

#[test]
fn a_new_fault_is_told_at_once_and_the_same_set_again_tells_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
    assert_eq!(bench.stand("u1", &["a", "b"]), ["b"]);
    assert_eq!(bench.standing.faults(), 2);
}

#[test]
fn a_standing_fault_is_renewed_in_time_however_often_it_is_found() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    assert_eq!(bench.pass(RENEW / 2), NONE);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW / 2), ["a"]);
    assert_eq!(bench.pass(RENEW), ["a"]);
}

#[test]
fn a_fault_that_ended_is_not_renewed_and_the_others_are() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a", "b"]);
    assert_eq!(bench.stand("u1", &["b"]), NONE);
    assert_eq!(bench.pass(RENEW), ["b"]);
}

#[test]
fn the_end_of_the_last_fault_is_told_once() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.pass(10 * RENEW), NONE);
    assert_eq!((bench.standing.faults(), bench.standing.sets.len()), (0, 0));
}

#[test]
fn a_fault_that_comes_back_is_told_and_ended_again() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    bench.stand("u1", &[]);
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
}

#[test]
fn nothing_is_told_of_an_object_that_was_always_healthy() {
    let mut bench = Bench::starting();
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.recovered(&["u2"]), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.stand("u3", &[]), NONE);
}

#[test]
fn without_words_for_the_end_nothing_is_told_of_it() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    bench.standing.stand(&subject("u1"), vec![], None, bench.now);
    assert_eq!(bench.told(), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn an_object_that_is_gone_is_not_spoken_of() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    bench.standing.forget("u1");
    assert_eq!(bench.pass(RENEW), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.standing.faults(), 0);
}

#[test]
fn a_fault_in_other_words_is_told_at_once() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    let mut reworded = fault("u1", "a");
    reworded.telling.message = "b".into();
    assert_eq!(bench.find("u1", vec![reworded]), ["b"]);
}

#[test]
fn a_fault_fixed_while_nobody_ran_is_ended_by_the_first_look_that_finds_none() {
    let mut bench = Bench::starting();
    assert_eq!(bench.recovered(&["u1"]), NONE);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn a_look_before_the_past_is_known_is_answered_when_it_is() {
    let mut bench = Bench::starting();
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.recovered(&["u1"]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn a_fault_found_again_after_a_restart_is_told_again_and_ended_once() {
    let mut bench = Bench::starting();
    bench.recovered(&["u1"]);
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn what_was_found_and_ended_before_the_past_is_known_is_ended_once() {
    let mut bench = Bench::starting();
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.recovered(&["u1"]), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn an_object_gone_before_the_past_is_known_is_not_spoken_of() {
    let mut bench = Bench::starting();
    bench.stand("u1", &[]);
    bench.standing.forget("u1");
    assert_eq!(bench.recovered(&["u1"]), NONE);
}

#[test]
fn what_finds_no_room_is_told_later() {
    let mut bench = Bench::new();
    let wait = Duration::from_secs(5);
    bench.standing.stand(&subject("u1"), vec![fault("u1", "a")], None, bench.now);
    bench.refuse(wait);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
    assert_eq!(bench.pass(wait), ["a"]);
    assert_eq!(bench.pass(RENEW), ["a"]);
}

#[test]
fn an_end_that_finds_no_room_is_told_later_and_once() {
    let mut bench = Bench::new();
    let wait = Duration::from_secs(5);
    bench.stand("u1", &["a"]);
    let resolved = telling("u1", "resolved", Role::Resolution);
    bench.standing.stand(&subject("u1"), vec![], Some(resolved), bench.now);
    bench.refuse(wait);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.pass(wait), ["resolved"]);
    assert_eq!(bench.pass(RENEW), NONE);
}

#[test]
fn an_end_that_was_not_told_yet_is_not_told_when_the_fault_is_back() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    let resolved = telling("u1", "resolved", Role::Resolution);
    bench.standing.stand(&subject("u1"), vec![], Some(resolved), bench.now);
    bench.refuse(Duration::from_secs(5));
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.pass(RENEW), ["a"]);
}

#[test]
fn two_scopes_of_one_object_stand_and_end_separately() {
    let mut bench = Bench::new();
    assert_eq!(bench.stand("u1/a", &["broken"]), ["broken"]);
    assert_eq!(bench.stand("u1/b", &["broken"]), ["broken"]);
    assert_eq!(bench.standing.faults(), 2);
    assert_eq!(bench.stand("u1/a", &[]), ["resolved"]);
    assert_eq!(bench.pass(RENEW), ["broken"]);
    assert_eq!(bench.stand("u1/b", &[]), ["resolved"]);
    assert_eq!(bench.pass(RENEW), NONE);
}

#[test]
fn a_healthy_scope_says_nothing_of_the_faults_of_another() {
    let mut bench = Bench::new();
    bench.stand("u1/a", &["broken"]);
    assert_eq!(bench.stand("u1/b", &[]), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!(bench.pass(RENEW), ["broken"]);
}

#[test]
fn after_a_restart_each_scope_is_ended_by_its_own_look_in_any_order() {
    for [first, second] in [["u1/a", "u1/b"], ["u1/b", "u1/a"]] {
        let mut bench = Bench::starting();
        bench.recovered(&["u1/a", "u1/b"]);
        assert_eq!(bench.stand("u1/healthy", &[]), NONE);
        assert_eq!(bench.stand(first, &[]), ["resolved"]);
        assert_eq!(bench.stand(second, &["broken"]), ["broken"]);
        assert_eq!(bench.stand(first, &[]), NONE);
        assert_eq!(bench.stand(second, &[]), ["resolved"]);
    }
}

#[test]
fn a_look_at_one_scope_before_the_past_is_known_decides_no_other() {
    let mut bench = Bench::starting();
    assert_eq!(bench.stand("u1/healthy", &[]), NONE);
    assert_eq!(bench.stand("u1/ended", &[]), NONE);
    assert_eq!(bench.stand("u1/stands", &["broken"]), ["broken"]);
    assert_eq!(bench.recovered(&["u1/ended", "u1/stands", "u1/later"]), ["resolved"]);
    assert_eq!(bench.stand("u1/later", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1/stands", &[]), ["resolved"]);
}

#[test]
fn a_scope_that_nobody_judges_any_more_is_not_spoken_of_and_the_others_are() {
    let mut bench = Bench::new();
    bench.stand("u1/a", &["broken"]);
    bench.stand("u1/b", &["broken"]);
    bench.standing.forget_scope(&subject("u1/a"));
    assert_eq!(bench.stand("u1/a", &[]), NONE);
    assert_eq!(bench.pass(RENEW), ["broken"]);
    assert_eq!(bench.stand("u1/b", &[]), ["resolved"]);
}

#[test]
fn a_scope_forgotten_before_the_past_is_known_is_not_spoken_of() {
    let mut bench = Bench::starting();
    bench.stand("u1/a", &[]);
    bench.standing.forget_scope(&subject("u1/a"));
    assert_eq!(bench.recovered(&["u1/a", "u1/b"]), NONE);
    assert_eq!(bench.stand("u1/a", &[]), NONE);
    assert_eq!(bench.stand("u1/b", &[]), ["resolved"]);
}

#[test]
fn a_scope_told_before_a_restart_and_forgotten_after_it_is_not_spoken_of() {
    let mut bench = Bench::starting();
    bench.recovered(&["u1/a", "u1/b"]);
    bench.standing.forget_scope(&subject("u1/a"));
    assert_eq!(bench.stand("u1/a", &[]), NONE);
    assert_eq!(bench.stand("u1/b", &[]), ["resolved"]);
}

#[test]
fn an_object_that_is_gone_takes_all_its_scopes_along_and_no_other_object() {
    let mut bench = Bench::starting();
    bench.stand("gone-early/a", &[]);
    bench.standing.forget("gone-early");
    bench.recovered(&["gone-early/a", "gone-early/b", "u1/a", "u2/a"]);
    for of in ["u0/z", "u1/b", "u1/c", "u2/b"] {
        bench.stand(of, &[of]);
    }
    bench.standing.forget("u1");
    assert_eq!(bench.pass(RENEW), ["u0/z", "u2/b"]);
    for of in ["gone-early/a", "gone-early/b", "u1", "u1/a", "u1/b", "u1/c"] {
        assert_eq!(bench.stand(of, &[]), NONE, "{of}");
    }
    assert_eq!(bench.stand("u2/a", &[]), ["resolved"]);
}
