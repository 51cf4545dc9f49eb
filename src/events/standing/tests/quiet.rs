//! Faults that are not renewed.

use super::*;

fn quiet(of: &str, message: &str) -> Fault {
    Fault { renew: false, ..fault(of, message) }
}

impl Bench {
    fn quiet(&mut self, of: &str, faults: &[&str]) -> Vec<String> {
        self.find(of, faults.iter().map(|message| quiet(of, message)).collect())
    }

    /// An earlier process told these faults of the subject, so long ago.
    fn remembers(&mut self, of: &str, faults: &[&str], ago: Duration) -> Vec<String> {
        let told = |message: &str| Told { message: message.into(), count: 1, ago };
        let faults =
            faults.iter().map(|message| (fault(of, message).telling.key, told(message))).collect();
        self.standing.recovered([(subject(of), faults)].into(), self.now);
        self.told()
    }
}

#[test]
fn a_fault_that_is_not_renewed_is_told_once_and_its_end_too() {
    let mut bench = Bench::new();
    assert_eq!(bench.quiet("u1", &["a"]), ["a"]);
    assert_eq!(bench.pass(10 * RENEW), NONE);
    assert_eq!(bench.quiet("u1", &["a"]), NONE);
    assert_eq!(bench.standing.faults(), 1);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u1", &[]), NONE);
    assert_eq!((bench.standing.faults(), bench.standing.sets.len()), (0, 0));
}

#[test]
fn a_fault_that_is_not_renewed_is_told_again_in_other_words() {
    let mut bench = Bench::new();
    bench.quiet("u1", &["a"]);
    let mut reworded = quiet("u1", "a");
    reworded.telling.message = "b".into();
    assert_eq!(bench.find("u1", vec![reworded]), ["b"]);
    assert_eq!(bench.pass(RENEW), NONE);
}

#[test]
fn renewals_begin_in_their_time_after_the_last_telling() {
    let mut bench = Bench::new();
    bench.quiet("u1", &["a"]);
    bench.pass(RENEW / 4);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW / 2), NONE);
    assert_eq!(bench.pass(RENEW / 4), ["a"]);
    assert_eq!(bench.pass(RENEW), ["a"]);
}

#[test]
fn renewals_whose_time_is_past_begin_at_once() {
    let mut bench = Bench::new();
    bench.quiet("u1", &["a"]);
    bench.pass(3 * RENEW);
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
}

#[test]
fn renewals_stop_when_they_are_not_wanted_any_more() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a", "b"]);
    bench.find("u1", vec![quiet("u1", "a"), fault("u1", "b")]);
    assert_eq!(bench.pass(RENEW), ["b"]);
    assert_eq!(bench.quiet("u1", &["b"]), NONE);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
}

#[test]
fn a_renewal_that_found_no_room_stops_too() {
    let mut bench = Bench::new();
    bench.stand("u1", &["a"]);
    bench.now += RENEW;
    bench.refuse(Duration::from_secs(5));
    assert_eq!(bench.quiet("u1", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW), NONE);
}

#[test]
fn what_an_earlier_process_told_is_not_told_again() {
    let mut bench = Bench::starting();
    assert_eq!(bench.remembers("u1", &["a"], RENEW), NONE);
    assert_eq!(bench.quiet("u1", &["a", "new"]), ["new"]);
    assert_eq!(bench.pass(RENEW), NONE);
    assert_eq!(bench.quiet("u1", &[]), ["resolved"]);
    assert_eq!(bench.quiet("u1", &["a"]), ["a"]);
}

#[test]
fn a_look_before_the_past_is_known_waits_for_it() {
    let mut bench = Bench::starting();
    assert_eq!(bench.quiet("u1", &["a", "new"]), NONE);
    assert_eq!(bench.quiet("u2", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW), NONE);
    assert_eq!(bench.remembers("u1", &["a"], RENEW), ["a", "new"]);
    assert_eq!(bench.quiet("u1", &["a", "new"]), NONE);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.stand("u2", &[]), ["resolved"]);
}

#[test]
fn a_past_that_stays_unknown_leaves_everything_to_be_told() {
    let mut bench = Bench::starting();
    bench.quiet("u1", &["a"]);
    assert_eq!(bench.recovered(&[]), ["a"]);
}

#[test]
fn what_an_earlier_process_told_in_other_words_or_with_another_count_is_told() {
    let mut bench = Bench::starting();
    let mut faults = [quiet("u1", "a"), quiet("u1", "b"), quiet("u1", "c")];
    faults[0].telling.message = "a in other words".into();
    faults[1].telling.count = Some(2);
    faults[2].telling.count = Some(1);
    bench.remembers("u1", &["a", "b", "c"], RENEW);
    assert_eq!(bench.find("u1", faults.to_vec()), ["a in other words", "b"]);
}

#[test]
fn what_an_earlier_process_told_is_renewed_in_its_time_when_that_is_wanted() {
    let mut bench = Bench::starting();
    bench.remembers("u1", &["a"], RENEW / 4);
    bench.quiet("u1", &["a"]);
    assert_eq!(bench.stand("u1", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW / 2), NONE);
    assert_eq!(bench.pass(RENEW / 4), ["a"]);
}

#[test]
fn a_renewal_wanted_before_the_past_is_known_is_told_at_once() {
    let mut bench = Bench::starting();
    bench.quiet("u1", &["a"]);
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.remembers("u1", &["a"], RENEW), NONE);
}

#[test]
fn a_fault_that_was_never_told_ends_without_a_word() {
    let mut bench = Bench::starting();
    assert_eq!(bench.quiet("u1", &["a"]), NONE);
    assert_eq!(bench.quiet("u1", &[]), NONE);
    assert_eq!(bench.recovered(&[]), NONE);
    assert_eq!(bench.stand("u1", &[]), NONE);
}

#[test]
fn a_fault_that_ended_before_the_past_is_known_is_ended_if_it_was_told() {
    let mut bench = Bench::starting();
    bench.quiet("u1", &["a"]);
    assert_eq!(bench.quiet("u1", &[]), NONE);
    assert_eq!(bench.quiet("u1", &[]), NONE);
    assert_eq!(bench.remembers("u1", &["a"], RENEW), ["resolved"]);
}

#[test]
fn a_fault_that_is_back_after_its_end_was_told_is_new_whatever_was_told_before() {
    let mut bench = Bench::starting();
    assert_eq!(bench.stand("u1", &["a"]), ["a"]);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.quiet("u1", &["a"]), ["a"]);
    assert_eq!(bench.remembers("u1", &["a"], RENEW), NONE);
}

#[test]
fn a_healthy_look_then_a_fault_before_the_past_is_known_ends_nothing() {
    let mut bench = Bench::starting();
    bench.stand("u1", &[]);
    bench.quiet("u1", &["a"]);
    assert_eq!(bench.remembers("u1", &["a"], RENEW), NONE);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
}

#[test]
fn an_object_gone_before_the_past_is_known_leaves_no_undecided_fault() {
    let mut bench = Bench::starting();
    bench.quiet("u1", &["a"]);
    bench.standing.forget("u1");
    assert_eq!(bench.remembers("u1", &["a"], RENEW), NONE);
    assert_eq!((bench.stand("u1", &[]), bench.standing.faults()), (vec![], 0));
}

#[test]
fn a_telling_that_was_given_up_is_tried_again_when_it_would_be_renewed() {
    let mut bench = Bench::new();
    bench.quiet("u1", &["a"]);
    let key = fault("u1", "a").telling.key;
    bench.standing.given_up(&subject("u1"), &key);
    assert_eq!(bench.quiet("u1", &["a"]), NONE);
    assert_eq!(bench.pass(RENEW), ["a"]);
    assert_eq!(bench.pass(10 * RENEW), NONE);
}
