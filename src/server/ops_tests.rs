use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Request;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing_subscriber::{EnvFilter, Registry as Subscriber, reload};

use super::super::testing::{from_peer, prompt};
use super::super::{Check, Limits, Metrics, serve_plain};
use super::*;

struct Ops {
    app: Router,
    shutdown: CancellationToken,
    /// The filter lives as long as its layer does.
    _layer: reload::Layer<EnvFilter, Subscriber>,
}

impl Ops {
    fn new(checks: Vec<Check>) -> Self {
        let shutdown = CancellationToken::new();
        let health = Health::new(prompt(shutdown.clone()), checks);
        let mut registry = Registry::default();
        registry.register("ships", "Ships seen in", Counter::<u64>::default());
        let (layer, handle) = reload::Layer::new(EnvFilter::new("info"));
        let app = ops(health, Arc::new(registry), LogLevel::new(handle));
        Self { app, shutdown, _layer: layer }
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> (u16, String) {
        self.send_from("127.0.0.1:1", method, path, body).await
    }

    async fn send_from(&self, peer: &str, method: Method, path: &str, body: &str) -> (u16, String) {
        let request =
            Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
        let app = from_peer(self.app.clone(), peer);
        let (head, body) = app.oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }
}

fn answer(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test]
async fn readiness_names_each_check_that_fails_and_why() {
    let filled = Arc::new(AtomicBool::new(false));
    let caches = filled.clone();
    let ops = Ops::new(vec![
        Check::new("caches", move || {
            if caches.load(Ordering::Relaxed) { Ok(()) } else { Err("2 of 5 are filled".into()) }
        }),
        Check::new("certificate", || Ok(())),
    ]);
    assert_eq!(
        ops.send(Method::GET, "/readyz", "").await,
        answer(503, "caches: 2 of 5 are filled\n")
    );
    filled.store(true, Ordering::Relaxed);
    assert_eq!(ops.send(Method::GET, "/readyz", "").await, answer(200, "ok\n"));
}

#[tokio::test]
async fn readiness_fails_as_soon_as_the_server_is_told_to_stop_and_liveness_does_not() {
    let ops = Ops::new(vec![]);
    ops.shutdown.cancel();
    assert_eq!(ops.send(Method::GET, "/readyz", "").await, answer(503, "shutdown: it has begun\n"));
    assert_eq!(ops.send(Method::GET, "/livez", "").await, answer(200, "ok\n"));
}

#[tokio::test]
async fn metrics_are_shown_as_open_metrics() {
    let (status, text) = Ops::new(vec![]).send(Method::GET, "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(text.contains("ships_total 0\n") && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn the_log_level_is_shown_and_set() {
    let ops = Ops::new(vec![]);
    assert_eq!(ops.send(Method::GET, "/log-level", "").await, answer(200, "info\n"));
    let (status, text) = ops.send(Method::PUT, "/log-level", "warn, portreeve=debug\n").await;
    assert_eq!((status, text.as_str()), (200, "portreeve=debug,warn\n"));
    assert_eq!(ops.send(Method::GET, "/log-level", "").await, (200, text));
}

#[tokio::test]
async fn a_directive_that_would_silence_the_log_by_mistake_is_refused() {
    let ops = Ops::new(vec![]);
    for (directives, sentence) in [
        ("debgu", "\"debgu\" is no directive: a level (off, error"),
        ("", "\"\" is no directive: a level"),
        ("info,portreeve", "\"portreeve\" is no directive"),
        ("portreeve=loud", "\"portreeve=loud\" is not taken: "),
    ] {
        let (status, text) = ops.send(Method::PUT, "/log-level", directives).await;
        assert_eq!(status, 400, "{directives}");
        assert!(text.starts_with(sentence), "{text}");
    }
    assert_eq!(ops.send(Method::GET, "/log-level", "").await, answer(200, "info\n"));
}

#[tokio::test]
async fn the_log_level_is_set_from_loopback_alone() {
    let ops = Ops::new(vec![]);
    for (peer, expected) in [
        ("192.0.2.7:1", 403),
        ("[2001:db8::1]:1", 403),
        ("[::1]:1", 200),
        ("[::ffff:127.0.0.1]:1", 200),
    ] {
        let (status, _) = ops.send_from(peer, Method::PUT, "/log-level", "debug").await;
        assert_eq!(status, expected, "{peer}");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_get_a_sentence() {
    let ops = Ops::new(vec![]);
    assert_eq!(
        ops.send(Method::GET, "/healthz", "").await,
        answer(
            404,
            "there is no \"/healthz\" here: /livez, /readyz, /metrics and /log-level are\n"
        )
    );
    assert_eq!(
        ops.send(Method::POST, "/log-level", "").await,
        answer(405, "/log-level takes no POST: GET or PUT is expected\n")
    );
}

#[tokio::test]
async fn the_second_port_speaks_plain_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let ops = Ops::new(vec![]);
    let shutdown = CancellationToken::new();
    let lifecycle = prompt(shutdown.clone());
    let app = ops.app.clone();
    let served =
        tokio::spawn(serve_plain(listener, app, Limits::ops(), lifecycle, Metrics::default()));
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    tcp.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok\n"),
        "{answer}"
    );
    shutdown.cancel();
    served.await.unwrap();
}
