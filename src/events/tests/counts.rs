//! Faults that say how many things they are about.

use std::time::Duration;

use hyper::Method;
use tokio::time::sleep;

use super::{
    MINUTE, PKI, RENEW, Replica,
    fake::{FakeServer, Trouble},
    fault, fixed, pod,
};
use crate::events::{Budget, Note};

const SECOND: Duration = Duration::from_secs(1);

/// The fault "pods", of so many.
fn pods(count: i32) -> Note {
    Note { count: Some(count), ..fault("pods") }
}

fn find(replica: &Replica, count: i32) {
    replica.recorder.stand(&pod("app1"), PKI, vec![pods(count)], fixed());
}

#[tokio::test(start_paused = true)]
async fn a_count_is_set_and_renewals_write_it_again() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, 7);
    server.until(|s| s.count("pods") == Some(7)).await;
    sleep(2 * RENEW).await;
    assert_eq!((server.count("pods"), server.writes()), (Some(7), 3));
    assert_eq!(server.events()[0]["lastTimestamp"], "2026-11-21T12:40:00Z");
    find(&replica, 3);
    server.until(|s| s.count("pods") == Some(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rises_within_a_second_are_a_few_writes_and_the_last_count_arrives() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.settle().await;
    for count in 1..=1000 {
        find(&replica, count);
        sleep(SECOND / 1001).await;
    }
    sleep(2 * SECOND).await;
    assert_eq!(server.count("pods"), Some(1000));
    assert!(server.writes() <= 3, "{}", server.writes());
}

#[tokio::test(start_paused = true)]
async fn after_a_long_storm_the_last_count_does_not_wait_behind_the_rest_of_its_object() {
    let server = FakeServer::default();
    let budget = Budget { burst: 5, refill: 15 * SECOND };
    let replica = Replica::start_with(&server, |o| o.per_object = budget);
    find(&replica, 1);
    replica.settle().await;
    // The object's budget is spent for many minutes.
    for n in 0..60 {
        replica.recorder.record(&pod("app1"), fault(&format!("message {n}")));
    }
    for count in 2..=1200 {
        find(&replica, count);
        sleep(SECOND / 10).await;
    }
    sleep(15 * SECOND).await;
    assert_eq!(server.count("pods"), Some(1200));
    assert!(replica.recorder.stats().pending() > 10);
    let within_two_minutes = 5 + 9;
    assert!(server.writes() <= 1 + 2 * within_two_minutes, "{}", server.writes());
}

#[tokio::test(start_paused = true)]
async fn counts_do_not_spend_the_budget_of_their_object() {
    let server = FakeServer::default();
    let replica =
        Replica::start_with(&server, |o| o.per_object = Budget { burst: 2, refill: MINUTE });
    for count in 1..=30 {
        find(&replica, count);
        sleep(SECOND).await;
    }
    replica.recorder.record(&pod("app1"), fault("typo"));
    sleep(SECOND).await;
    assert_eq!(server.count("typo"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_last_count_of_a_storm_in_an_outage_is_told_when_it_is_over() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, 1);
    replica.settle().await;
    server.outage(10 * MINUTE, Trouble::Broken);
    for count in 2..=50 {
        find(&replica, count);
        sleep(10 * SECOND).await;
    }
    server.until(|s| s.count("pods") == Some(50)).await;
    sleep(10 * MINUTE).await;
    assert_eq!(server.count("pods"), Some(50));
}

#[tokio::test(start_paused = true)]
async fn a_count_that_others_overtake_is_set_again() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, 7);
    replica.settle().await;
    server.trouble(Method::PATCH, [Trouble::Raced, Trouble::Raced]);
    sleep(SECOND).await;
    find(&replica, 8);
    replica.settle().await;
    assert_eq!(server.count("pods"), Some(8));
    server.delete_all();
    find(&replica, 5);
    server.until(|s| s.count("pods") == Some(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_count_of_which_only_the_answer_was_lost_is_written_once_and_the_next_after_it() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, 7);
    replica.settle().await;
    server.trouble(Method::PATCH, [Trouble::Lost]);
    sleep(SECOND).await;
    find(&replica, 8);
    replica.settle().await;
    assert_eq!(server.count("pods"), Some(8));
    let lost = server.events()[0]["metadata"]["resourceVersion"].clone();
    assert_eq!(lost, "2");
    find(&replica, 9);
    server.until(|s| s.count("pods") == Some(9)).await;
    assert_eq!(server.events()[0]["metadata"]["resourceVersion"], "3");
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_may_have_a_count_too() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    for count in [5, 3, 0] {
        replica.recorder.record(&pod("app1"), pods(count));
        replica.settle().await;
        assert_eq!(server.count("pods"), Some(count.max(1).into()));
    }
}
