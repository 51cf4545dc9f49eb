//! What a new process knows of the one before it.

use hyper::Method;
use serde_json::json;
use tokio::time::sleep;

use super::{
    MINUTE, PKI, Replica,
    fake::{FakeServer, Trouble, status},
    fault, fixed, pod,
};
use crate::events::Cause;

#[tokio::test(start_paused = true)]
async fn a_fault_found_again_after_a_restart_raises_the_count_of_its_event() {
    let server = FakeServer::default();
    for count in 1..=3 {
        let replica = Replica::start_with(&server, |o| o.instance = format!("replica-{count}"));
        replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
        server.until(|s| s.count("typo") == Some(count)).await;
        replica.kill().await;
    }
    assert_eq!(server.events().len(), 1);
    assert_eq!(server.events()[0]["reportingInstance"], "replica-3");
}

#[tokio::test(start_paused = true)]
async fn a_fault_fixed_while_nobody_ran_is_ended_by_one_normal_event() {
    let server = FakeServer::default();
    let first = Replica::start(&server);
    // Several pages of the list.
    let names = ["app1", "app2", "app3", "app4", "app5"];
    for name in names {
        first.recorder.stand(&pod(name), PKI, vec![fault(name)], fixed());
    }
    first.settle().await;
    first.kill().await;

    for _ in 0..2 {
        let next = Replica::start(&server);
        for name in names {
            next.recorder.stand(&pod(name), PKI, vec![], fixed());
        }
        next.recorder.stand(&pod("healthy"), PKI, vec![], fixed());
        server.until(|s| s.events().len() == 10).await;
        next.recorder.stand(&pod("app1"), PKI, vec![], fixed());
        sleep(MINUTE).await;
        next.kill().await;
    }
    assert_eq!(server.events().len(), 10);
    assert!(server.events().iter().all(|event| event["count"] == 1));
}

#[tokio::test(start_paused = true)]
async fn two_scopes_of_one_object_are_ended_separately_in_any_order_after_a_restart() {
    for [first, second] in [["app1-pki", "app2-pki"], ["app2-pki", "app1-pki"]] {
        let server = FakeServer::default();
        let before = Replica::start(&server);
        for scope in [first, second] {
            before.recorder.stand(&pod("app1"), scope, vec![fault("typo")], fixed());
        }
        before.settle().await;
        before.kill().await;

        let next = Replica::start(&server);
        next.recorder.stand(&pod("app1"), first, vec![], fixed());
        server.until(|s| s.count_in(first, "fixed") == Some(1)).await;
        next.kill().await;
        assert_eq!(server.count_in(second, "fixed"), None);

        let last = Replica::start(&server);
        last.recorder.stand(&pod("app1"), first, vec![], fixed());
        last.recorder.stand(&pod("app1"), second, vec![], fixed());
        server.until(|s| s.count_in(second, "fixed") == Some(1)).await;
        sleep(MINUTE).await;
        assert_eq!(server.count_in(first, "fixed"), Some(1));
        assert_eq!(server.events().len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_scope_looked_at_first_after_a_restart_ends_no_fault_of_another() {
    let server = FakeServer::default();
    let before = Replica::start(&server);
    before.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    before.settle().await;
    before.kill().await;

    let next = Replica::start(&server);
    next.recorder.stand(&pod("app1"), "healthy-pki", vec![], fixed());
    next.recorder.stand(&pod("app1"), "", vec![], fixed());
    sleep(MINUTE).await;
    next.recorder.stand(&pod("app1"), "healthy-pki", vec![], fixed());
    sleep(MINUTE).await;
    assert_eq!((server.events().len(), server.count("fixed")), (1, None));
    next.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    server.until(|s| s.count_in(PKI, "typo") == Some(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_found_in_the_same_second_as_an_end_still_stands() {
    let server = FakeServer::default();
    let first = Replica::start(&server);
    first.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    first.recorder.stand(&pod("app1"), PKI, vec![], fixed());
    first.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    first.settle().await;
    first.kill().await;

    let next = Replica::start(&server);
    next.recorder.stand(&pod("app1"), PKI, vec![], fixed());
    server.until(|s| s.count("fixed") == Some(2)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_only_recorded_is_not_taken_for_a_standing_fault() {
    let server = FakeServer::default();
    let first = Replica::start(&server);
    first.recorder.record(&pod("app1"), fault("once"));
    first.settle().await;
    first.kill().await;

    let next = Replica::start(&server);
    next.recorder.stand(&pod("app1"), PKI, vec![], fixed());
    sleep(MINUTE).await;
    assert_eq!(server.count("fixed"), None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_before_the_past_is_known() {
    let server = FakeServer::default();
    server
        .trouble(Method::GET, [Trouble::Broken, Trouble::Answer(503, json!({})), Trouble::Silence]);
    let replica = Replica::start(&server);
    replica.recorder.record(&pod("app1"), fault("typo"));
    server.until(|s| s.count("typo") == Some(1)).await;
    let methods: Vec<_> = server.calls().iter().map(|call| call.method.clone()).collect();
    assert_eq!(methods, [Method::GET, Method::GET, Method::GET, Method::GET, Method::POST]);
    let stats = replica.recorder.stats();
    let retried = [Cause::Connection, Cause::Unavailable, Cause::Timeout].map(|c| stats.retried(c));
    assert_eq!(retried, [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn without_leave_to_list_events_are_told_all_the_same() {
    let server = FakeServer::default();
    server.trouble(Method::GET, vec![Trouble::Answer(403, status(403, "Forbidden")); 10]);
    let replica = Replica::start(&server);
    replica.recorder.record(&pod("app1"), fault("typo"));
    server.until(|s| s.count("typo") == Some(1)).await;
}
