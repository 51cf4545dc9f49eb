//! An API server that refuses, stalls or is away.

use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    MINUTE, PKI, RENEW, Replica,
    fake::{FakeServer, Trouble, status},
    fault, fixed, pod,
};
use crate::events::Cause;

#[tokio::test(start_paused = true)]
async fn a_throttled_write_waits_as_long_as_it_is_asked_to() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    replica.settle().await;
    server.trouble(Method::POST, [Trouble::Throttle(120)]);
    replica.recorder.record(&pod("app1"), fault("typo"));
    replica.settle().await;
    let posts: Vec<_> =
        server.calls().into_iter().filter(|call| call.method == Method::POST).collect();
    let waited = posts[1].at - posts[0].at;
    assert!((120..133).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(server.count("typo"), Some(1));
    assert_eq!(replica.recorder.stats().retried(Cause::Throttled), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_hours_loses_nothing_and_is_not_stormed() {
    for trouble in [Trouble::Broken, Trouble::Answer(503, json!({})), Trouble::Silence] {
        let server = FakeServer::default();
        let replica = Replica::start(&server);
        replica.settle().await;
        let before = server.calls().len();
        server.outage(200 * MINUTE, trouble);
        for n in 0..50 {
            replica.recorder.stand(
                &pod(&format!("app{n}")),
                PKI,
                vec![fault(&n.to_string())],
                fixed(),
            );
        }
        replica.recorder.stand(&pod("app0"), PKI, vec![], fixed());
        sleep(200 * MINUTE).await;
        let tries = server.calls().len() - before;
        assert!(tries < 700, "{tries}");
        replica.settle().await;
        assert_eq!(server.events().len(), 51);
        // Told once and renewed nine times, and the tenth time is near.
        assert!((1..50).all(|n| server.count(&n.to_string()) >= Some(10)));
        assert_eq!((server.count("0"), server.count("fixed")), (Some(1), Some(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_that_cant_be_written_holds_up_no_other() {
    let server = FakeServer::default();
    let replica = Replica::start_with(&server, |o| o.in_flight = 1);
    replica.settle().await;
    server.trouble(Method::POST, [Trouble::Answer(500, status(500, "InternalError"))]);
    let started = Instant::now();
    replica.recorder.record(&pod("app1"), fault("unlucky"));
    replica.recorder.record(&pod("app2"), fault("typo"));
    sleep(Duration::from_millis(10)).await;
    assert_eq!((server.count("typo"), server.count("unlucky")), (Some(1), None));
    replica.settle().await;
    assert_eq!(server.count("unlucky"), Some(1));
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn refusals_that_will_not_change_are_final_and_counted() {
    let mut terminating = status(403, "Forbidden");
    terminating["details"] = json!({"causes": [{"reason": "NamespaceTerminating"}]});
    let refusals = [
        (403, terminating, Cause::NamespaceGone),
        (404, status(404, "NotFound"), Cause::NamespaceGone),
        (403, status(403, "Forbidden"), Cause::Forbidden),
        (422, status(422, "Invalid"), Cause::Invalid),
        (413, status(413, "RequestEntityTooLarge"), Cause::Rejected),
    ];
    for (code, body, cause) in refusals {
        let server = FakeServer::default();
        let replica = Replica::start(&server);
        server.trouble(Method::POST, [Trouble::Answer(code, body)]);
        replica.recorder.record(&pod("app1"), fault("typo"));
        replica.settle().await;
        sleep(10 * MINUTE).await;
        assert_eq!((server.writes(), server.events().len()), (1, 0), "{code}");
        assert_eq!(replica.recorder.stats().failed(cause), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_standing_fault_that_was_refused_is_tried_again_when_it_is_renewed() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    server.trouble(Method::POST, [Trouble::Answer(403, status(403, "Forbidden"))]);
    replica.recorder.stand(&pod("app1"), PKI, vec![fault("typo")], fixed());
    replica.settle().await;
    assert_eq!(server.events().len(), 0);
    sleep(RENEW).await;
    server.until(|s| s.count("typo") == Some(1)).await;
}
