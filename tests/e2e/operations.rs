//! The second port, which the platform engineer's tools look at.

use serde_json::json;

use crate::harness::{Space, World};

#[tokio::test]
async fn health_is_told_in_a_word() {
    let portreeve = &World::shared().portreeve;
    assert_eq!(portreeve.get("/livez").unwrap(), (200, "ok\n".to_owned()));
    assert_eq!(portreeve.get("/readyz").unwrap(), (200, "ok\n".to_owned()));
    let (status, said) = portreeve.get("/healthz").unwrap();
    assert_eq!(status, 404);
    insta::assert_snapshot!(said, @r#"there is no "/healthz" here: /livez, /readyz, /metrics and /log-level are"#);
}

#[tokio::test]
async fn metrics_count_reviews_certificates_and_events() {
    let space = Space::with_policy("Warn").await;
    space.apply_pki("app1-pki", json!({"serviceName": "app1"})).ok();
    space.await_reason("app1-pki", "Issued").await;
    let (status, text) = space.portreeve.get("/metrics").unwrap();
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    portreeve_admission_reviews counter
    portreeve_admission_review_duration_seconds histogram
    portreeve_admission_reviews_in_flight gauge
    portreeve_connections_open gauge
    portreeve_tls_handshake_failures counter
    portreeve_pki_reconciliations counter
    portreeve_certificates_issued counter
    portreeve_pods_judged counter
    portreeve_pods_to_judge gauge
    portreeve_leader gauge
    portreeve_events_pending gauge
    portreeve_faults_standing gauge
    portreeve_events_created counter
    portreeve_events_updated counter
    portreeve_events_held_back counter
    portreeve_events_dropped counter
    portreeve_events_retried counter
    portreeve_events_failed counter
    portreeve_pod_findings_standing gauge
    ");
}
