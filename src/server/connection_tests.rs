use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use super::super::testing::{self, BOTH, Client, FOREVER, Lost, Protocol, Server, until};
use super::*;

const SHORT: Duration = Duration::from_millis(30);

/// `/` answers at once; `/wait` says that it has begun and answers when `release` says so.
struct Waiting {
    begun: mpsc::UnboundedReceiver<()>,
    release: Arc<Notify>,
    app: Router,
}

fn waiting() -> Waiting {
    let (begin, begun) = mpsc::unbounded_channel();
    let release = Arc::new(Notify::new());
    let released = release.clone();
    let wait = move || {
        let (begin, released) = (begin.clone(), released.clone());
        async move {
            begin.send(()).unwrap();
            released.notified().await;
            "waited"
        }
    };
    let app = Router::new().route("/", get(|| async { "ok" })).route("/wait", post(wait));
    Waiting { begun, release, app }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "ok" }))
}

fn get_root() -> axum::http::Request<Body> {
    testing::request(axum::http::Method::GET, "/", "")
}

async fn end_of(mut io: impl AsyncRead + Unpin) {
    let mut rest = Vec::new();
    // A reset is as good an end as any.
    let _ = tokio::time::timeout(FOREVER, io.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_closed() {
    let limits = Limits { handshake: SHORT, ..Limits::default() };
    let server = Server::start(limits, |_| hello()).await;
    end_of(TcpStream::connect(server.addr).await.unwrap()).await;
    until(|| server.metrics().contains("tls_handshake_failures_total 1\n")).await;
    until(|| server.metrics().contains("connections_open 0\n")).await;
}

#[tokio::test]
async fn a_client_whose_first_request_never_comes_is_closed() {
    let limits = Limits { header: SHORT, ..Limits::default() };
    let server = Server::start(limits, |_| hello()).await;
    for protocol in BOTH {
        end_of(server.tls(protocol).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_client_that_sends_half_a_request_is_closed() {
    let limits = Limits { header: SHORT, ..Limits::default() };
    let server = Server::start(limits, |_| hello()).await;
    let mut tls = server.tls(Protocol::Http1).await.unwrap();
    tls.write_all(b"GET / HTTP/1.1\r\nhost: local").await.unwrap();
    end_of(tls).await;
    let mut tls = server.tls(Protocol::Http2).await.unwrap();
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    end_of(tls).await;
}

#[tokio::test]
async fn an_http2_client_that_answers_no_ping_is_closed() {
    let limits = Limits { ping: SHORT, header: FOREVER * 2, ..Limits::default() };
    let server = Server::start(limits, |_| hello()).await;
    let mut tls = server.tls(Protocol::Http2).await.unwrap();
    // The preface, empty SETTINGS, and HEADERS of `GET https://x/` (RFC 9113, 3.4 and 6; the
    // header fields from the static table of RFC 7541, `:authority` literal).
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    tls.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    tls.write_all(&[0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x87, 0x84, 0x41, 0x01, b'x']).await.unwrap();
    end_of(tls).await;
}

#[tokio::test]
async fn a_connection_that_is_old_is_closed_after_its_requests_and_the_next_one_is_served() {
    let limits = Limits { max_age: SHORT, ..Limits::default() };
    let mut wait = waiting();
    let server = Server::start(limits, |_| wait.app.clone()).await;
    for protocol in BOTH {
        let mut client = server.client(protocol).await;
        let (answered, idle) = tokio::join!(
            async {
                let response = client.post("/wait", "").await;
                client.closed().await;
                response
            },
            async {
                wait.begun.recv().await.unwrap();
                let mut idle = server.client(protocol).await;
                assert_eq!(idle.send(get_root()).await.status, StatusCode::OK);
                idle.closed().await;
                wait.release.notify_one();
            }
        );
        let () = idle;
        assert_eq!(answered.text(), "waited");
    }
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_place() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let server = Server::start(limits, |_| hello()).await;
    let mut first = server.client(Protocol::Http2).await;
    assert_eq!(first.send(get_root()).await.status, StatusCode::OK);
    let connector = server.connector();
    let addr = server.addr;
    let second = tokio::spawn(async move { connector.connect(addr, Protocol::Http2).await });
    assert_eq!(first.send(get_root()).await.status, StatusCode::OK);
    assert!(!second.is_finished());
    drop(first);
    let second = tokio::time::timeout(FOREVER, second).await.unwrap().unwrap().unwrap();
    let mut second = Client::new(second, Protocol::Http2).await.unwrap();
    assert_eq!(second.send(get_root()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_drain_closes_what_is_idle_waits_for_what_is_not_and_serves_who_still_comes() {
    for protocol in BOTH {
        let mut wait = waiting();
        let server = Server::start(Limits::default(), |_| wait.app.clone()).await;
        let mut idle = server.client(protocol).await;
        assert_eq!(idle.send(get_root()).await.text(), "ok");
        let mut busy = server.client(protocol).await;
        let busy = tokio::spawn(async move {
            let response = busy.post("/wait", "").await;
            busy.closed().await;
            response
        });
        wait.begun.recv().await.unwrap();

        server.shutdown.cancel();
        idle.closed().await;
        let mut late = server.client(protocol).await;
        assert_eq!(late.send(get_root()).await.text(), "ok", "{protocol:?}");
        late.closed().await;
        assert!(!server.task.is_finished());

        wait.release.notify_one();
        assert_eq!(busy.await.unwrap().text(), "waited");
        server.stopped().await;
    }
}

#[tokio::test]
async fn before_the_drain_requests_are_served_and_http1_is_asked_to_go() {
    let server = Server::start_with(
        Limits::default(),
        |shutdown| Lifecycle::new(shutdown).with_drain_delay(FOREVER),
        |_| hello(),
    )
    .await;
    let mut http1 = server.client(Protocol::Http1).await;
    assert_eq!(http1.send(get_root()).await.header("connection"), None);
    let mut http2 = server.client(Protocol::Http2).await;
    server.shutdown.cancel();
    assert_eq!(http1.send(get_root()).await.header("connection"), Some("close"));
    http1.closed().await;
    for _ in 0..3 {
        let response = http2.send(get_root()).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.header("connection"), None);
    }
}

#[tokio::test]
async fn at_the_deadline_what_is_open_is_closed_and_nothing_runs_on() {
    for protocol in BOTH {
        let mut wait = waiting();
        let held = Arc::new(());
        let watch = Arc::downgrade(&held);
        let app = wait.app.layer(axum::Extension(held));
        let server = Server::start_with(
            Limits::default(),
            |shutdown| testing::prompt(shutdown).with_deadline(SHORT),
            |_| app,
        )
        .await;
        let mut stuck = server.client(protocol).await;
        let stuck = tokio::spawn(async move { stuck.try_send(testing::post("/wait", "")).await });
        wait.begun.recv().await.unwrap();
        server.shutdown.cancel();
        server.stopped().await;
        assert!(watch.upgrade().is_none(), "no connection and no stream is left");
        assert!(matches!(stuck.await.unwrap(), Err(Lost::Unanswered(_))));
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_its_connections() {
    let mut wait = waiting();
    let server = Server::start(Limits::default(), |_| wait.app.clone()).await;
    let mut stuck = server.client(Protocol::Http2).await;
    let stuck = tokio::spawn(async move { stuck.try_send(testing::post("/wait", "")).await });
    wait.begun.recv().await.unwrap();
    server.task.abort();
    assert!(tokio::time::timeout(FOREVER, stuck).await.unwrap().unwrap().is_err());
}

/// The replicas that are ready, as a Service's endpoints: who is told to stop is taken out.
#[derive(Default)]
struct Endpoints(Mutex<Vec<(SocketAddr, testing::Connector)>>);

impl Endpoints {
    fn any(&self, n: usize) -> (SocketAddr, testing::Connector) {
        let ready = self.0.lock().unwrap();
        ready[n % ready.len()].clone()
    }

    fn add(&self, server: &Server) {
        self.0.lock().unwrap().push((server.addr, server.connector()));
    }

    fn remove(&self, server: &Server) {
        self.0.lock().unwrap().retain(|(addr, _)| *addr != server.addr);
    }

    fn has(&self, addr: SocketAddr) -> bool {
        self.0.lock().unwrap().iter().any(|(ready, _)| *ready == addr)
    }
}

/// Sends one request after the other until `done`, and on a new connection when the old one
/// takes no more. A request that was sent and got no answer fails the test.
async fn stream_of_requests(
    endpoints: Arc<Endpoints>,
    done: CancellationToken,
    served: Arc<AtomicUsize>,
    worker: usize,
) {
    let mut connections = worker;
    while !done.is_cancelled() {
        connections += 1;
        let (addr, connector) = endpoints.any(connections);
        let connected = match connector.connect(addr, Protocol::Http2).await {
            Ok(tls) => Client::new(tls, Protocol::Http2).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mut client = match connected {
            Ok(client) => client,
            Err(error) => {
                assert!(!endpoints.has(addr), "a replica that is ready took no client: {error}");
                continue;
            }
        };
        while !done.is_cancelled() {
            match client.try_send(get_root()).await {
                Ok(response) => assert_eq!(response.status, StatusCode::OK),
                Err(Lost::Unsent) => break,
                Err(Lost::Unanswered(error)) => panic!("a request is lost: {error:?}"),
            }
            served.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_replaced_under_load_lose_no_request() {
    let endpoints = Arc::new(Endpoints::default());
    let start = async || {
        let lifecycle =
            |shutdown| Lifecycle::new(shutdown).with_drain_delay(SHORT).with_deadline(FOREVER);
        let server = Server::start_with(Limits::default(), lifecycle, |_| hello()).await;
        endpoints.add(&server);
        server
    };
    let mut replicas = [start().await, start().await];
    let done = CancellationToken::new();
    let served = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..6)
        .map(|worker| {
            let (endpoints, done, served) = (endpoints.clone(), done.clone(), served.clone());
            tokio::spawn(stream_of_requests(endpoints, done, served, worker))
        })
        .collect();
    let more_are_served = async || {
        let before = served.load(Ordering::Relaxed);
        until(|| {
            assert!(!workers.iter().any(|worker| worker.is_finished()), "a worker has failed");
            served.load(Ordering::Relaxed) > before + 100
        })
        .await;
    };
    for turn in 0..6 {
        more_are_served().await;
        let old = std::mem::replace(&mut replicas[turn % 2], start().await);
        old.shutdown.cancel();
        endpoints.remove(&old);
        old.stopped().await;
    }
    more_are_served().await;
    done.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
}
