use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};

use axum::body::Body;
use axum::http::Request;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::sync::mpsc as channel;
use tower::ServiceExt;

use super::super::testing::{self, BOTH, FOREVER, Log, Protocol, Server, from_peer, review, until};
use super::*;

fn allow(_: Endpoint, _: &review::Request<'_>) -> Result<Answer, Undecided> {
    Ok(Answer::allow())
}

/// A webhook that is called without a connection.
struct Direct {
    app: Router,
    registry: Registry,
}

impl Direct {
    fn new<F>(limits: Limits, decide: F) -> Self
    where
        F: Fn(Endpoint, &review::Request<'_>) -> Result<Answer, Undecided> + Send + Sync + 'static,
    {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let app = from_peer(webhook(decide, &limits, metrics), "192.0.2.7:4711");
        Self { app, registry }
    }

    async fn send(&self, request: Request<Body>) -> testing::Response {
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        testing::Response { status: head.status, headers: head.headers, body }
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }
}

#[tokio::test]
async fn a_review_is_decided_by_the_endpoint_that_it_was_sent_to() {
    let decide = |endpoint, request: &review::Request<'_>| {
        assert_eq!(request.name.as_deref(), Some("web"));
        Ok(match endpoint {
            Endpoint::Mutate => Answer::allow(),
            Endpoint::Validate => Answer::deny(403, "Forbidden", "no"),
        })
    };
    let server =
        Server::start(Limits::default(), |metrics| webhook(decide, &Limits::default(), metrics))
            .await;
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        let mutated = client.post("/mutate?timeout=10s", review().to_string()).await;
        assert_eq!(mutated.status, StatusCode::OK, "{protocol:?}");
        assert_eq!(mutated.header("content-type"), Some("application/json"));
        assert_eq!(mutated.json()["response"], json!({"uid": "u-1", "allowed": true}));
        let validated = client.post("/validate", review().to_string()).await;
        assert_eq!(validated.json()["response"]["status"]["message"], "no");
    }
}

#[tokio::test]
async fn what_is_not_a_review_gets_a_status_and_a_sentence() {
    let server =
        Server::start(Limits::default(), |metrics| webhook(allow, &Limits::default(), metrics))
            .await;
    let plain = |mut request: Request<Body>, content_type: Option<&'static str>| {
        request.headers_mut().remove(CONTENT_TYPE);
        if let Some(value) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, value.parse().unwrap());
        }
        request
    };
    let post = |path, body: &str| testing::post(path, body.to_owned());
    let good = review().to_string();
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        for (request, status, sentence) in [
            (
                testing::request(Method::GET, "/mutate", ""),
                405,
                "/mutate takes no GET: POST is expected\n",
            ),
            (post("/pods", &good), 404, "there is no \"/pods\" here: /mutate and /validate are\n"),
            (
                plain(post("/mutate", &good), Some("text/yaml")),
                415,
                "Content-Type is \"text/yaml\": application/json is expected\n",
            ),
            (
                plain(post("/mutate", &good), None),
                415,
                "Content-Type is \"\": application/json is expected\n",
            ),
            (
                post("/mutate", "garbage"),
                400,
                "the body is not JSON: expected value at line 1 column 1\n",
            ),
            (
                post("/validate", ""),
                400,
                "the body is empty: AdmissionReview of admission.k8s.io/v1 is expected\n",
            ),
        ] {
            let response = client.send(request).await;
            assert_eq!((response.status.as_u16(), response.text()), (status, sentence));
            assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(response.header("allow"), (status == 405).then_some("POST"));
        }
        let with_charset = plain(post("/mutate", &good), Some("Application/JSON; charset=utf-8"));
        assert_eq!(client.send(with_charset).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_faulty_review_whose_uid_is_known_is_refused_in_an_admission_review() {
    let webhook = Direct::new(Limits::default(), allow);
    let mut faulty = review();
    faulty["request"]["object"] = Value::Null;
    let response = webhook.send(testing::post("/mutate", faulty.to_string())).await;
    assert_eq!(response.status, StatusCode::OK);
    let answer = &response.json()["response"];
    assert_eq!(answer["uid"], "u-1");
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["status"]["code"], 400);
    assert_eq!(answer["status"]["message"], "the request has no object, which CREATE must have");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let body = review().to_string();
    let limits = Limits { body: body.len(), ..Limits::default() };
    let server = Server::start(limits, |metrics| webhook(allow, &limits, metrics)).await;
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        assert_eq!(client.post("/mutate", body.clone()).await.status, StatusCode::OK);

        let longer = format!("{body} ");
        let unannounced = Body::from_stream(futures::stream::iter(
            [body.clone(), " ".to_owned()].map(Ok::<_, std::io::Error>),
        ));
        for too_long in [Body::from(longer), unannounced] {
            let mut client = server.client(protocol).await;
            let response = client.post("/mutate", too_long).await;
            assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE, "{protocol:?}");
            let sentence =
                format!("the body is longer than {} bytes, which is the limit\n", body.len());
            assert_eq!(response.text(), sentence);
        }
    }
}

#[tokio::test]
async fn a_client_hears_that_its_body_is_too_long_while_it_still_writes() {
    let limits = Limits { body: 1 << 20, ..Limits::default() };
    let server = Server::start(limits, |metrics| webhook(allow, &limits, metrics)).await;
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        let response = client.post("/mutate", vec![b' '; 3 << 20]).await;
        assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let limits = Limits { request: Duration::from_millis(20), ..Limits::default() };
    let server = Server::start(limits, |metrics| webhook(allow, &limits, metrics)).await;
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        let (_sender, body) = endless_body();
        let response = client.post("/mutate", body).await;
        assert_eq!(response.status, StatusCode::REQUEST_TIMEOUT, "{protocol:?}");
        assert_eq!(response.text(), "the body did not arrive within 20ms\n");
    }
}

/// A body that goes on for as long as the sender lives.
fn endless_body() -> (channel::Sender<Result<String, std::io::Error>>, Body) {
    let (sender, receiver) = channel::channel(1);
    let chunks = futures::stream::unfold(receiver, |mut receiver| async {
        Some((receiver.recv().await?, receiver))
    });
    (sender, Body::from_stream(chunks))
}

#[tokio::test]
async fn a_review_over_the_limit_in_flight_is_shed_and_one_after_it_is_not() {
    let limits = Limits { in_flight: 1, ..Limits::default() };
    let server = Server::start(limits, |metrics| webhook(allow, &limits, metrics)).await;
    let (sender, body) = endless_body();
    let mut first = server.client(Protocol::Http2).await;
    let first = tokio::spawn(async move { first.post("/mutate", body).await });
    until(|| server.metrics().contains("admission_reviews_in_flight 1")).await;

    let mut second = server.client(Protocol::Http2).await;
    let response = second.post("/mutate", review().to_string()).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.text(), "the limit of 1 reviews in hand is reached: ask again\n");
    assert!(server.metrics().contains(
        "admission_reviews_total{endpoint=\"mutate\",kind=\"unknown\",operation=\"unknown\",\
         outcome=\"shed\"} 1"
    ));

    sender.send(Ok(review().to_string())).await.unwrap();
    drop(sender);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(second.post("/mutate", review().to_string()).await.status, StatusCode::OK);
    assert!(server.metrics().contains("admission_reviews_in_flight 0"));
}

#[tokio::test]
async fn bodies_that_would_fill_the_memory_are_shed() {
    let body = review().to_string();
    let limits = Limits { bodies: body.len() - 1, ..Limits::default() };
    let webhook = Direct::new(limits, allow);
    for _ in 0..2 {
        let response = webhook.send(testing::post("/mutate", body.clone())).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            response.text().contains("bytes for all bodies in hand is reached"),
            "{}",
            response.text()
        );
    }
    let limits = Limits { bodies: body.len(), ..Limits::default() };
    let webhook = Direct::new(limits, allow);
    for _ in 0..2 {
        let response = webhook.send(testing::post("/mutate", body.clone())).await;
        assert_eq!(response.status, StatusCode::OK, "the room of the first is free again");
    }
}

#[tokio::test]
async fn a_panic_fails_its_own_review_and_no_other() {
    let decide = |_, request: &review::Request<'_>| {
        assert_ne!(request.uid, "u-bad", "the secret of u-bad");
        Ok(Answer::allow())
    };
    let server =
        Server::start(Limits::default(), |metrics| webhook(decide, &Limits::default(), metrics))
            .await;
    let mut bad = review();
    bad["request"]["uid"] = json!("u-bad");
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        let response = client.post("/mutate", bad.to_string()).await;
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            response.text(),
            "the decision of /mutate failed by a fault of Portreeve's: its log has the cause\n"
        );
        let response = client.post("/mutate", review().to_string()).await;
        assert_eq!(response.status, StatusCode::OK, "on the same connection, {protocol:?}");
    }
}

#[tokio::test]
async fn a_decision_that_cannot_be_made_yet_is_asked_for_again() {
    let webhook = Direct::new(Limits::default(), |_, _| {
        Err(Undecided::NotReady("no PkiPolicies yet".into()))
    });
    let response = webhook.send(testing::post("/validate", review().to_string())).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.text(), "not ready to decide: no PkiPolicies yet\n");
}

#[tokio::test]
async fn reviews_are_counted_by_endpoint_kind_operation_and_outcome() {
    let webhook = Direct::new(Limits::default(), |endpoint, _| {
        Ok(match endpoint {
            Endpoint::Mutate => Answer::allow(),
            Endpoint::Validate => Answer::deny(403, "Forbidden", "no"),
        })
    });
    let mut foreign = review();
    foreign["request"]["kind"]["kind"] = json!("Anything");
    for (path, body) in [
        ("/mutate", review().to_string()),
        ("/validate", review().to_string()),
        ("/validate", foreign.to_string()),
        ("/validate", "garbage".to_owned()),
    ] {
        webhook.send(testing::post(path, body)).await;
    }
    let shown = webhook.metrics();
    for (endpoint, kind, operation, outcome) in [
        ("mutate", "Pod", "CREATE", "allowed"),
        ("validate", "Pod", "CREATE", "denied"),
        ("validate", "other", "CREATE", "denied"),
        ("validate", "unknown", "unknown", "error"),
    ] {
        let line = format!(
            "admission_reviews_total{{endpoint=\"{endpoint}\",kind=\"{kind}\",\
             operation=\"{operation}\",outcome=\"{outcome}\"}} 1\n"
        );
        assert!(shown.contains(&line), "{line} is not in\n{shown}");
    }
    let count = "admission_review_duration_seconds_count{endpoint=\"validate\"} 3\n";
    assert!(shown.contains(count), "{shown}");
}

#[tokio::test]
async fn a_decision_is_one_line_of_the_log_without_the_object() {
    let log = Log::capture();
    let webhook = Direct::new(Limits::default(), allow);
    let mut secret = review();
    secret["request"]["object"]["data"] = json!("hush");
    webhook.send(testing::post("/mutate", secret.to_string())).await;
    let [line] = &log.lines()[..] else { panic!("{:?}", log.lines()) };
    let mut fields = line["fields"].clone();
    assert!(fields.as_object_mut().unwrap().remove("duration_us").unwrap().is_u64());
    assert_eq!(
        fields,
        json!({
            "message": "decided", "endpoint": "mutate", "uid": "u-1", "kind": "v1 Pod",
            "namespace": "shop", "name": "web", "operation": "CREATE", "allowed": true,
            "dry_run": false, "code": 200,
        })
    );
    assert!(!line.to_string().contains("hush"));
}

#[tokio::test]
async fn a_refusal_is_logged_with_its_reason_and_the_peer() {
    let log = Log::capture();
    let webhook = Direct::new(Limits::default(), allow);
    webhook.send(testing::post("/mutate", "garbage")).await;
    let [line] = &log.lines()[..] else { panic!("{:?}", log.lines()) };
    assert_eq!(line["level"], "WARN");
    assert_eq!(
        line["fields"],
        json!({
            "message": "refused", "endpoint": "mutate", "code": 400, "peer": "192.0.2.7:4711",
            "reason": "the body is not JSON: expected value at line 1 column 1",
        })
    );
}

#[tokio::test]
async fn the_cause_of_a_panic_is_in_the_log() {
    let log = Log::capture();
    let webhook = Direct::new(Limits::default(), |_, _| panic!("index {} is not there", 7));
    webhook.send(testing::post("/validate", review().to_string())).await;
    let lines = log.lines();
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[0]["fields"]["cause"], "index 7 is not there");
    assert_eq!(lines[0]["fields"]["uid"], "u-1");
}

#[test]
fn the_time_limit_is_nine_tenths_of_the_api_servers_if_that_is_less() {
    let most = Duration::from_secs(9);
    for (uri, limit) in [
        ("/mutate?timeout=1s", 900),
        ("/mutate?x=1&timeout=5s", 4500),
        ("/mutate?timeout=30s", 9000),
        ("/mutate?timeout=soon", 9000),
        ("/mutate", 9000),
    ] {
        assert_eq!(time_limit(&uri.parse().unwrap(), most).as_millis(), limit, "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_one_http2_connection_are_served_side_by_side() {
    let (release, released) = mpsc::channel::<()>();
    let released: Mutex<Receiver<()>> = Mutex::new(released);
    let decide = move |endpoint, _: &review::Request<'_>| {
        if endpoint == Endpoint::Mutate {
            released.lock().unwrap().recv_timeout(FOREVER).unwrap();
        }
        Ok(Answer::allow())
    };
    let limits = Limits::default();
    let server = Server::start(limits, |metrics| webhook(decide, &limits, metrics)).await;
    let mut client = server.client(Protocol::Http2).await;
    let mut other = client.again();
    let waiting = tokio::spawn(async move { client.post("/mutate", review().to_string()).await });
    assert_eq!(other.post("/validate", review().to_string()).await.status, StatusCode::OK);
    release.send(()).unwrap();
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
}
