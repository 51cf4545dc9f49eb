//! Faults that have a count.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
/// No counts.
const SILENCE: [i32; 0] = [];

/// The fault "pods" with a count, said in the same words unless `message` has others.
fn counted(count: i32, message: &str) -> Fault {
    let telling = Telling {
        count: Some(count),
        message: message.into(),
        ..telling("u1", "pods", Role::Fault)
    };
    Fault { telling, renew: true }
}

impl Bench {
    /// Counts told when the fault is found with `count`.
    fn count(&mut self, count: i32) -> Vec<i32> {
        let found = vec![counted(count, "pods")];
        self.standing.stand(&subject("u1"), found, None, self.now);
        self.counts_told()
    }

    fn counts_after(&mut self, time: Duration) -> Vec<i32> {
        self.now += time;
        self.counts_told()
    }

    fn counts_told(&mut self) -> Vec<i32> {
        let mut told = Vec::new();
        while let Some(Wanted { due, telling, .. }) = self.standing.due(self.now) {
            self.standing.told(due, self.now);
            told.extend(telling.count);
        }
        told
    }
}

#[test]
fn a_changed_count_after_a_rest_is_told_at_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.count(1), [1]);
    assert_eq!(bench.counts_after(RECOUNT), SILENCE);
    assert_eq!(bench.count(2), [2]);
}

#[test]
fn the_same_count_again_tells_nothing_and_is_renewed() {
    let mut bench = Bench::new();
    assert_eq!(bench.count(7), [7]);
    assert_eq!(bench.counts_after(RENEW / 2), SILENCE);
    assert_eq!(bench.count(7), SILENCE);
    assert_eq!(bench.counts_after(RENEW / 2), [7]);
}

#[test]
fn a_thousand_counts_in_a_second_are_told_by_the_first_and_the_last() {
    let mut bench = Bench::new();
    let mut told = Vec::new();
    for count in 1..=1000 {
        told.extend(bench.count(count));
        told.extend(bench.counts_after(RECOUNT / 1001));
    }
    told.extend(bench.counts_after(RECOUNT));
    assert_eq!(told, [1, 1000]);
}

#[test]
fn a_storm_without_end_is_told_at_the_pace_of_the_budget_and_its_last_count_soon() {
    let mut bench = Bench::new();
    let mut told = Vec::new();
    for count in 1..=6000 {
        told.extend(bench.count(count));
        told.extend(bench.counts_after(Duration::from_millis(100)));
    }
    let most = 1 + BURST + (10 * MINUTE).div_duration_f64(REFILL) as u32 + 1;
    assert!(told.len() <= most as usize, "{told:?}");
    assert!(told.len() >= 40, "{told:?}");
    assert_eq!(bench.counts_after(REFILL), [6000]);
    assert_eq!(bench.counts_after(MINUTE), SILENCE);
}

#[test]
fn other_words_with_a_count_wait_as_the_count_does() {
    let mut bench = Bench::new();
    bench.count(1);
    assert_eq!(bench.find("u1", vec![counted(2, "two pods")]), NONE);
    assert_eq!(bench.find("u1", vec![counted(2, "both pods")]), NONE);
    assert_eq!(bench.pass(RECOUNT), ["both pods"]);
    assert_eq!(bench.pass(RENEW), ["both pods"]);
}

#[test]
fn another_count_keeps_a_fault_waiting_that_found_no_room() {
    let mut bench = Bench::new();
    let wait = Duration::from_secs(5);
    bench.standing.stand(&subject("u1"), vec![counted(1, "pods")], None, bench.now);
    bench.refuse(wait);
    assert_eq!(bench.count(2), SILENCE);
    assert_eq!(bench.counts_after(wait), [2]);
}

#[test]
fn only_another_count_of_a_fault_told_before_is_a_recount() {
    let mut bench = Bench::new();
    let wanted = |bench: &mut Bench, count| {
        bench.standing.stand(&subject("u1"), vec![counted(count, "pods")], None, bench.now);
        let Wanted { due, is_recount, .. } = bench.standing.due(bench.now).unwrap();
        bench.standing.told(due, bench.now);
        bench.now += RECOUNT;
        is_recount
    };
    assert!(!wanted(&mut bench, 1));
    assert!(wanted(&mut bench, 2));
    bench.now += RENEW;
    assert!(!wanted(&mut bench, 2));
}

#[test]
fn a_fault_that_ends_before_its_count_is_told_ends_all_the_same() {
    let mut bench = Bench::new();
    bench.count(1);
    bench.count(2);
    assert_eq!(bench.stand("u1", &[]), ["resolved"]);
    assert_eq!(bench.pass(RENEW), NONE);
}

#[test]
fn a_fault_that_is_not_renewed_tells_its_counts_and_nothing_else() {
    let mut bench = Bench::new();
    let quiet = |count| vec![Fault { renew: false, ..counted(count, "pods") }];
    assert_eq!(bench.find("u1", quiet(1)), ["pods"]);
    assert_eq!(bench.pass(RENEW), NONE);
    assert_eq!(bench.find("u1", quiet(2)), ["pods"]);
    assert_eq!(bench.find("u1", quiet(2)), NONE);
    assert_eq!(bench.pass(10 * RENEW), NONE);
}
