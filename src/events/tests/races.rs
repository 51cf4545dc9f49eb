//! Several writers of one Event, and Events that vanish.

use hyper::Method;
use tokio::time::sleep;

use super::{
    PKI, RENEW, Replica,
    fake::{FakeServer, Trouble},
    fault, fixed, pod,
};
use crate::events::Cause;

#[tokio::test(start_paused = true)]
async fn an_event_deleted_or_expired_is_created_anew_with_its_count() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    server.until(|s| s.count("typo") == Some(3)).await;
    server.delete_all();
    server.until(|s| s.count("typo") == Some(4)).await;
    assert_eq!(server.events()[0]["firstTimestamp"], "2026-11-21T12:00:00Z");
    assert_eq!(replica.recorder.stats().created(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_expires_during_an_outage_keeps_its_count() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    server.until(|s| s.count("typo") == Some(3)).await;
    server.outage(3 * RENEW, Trouble::Broken);
    sleep(2 * RENEW).await;
    server.delete_all();
    server.until(|s| s.count("typo").is_some()).await;
    replica.settle().await;
    assert!(server.count("typo") >= Some(6), "{:?}", server.count("typo"));
    assert_eq!(server.events()[0]["firstTimestamp"], "2026-11-21T12:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn no_count_is_lost_when_replicas_race() {
    let server = FakeServer::default();
    let one = Replica::start_with(&server, |o| o.instance = "one".into());
    let two = Replica::start_with(&server, |o| o.instance = "two".into());
    for round in 1..=10 {
        for replica in [&one, &two] {
            replica.recorder.record(&pod("app1"), fault("typo"));
        }
        one.settle().await;
        two.settle().await;
        assert_eq!(server.count("typo"), Some(2 * round));
    }
    assert_eq!(server.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_raise_that_others_overtake_is_reckoned_anew() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    server.trouble(Method::PATCH, [Trouble::Raced, Trouble::Raced]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    assert_eq!(server.count("typo"), Some(4));
}

#[tokio::test(start_paused = true)]
async fn one_who_is_always_overtaken_tries_again_later() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    server.trouble(Method::PATCH, vec![Trouble::Raced; 7]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    assert_eq!(server.count("typo"), Some(9));
    assert_eq!(replica.recorder.stats().retried(Cause::Conflict), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_expires_between_read_and_raise_is_created_with_its_count() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    server.trouble(Method::PATCH, [Trouble::Raced, Trouble::Expired]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    assert_eq!(server.count("typo"), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_write_of_which_only_the_answer_was_lost_is_not_counted_twice() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    server.trouble(Method::POST, [Trouble::Lost]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    assert_eq!(server.count("typo"), Some(1));
    server.trouble(Method::PATCH, [Trouble::Lost]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    // Joins no batch that may have been written already.
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    assert_eq!(server.count("typo"), Some(4));
}
