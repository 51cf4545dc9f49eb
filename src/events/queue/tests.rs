use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use proptest::prelude::*;

use super::*;
use crate::events::{
    held_back::HELD_BACK_REASON,
    note::{EventType, Note, Role},
};

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits {
        pending: 100,
        pending_per_object: 10,
        per_object: Budget { burst: 2, refill: 10 * SECOND },
        overall: Budget { burst: 1000, refill: SECOND },
    }
}

fn telling(uid: &str, reason: &str, message: &str, part: Option<Part>) -> Arc<Telling> {
    let object = ObjectReference { uid: Some(uid.into()), ..ObjectReference::default() };
    let note = Note {
        event_type: EventType::Warning,
        reason: reason.into(),
        action: "Check".into(),
        message: message.into(),
        key: None,
        count: None,
        renew: true,
    };
    Arc::new(Telling::new("c", &object, &note, part))
}

fn fault_in(scope: &str) -> Option<Part> {
    Some(Part { role: Role::Fault, scope: scope.into() })
}

fn note(uid: &str, reason: &str, message: &str) -> Arc<Telling> {
    telling(uid, reason, message, None)
}

/// A queue and the time.
struct Bench {
    queue: Queue,
    now: Moment,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        let now = Moment { wall: Timestamp::UNIX_EPOCH, tick: Instant::now() };
        Self { queue: Queue::new("c", limits), now }
    }

    fn pass(&mut self, time: Duration) {
        self.now = Moment { wall: self.now.wall + time, tick: self.now.tick + time };
    }

    fn offer(&mut self, telling: &Arc<Telling>) -> bool {
        self.queue.offer(telling, self.now)
    }

    fn take(&mut self) -> Option<Batch> {
        match self.queue.take(self.now.tick) {
            Take::Now(batch) => Some(batch),
            _ => None,
        }
    }

    fn deliver(&mut self) -> Option<Batch> {
        let batch = self.take()?;
        self.queue.finished(&batch.telling.key, self.now.tick);
        Some(batch)
    }

    fn deliver_all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.deliver()).map(|b| b.telling.message.clone()).collect()
    }
}

#[test]
fn occurrences_of_one_event_are_one_batch() {
    let mut bench = Bench::new(limits());
    let started = bench.now.wall;
    for _ in 0..5 {
        assert!(bench.offer(&note("u1", "Broken", "m")));
        bench.pass(SECOND);
    }
    let tally = bench.deliver().unwrap().tally;
    assert_eq!(tally, Tally { count: 5, first: started, last: started + 4 * SECOND });
    assert!(bench.queue.is_empty());
}

#[test]
fn what_occurs_while_its_event_is_written_waits_for_that() {
    let mut bench = Bench::new(limits());
    let told = note("u1", "Broken", "m");
    assert!(bench.offer(&told));
    assert_eq!(bench.take().unwrap().tally.count, 1);
    assert!(bench.offer(&told) && bench.offer(&told));
    assert!(bench.take().is_none());
    bench.queue.finished(&told.key, bench.now.tick);
    assert_eq!(bench.deliver().unwrap().tally.count, 2);
}

#[test]
fn a_failed_batch_comes_again_as_it_was_and_later_occurrences_after_it() {
    let mut bench = Bench::new(limits());
    let told = note("u1", "Broken", "m");
    assert!(bench.offer(&told));
    let batch = bench.take().unwrap();
    assert!(bench.offer(&told));
    bench.queue.retry(batch.clone(), bench.now.tick + SECOND);
    assert!(bench.take().is_none());
    bench.pass(SECOND);
    let again = bench.take().unwrap();
    assert_eq!((again.tally, again.failures), (batch.tally, 1));
    bench.queue.finished(&told.key, bench.now.tick);
    assert_eq!(bench.deliver().unwrap().tally.count, 1);
}

#[test]
fn the_newest_words_for_one_key_are_told() {
    let mut bench = Bench::new(limits());
    let keyed = |message: &str| {
        Arc::new(Telling { message: message.into(), ..(*note("u1", "Broken", "k")).clone() })
    };
    assert!(bench.offer(&keyed("3 Pods")) && bench.offer(&keyed("4 Pods")));
    assert_eq!(bench.deliver().unwrap().telling.message, "4 Pods");
}

#[test]
fn a_repeat_waits_for_the_budget_of_its_object() {
    let mut bench = Bench::new(limits());
    for message in ["1", "2", "3", "4"] {
        assert!(bench.offer(&note("u1", "Broken", message)));
    }
    assert_eq!(bench.deliver_all(), ["1", "2"]);
    let Take::NotBefore(at) = bench.queue.take(bench.now.tick) else { panic!("nothing waits") };
    assert_eq!(at, bench.now.tick + 10 * SECOND);
    bench.pass(10 * SECOND);
    assert_eq!(bench.deliver_all(), ["3"]);
}

#[test]
fn the_first_occurrence_of_a_reason_waits_for_no_budget_of_its_object() {
    let mut bench = Bench::new(limits());
    for n in 0..20 {
        assert!(bench.offer(&note("u1", &format!("Reason{n}"), "m")));
    }
    assert_eq!(bench.deliver_all().len(), 20);
}

#[test]
fn first_occurrences_go_before_repeats_of_any_object() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&note("u1", "Broken", "first")));
    assert!(bench.offer(&note("u1", "Broken", "second")));
    assert!(bench.offer(&note("u2", "Broken", "other")));
    assert_eq!(bench.deliver_all(), ["first", "other", "second"]);
}

#[test]
fn a_recount_waits_for_no_budget_of_its_object_and_spends_none() {
    let mut bench = Bench::new(limits());
    for message in ["1", "2", "3", "4"] {
        assert!(bench.offer(&note("u1", "Broken", message)));
    }
    assert_eq!(bench.deliver_all(), ["1", "2"]);
    for _ in 0..5 {
        assert!(bench.queue.recount(&note("u1", "Broken", "1"), bench.now));
        assert_eq!(bench.deliver_all(), ["1"]);
    }
    bench.pass(10 * SECOND);
    assert_eq!(bench.deliver_all(), ["3"]);
}

#[test]
fn a_recount_of_what_waits_for_the_budget_frees_it() {
    let mut bench = Bench::new(limits());
    for message in ["1", "2", "3", "4"] {
        assert!(bench.offer(&note("u1", "Broken", message)));
    }
    assert_eq!(bench.deliver_all(), ["1", "2"]);
    assert!(bench.queue.recount(&note("u1", "Broken", "4"), bench.now));
    assert_eq!(bench.deliver_all(), ["4"]);
    assert!(bench.offer(&note("u1", "Broken", "4")));
    assert_eq!(bench.deliver_all(), Vec::<String>::new());
}

#[test]
fn a_recount_of_what_is_being_written_or_failed_waits_for_that() {
    let mut bench = Bench::new(limits());
    let told = note("u1", "Broken", "1");
    assert!(bench.offer(&told));
    let batch = bench.take().unwrap();
    assert!(bench.queue.recount(&told, bench.now) && bench.take().is_none());
    bench.queue.retry(batch, bench.now.tick + SECOND);
    assert!(bench.queue.recount(&told, bench.now) && bench.take().is_none());
    bench.pass(SECOND);
    assert_eq!(bench.take().unwrap().failures, 1);
    for message in ["2", "3"] {
        assert!(bench.offer(&note("u1", "Broken", message)));
    }
    assert_eq!(bench.deliver_all(), ["2"]);
    bench.queue.finished(&told.key, bench.now.tick);
    assert_eq!(bench.deliver_all(), ["1"]);
}

#[test]
fn a_recount_finds_room_where_its_object_has_none_but_not_that_of_first_occurrences() {
    let mut bench = Bench::new(Limits { pending: 16, ..limits() });
    for n in 0..10 {
        assert!(bench.offer(&note("u1", "Broken", &n.to_string())));
    }
    assert!(!bench.offer(&note("u1", "Broken", "more")));
    assert!(bench.queue.recount(&note("u1", "Broken", "count"), bench.now));
    assert!(bench.queue.recount(&note("u1", "Broken", "another"), bench.now));
    assert!(!bench.queue.recount(&note("u1", "Broken", "one too many"), bench.now));
}

#[test]
fn one_object_does_not_hold_up_another() {
    let mut bench = Bench::new(limits());
    for n in 0..10 {
        assert!(bench.offer(&note("u1", "Broken", &n.to_string())));
    }
    bench.deliver_all();
    assert!(bench.offer(&note("u2", "Broken", "a")) && bench.offer(&note("u2", "Broken", "b")));
    assert_eq!(bench.deliver_all(), ["a", "b"]);
}

#[test]
fn the_overall_budget_binds_all() {
    let overall = Budget { burst: 3, refill: SECOND };
    let mut bench = Bench::new(Limits { overall, ..limits() });
    for n in 0..10 {
        assert!(bench.offer(&note(&n.to_string(), "Broken", "m")));
    }
    assert_eq!(bench.deliver_all().len(), 3);
    bench.pass(2 * SECOND);
    assert_eq!(bench.deliver_all().len(), 2);
}

#[test]
fn many_messages_of_one_object_leave_room_for_others_and_are_summed_up() {
    let mut bench = Bench::new(limits());
    let mut held = 0;
    for n in 0..50 {
        let told = note("u1", "Broken", &n.to_string());
        if !bench.offer(&told) {
            assert!(bench.queue.hold_back(&told, bench.now));
            held += 1;
        }
    }
    assert_eq!(held, 40);
    assert_eq!(bench.queue.len(), 11);
    assert!(bench.offer(&note("u2", "Broken", "m")));

    let mut last = None;
    for _ in 0..20 {
        while let Some(batch) = bench.deliver() {
            last = (batch.telling.reason == HELD_BACK_REASON).then_some(batch).or(last);
        }
        bench.pass(10 * SECOND);
    }
    let summary = last.unwrap();
    assert_eq!(summary.tally.count, 40);
    assert!(summary.telling.message.starts_with("40 more about this object"));
    assert!(bench.queue.is_empty());
}

#[test]
fn a_quarter_of_the_room_is_kept_for_first_occurrences() {
    let mut bench = Bench::new(Limits { pending: 8, pending_per_object: 100, ..limits() });
    for n in 0..8 {
        bench.offer(&note("u1", "Broken", &n.to_string()));
    }
    assert_eq!(bench.queue.len(), 6);
    assert!(bench.offer(&note("u2", "Broken", "m")));
    assert!(bench.offer(&note("u3", "Broken", "m")));
    assert!(!bench.offer(&note("u4", "Broken", "m")));
}

#[test]
fn a_first_occurrence_that_found_no_room_is_still_the_first() {
    let mut bench = Bench::new(Limits { pending: 1, ..limits() });
    assert!(bench.offer(&note("u1", "Broken", "m")));
    let second = note("u2", "Broken", "m");
    assert!(!bench.offer(&second));
    bench.deliver_all();
    assert!(bench.offer(&second));
}

#[test]
fn without_any_room_an_occurrence_is_dropped_and_nothing_grows() {
    let mut bench = Bench::new(Limits { pending: 4, ..limits() });
    for n in 0..100 {
        let told = note(&n.to_string(), "Broken", "m");
        let _ = bench.offer(&told) || bench.queue.hold_back(&told, bench.now);
    }
    assert_eq!((bench.queue.len(), bench.queue.objects.len()), (4, 4));
}

#[test]
fn nothing_is_taken_during_a_pause() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&note("u1", "Broken", "m")));
    bench.queue.pause(bench.now.tick + SECOND);
    bench.queue.pause(bench.now.tick);
    assert!(bench.take().is_none());
    bench.pass(SECOND);
    assert!(bench.take().is_some());
}

#[test]
fn what_stood_on_an_object_that_is_gone_is_dropped_and_what_happened_to_it_is_told() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&telling("u1", "Broken", "stands", fault_in(""))));
    assert!(bench.offer(&note("u1", "Injected", "happened")));
    bench.queue.forget("u1", bench.now.tick);
    assert_eq!(bench.deliver_all(), ["happened"]);
}

#[test]
fn what_stood_in_a_scope_that_is_forgotten_is_dropped_and_other_scopes_are_told() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&telling("u1", "Broken", "in a", fault_in("a"))));
    assert!(bench.offer(&telling("u1", "Broken", "in b", fault_in("b"))));
    assert!(bench.offer(&telling("u2", "Broken", "of another", fault_in("a"))));
    assert!(bench.offer(&note("u1", "Injected", "happened")));
    bench.queue.forget_scope("u1", "a", bench.now.tick);
    let mut told = bench.deliver_all();
    told.sort();
    assert_eq!(told, ["happened", "in b", "of another"]);
}

#[test]
fn a_batch_in_flight_of_an_object_that_is_gone_is_not_tried_again() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&telling("u1", "Broken", "stands", fault_in(""))));
    let batch = bench.take().unwrap();
    bench.queue.forget("u1", bench.now.tick);
    bench.queue.retry(batch, bench.now.tick);
    assert!(bench.queue.is_empty() && bench.queue.objects.is_empty());
    assert!(bench.take().is_none());
}

#[test]
fn an_event_keeps_its_role_when_it_is_also_recorded() {
    let mut bench = Bench::new(limits());
    assert!(bench.offer(&telling("u1", "Broken", "m", fault_in(""))));
    assert!(bench.offer(&note("u1", "Broken", "m")));
    assert_eq!(bench.deliver().unwrap().telling.role(), Some(Role::Fault));
}

#[test]
fn objects_at_rest_are_forgotten() {
    let mut bench = Bench::new(limits());
    for n in 0..1000 {
        assert!(bench.offer(&note(&n.to_string(), "Broken", "m")));
        bench.deliver_all();
        bench.pass(SECOND);
    }
    assert!(bench.queue.objects.len() <= 64, "{}", bench.queue.objects.len());
}

#[derive(Clone, Debug)]
enum Step {
    Offer { object: u8, reason: u8, message: u8 },
    Deliver,
    Fail,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offer = (0u8..3, 0u8..3, 0u8..20).prop_map(|(object, reason, message)| Step::Offer {
        object,
        reason,
        message,
    });
    let step = prop_oneof![6 => offer, 2 => Just(Step::Deliver), 1 => Just(Step::Fail), 1 => (0u64..20).prop_map(Step::Pass)];
    prop::collection::vec(step, 0..300)
}

proptest! {
    /// Each occurrence is delivered, or counted in a summary, or was refused: exactly one of them.
    #[test]
    fn no_occurrence_is_lost_or_counted_twice(steps in steps()) {
        let mut bench = Bench::new(Limits { pending: 12, pending_per_object: 5, ..limits() });
        let (mut offered, mut delivered) = (0, 0);
        for step in steps {
            match step {
                Step::Offer { object, reason, message } => {
                    let told = note(&object.to_string(), &reason.to_string(), &message.to_string());
                    let kept = bench.offer(&told) || bench.queue.hold_back(&told, bench.now);
                    offered += u32::from(kept);
                }
                Step::Deliver => delivered += bench.deliver().map_or(0, |batch| batch.tally.count),
                Step::Fail => {
                    if let Some(batch) = bench.take() {
                        bench.queue.retry(batch, bench.now.tick + SECOND);
                    }
                }
                Step::Pass(seconds) => bench.pass(Duration::from_secs(seconds)),
            }
            prop_assert!(bench.queue.len() <= 12);
        }
        while !bench.queue.is_empty() {
            delivered += bench.deliver().map_or(0, |batch| batch.tally.count);
            bench.pass(SECOND);
        }
        prop_assert_eq!(delivered, offered);
        prop_assert!(bench.queue.firsts.is_empty() && bench.queue.repeats.is_empty());
        prop_assert!(bench.queue.objects.values().all(|object| object.waiting == 0));
    }
}
