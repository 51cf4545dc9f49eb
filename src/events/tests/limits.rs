//! More to tell than may be told.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    MINUTE, PKI, Replica,
    fake::{FakeServer, Trouble},
    fault, fixed, pod,
};
use crate::events::HELD_BACK_REASON;

#[tokio::test(start_paused = true)]
async fn a_storm_about_one_object_is_bounded_summed_up_and_delays_no_other() {
    let server = FakeServer::default();
    let replica = Replica::start_with(&server, |o| o.pending_per_object = 8);
    for n in 0..1000 {
        replica.recorder.record(&pod("storm"), fault(&format!("message {n}")));
    }
    replica.recorder.record(&pod("other"), fault("quiet"));
    assert!(replica.recorder.stats().pending() < 12);
    server.until(|s| s.count("quiet") == Some(1)).await;
    replica.settle().await;
    let summary = server.events().into_iter().find(|e| e["reason"] == HELD_BACK_REASON).unwrap();
    assert_eq!(summary["count"], 992);
    assert!(summary["message"].as_str().unwrap().contains("message 999"), "{summary}");
    assert_eq!(replica.recorder.stats().held_back(), 992);
    assert_eq!(server.events().len(), 8 + 1 + 1);
}

#[tokio::test(start_paused = true)]
async fn more_standing_faults_than_fit_are_all_told_in_time() {
    let server = FakeServer::default();
    let replica = Replica::start(&server);
    let faults = (0..60).map(|n| fault(&format!("fault {n}"))).collect();
    replica.recorder.stand(&pod("app1"), PKI, faults, fixed());
    server.until(|s| s.events().len() == 60).await;
    assert_eq!(replica.recorder.stats().dropped(), 0);
    assert_eq!(replica.recorder.stats().held_back(), 0);
    assert_eq!(replica.recorder.stats().standing(), 60);
}

#[tokio::test(start_paused = true)]
async fn writes_in_flight_are_bounded() {
    let server = FakeServer::default();
    let replica = Replica::start_with(&server, |o| o.in_flight = 3);
    replica.settle().await;
    server.outage(MINUTE, Trouble::Silence);
    for n in 0..20 {
        replica.recorder.record(&pod(&format!("app{n}")), fault("typo"));
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(server.writes(), 3);
}
