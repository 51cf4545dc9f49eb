//! Faults that stand without being renewed.

use hyper::Method;
use serde_json::json;
use tokio::time::sleep;

use super::{
    MINUTE, PKI, RENEW, Replica,
    fake::{FakeServer, Trouble, status},
    fault, fixed, pod,
};
use crate::events::Note;

fn quiet(message: &str) -> Note {
    Note { renew: false, ..fault(message) }
}

fn find(replica: &Replica, faults: &[&str]) {
    let faults = faults.iter().map(|message| quiet(message)).collect();
    replica.recorder.stand(&pod("app1"), PKI, faults, fixed());
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_not_renewed_is_told_once_and_its_end_too() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, &["typo"]);
    sleep(10 * RENEW).await;
    find(&replica, &["typo"]);
    sleep(RENEW).await;
    assert_eq!((server.count("typo"), server.writes()), (Some(1), 1));
    find(&replica, &[]);
    server.until(|s| s.count("fixed") == Some(1)).await;
    sleep(RENEW).await;
    assert_eq!(server.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_renewed_when_and_while_that_is_wanted() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    find(&replica, &["typo"]);
    sleep(RENEW / 2).await;
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    sleep(RENEW / 2 - MINUTE).await;
    assert_eq!(server.count("typo"), Some(1));
    sleep(2 * MINUTE).await;
    assert_eq!(server.count("typo"), Some(2));
    sleep(RENEW).await;
    assert_eq!(server.count("typo"), Some(3));
    find(&replica, &["typo"]);
    sleep(3 * RENEW).await;
    assert_eq!(server.count("typo"), Some(3));
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_fault_whose_event_is_there_is_not_told_again_and_is_ended() {
    let server = FakeServer::default();
    let first = Replica::start(&server);
    find(&first, &["typo", "clash", "again"]);
    first.settle().await;
    first.kill().await;
    assert_eq!(server.writes(), 3);

    // Found before the past is known, and after.
    server.trouble(Method::GET, [Trouble::Answer(503, json!({}))]);
    let second = Replica::start(&server);
    find(&second, &["typo", "clash", "new"]);
    server.until(|s| s.count("new") == Some(1)).await;
    sleep(RENEW).await;
    assert_eq!((server.count("typo"), server.count("clash")), (Some(1), Some(1)));
    second.kill().await;
    let third = Replica::start(&server);
    third.settle().await;
    find(&third, &["typo", "clash", "new"]);
    sleep(RENEW).await;
    assert_eq!(server.writes(), 4);
    find(&third, &[]);
    server.until(|s| s.count("fixed") == Some(1)).await;
    third.kill().await;

    let last = Replica::start(&server);
    last.settle().await;
    find(&last, &["typo"]);
    server.until(|s| s.count("typo") == Some(2)).await;
    assert_eq!(server.writes(), 6);
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_fault_whose_event_expired_is_told_again() {
    let server = FakeServer::default();
    let first = Replica::start(&server);
    find(&first, &["typo"]);
    first.settle().await;
    first.kill().await;
    server.delete_all();
    let next = Replica::start(&server);
    find(&next, &["typo"]);
    server.until(|s| s.count("typo") == Some(1)).await;
}

#[tokio::test(start_paused = true)]
async fn without_leave_to_list_a_fault_that_is_not_renewed_is_told() {
    let server = FakeServer::default();
    server.trouble(Method::GET, vec![Trouble::Answer(403, status(403, "Forbidden")); 10]);
    let replica = Replica::start(&server);
    find(&replica, &["typo"]);
    server.until(|s| s.count("typo") == Some(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_not_renewed_and_was_refused_is_tried_again() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    server.trouble(Method::POST, [Trouble::Answer(403, status(403, "Forbidden"))]);
    find(&replica, &["typo"]);
    sleep(RENEW + MINUTE).await;
    assert_eq!(server.count("typo"), Some(1));
    sleep(10 * RENEW).await;
    assert_eq!(server.count("typo"), Some(1));
}
