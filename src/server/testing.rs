//! A server on loopback and a client for it, for the tests of this room.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{Lifecycle, Limits, Metrics, Peer, serve};

/// Longer than anything here takes; a test that waits so long has failed.
pub const FOREVER: Duration = Duration::from_secs(60);

/// A running server, of whose certificate [`Server::tls`] knows.
pub struct Server {
    pub addr: SocketAddr,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
    registry: Registry,
    trust: Arc<ClientConfig>,
}

/// The protocol that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// A lifecycle that drains at once and waits for requests as long as they take.
pub fn prompt(shutdown: CancellationToken) -> Lifecycle {
    Lifecycle::new(shutdown).with_drain_delay(Duration::ZERO).with_deadline(FOREVER)
}

impl Server {
    /// Serves what `app` makes.
    pub async fn start(limits: Limits, app: impl FnOnce(Metrics) -> Router) -> Self {
        Self::start_with(limits, prompt, app).await
    }

    pub async fn start_with(
        limits: Limits,
        lifecycle: impl FnOnce(CancellationToken) -> Lifecycle,
        app: impl FnOnce(Metrics) -> Router,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (tls, trust) = certificate();
        let shutdown = CancellationToken::new();
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let lifecycle = lifecycle(shutdown.clone());
        let app = app(metrics.clone());
        let task = tokio::spawn(serve(listener, tls, app, limits, lifecycle, metrics));
        Self { addr, shutdown, task, registry, trust }
    }

    /// What Prometheus would be shown.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }

    pub async fn client(&self, protocol: Protocol) -> Client {
        Client::new(self.tls(protocol).await.unwrap(), protocol).await.unwrap()
    }

    /// A connection that has shaken hands and says nothing more.
    pub async fn tls(&self, protocol: Protocol) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector().connect(self.addr, protocol).await
    }

    pub fn connector(&self) -> Connector {
        Connector(self.trust.clone())
    }

    /// Waits until the server has stopped, which it has been told to.
    pub async fn stopped(self) {
        assert!(self.shutdown.is_cancelled());
        tokio::time::timeout(FOREVER, self.task).await.unwrap().unwrap();
    }
}

/// What trusts one server's certificate.
#[derive(Clone)]
pub struct Connector(Arc<ClientConfig>);

impl Connector {
    pub async fn connect(
        &self,
        addr: SocketAddr,
        protocol: Protocol,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = vec![match protocol {
            Protocol::Http1 => b"http/1.1".to_vec(),
            Protocol::Http2 => b"h2".to_vec(),
        }];
        let tcp = TcpStream::connect(addr).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }
}

fn certificate() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// One connection, or with [`Client::again`] one more handle of it.
pub struct Client {
    sender: Sender,
    ended: Option<JoinHandle<()>>,
}

enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// What came of a request.
#[derive(Debug)]
pub enum Lost {
    /// It was not sent, and can be sent again elsewhere.
    Unsent,
    /// It was sent, and has no answer.
    Unanswered(hyper::Error),
}

impl From<hyper::Error> for Lost {
    /// A stream that a GOAWAY leaves out was not processed, and "might be retried" (RFC 9113,
    /// 6.8), as Go's client does. One that it takes in lives on, and gets its answer.
    fn from(error: hyper::Error) -> Self {
        match error.source().and_then(|source| source.downcast_ref::<h2::Error>()) {
            Some(h2) if h2.is_go_away() && h2.reason() == Some(h2::Reason::NO_ERROR) => {
                Self::Unsent
            }
            _ => Self::Unanswered(error),
        }
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Client {
    pub async fn new(io: TlsStream<TcpStream>, protocol: Protocol) -> hyper::Result<Self> {
        let io = TokioIo::new(io);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                let ended = tokio::spawn(async { drop(connection.await) });
                Self { sender: Sender::Http1(sender), ended: Some(ended) }
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                let ended = tokio::spawn(async { drop(connection.await) });
                Self { sender: Sender::Http2(sender), ended: Some(ended) }
            }
        })
    }

    pub async fn try_send(&mut self, request: Request<Body>) -> Result<Response, Lost> {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await.map_err(|_| Lost::Unsent)?;
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await.map_err(|_| Lost::Unsent)?;
                sender.try_send_request(request).await
            }
        };
        let response = sent.map_err(|mut error| match error.take_message() {
            Some(_) => Lost::Unsent,
            None => Lost::from(error.into_error()),
        })?;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
        Ok(Response { status: head.status, headers: head.headers, body })
    }

    pub async fn send(&mut self, request: Request<Body>) -> Response {
        tokio::time::timeout(FOREVER, self.try_send(request)).await.unwrap().unwrap()
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Body>) -> Response {
        self.send(post(path, body)).await
    }

    /// Waits until the server has closed the connection.
    pub async fn closed(self) {
        tokio::time::timeout(FOREVER, self.ended.unwrap()).await.unwrap().unwrap();
    }

    /// Another sender on the same HTTP/2 connection.
    pub fn again(&self) -> Self {
        match &self.sender {
            Sender::Http1(_) => panic!("HTTP/1.1 has one request at a time"),
            Sender::Http2(sender) => Self { sender: Sender::Http2(sender.clone()), ended: None },
        }
    }
}

pub fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

pub fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    request(Method::POST, path, body)
}

/// A review of the creation of a Pod.
pub fn review() -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u-1",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop",
            "name": "web",
            "operation": "CREATE",
            "userInfo": {"username": "jane"},
            "object": {"metadata": {"name": "web"}},
        },
    })
}

/// The router, told that its peer is this one.
pub fn from_peer(app: Router, peer: &str) -> Router {
    app.layer(axum::Extension(Peer(peer.parse().unwrap())))
}

/// Waits until the condition holds.
pub async fn until(mut condition: impl FnMut() -> bool) {
    let held = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(FOREVER, held).await.unwrap();
}

/// What is logged while it lives, on the thread that it was made on.
pub struct Log(Arc<Mutex<Vec<u8>>>, #[expect(dead_code)] tracing::subscriber::DefaultGuard);

impl Log {
    pub fn capture() -> Self {
        struct Writer(Arc<Mutex<Vec<u8>>>);
        impl Write for Writer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().json().with_writer(move || Writer(writer.clone())).finish();
        Self(lines, tracing::subscriber::set_default(subscriber))
    }

    pub fn lines(&self) -> Vec<Value> {
        let lines = self.0.lock().unwrap();
        String::from_utf8_lossy(&lines)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
