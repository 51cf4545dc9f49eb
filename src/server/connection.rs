//! Connections: accepted, bounded, and closed in good order.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::{future, io};

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Version};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use tracing::{debug, info, warn};

use super::{Lifecycle, Limits, Metrics};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// How long accepting rests after an error that is the machine's (no file descriptors left),
/// which asking again at once would not mend.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end; an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves `app` over HTTPS, HTTP/2 or HTTP/1.1 as the client chooses, until `lifecycle` says to
/// stop and all is drained. Nothing that it started runs on after it has returned; if it is
/// dropped before, its connections are closed.
///
/// The protocols that `tls` offers are set here, whatever it has.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: Router,
    limits: Limits,
    lifecycle: Lifecycle,
    metrics: Metrics,
) {
    let mut tls = Arc::unwrap_or_clone(tls);
    tls.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    let tls = Some(TlsAcceptor::from(Arc::new(tls)));
    Server::new(tls, app, limits, lifecycle, metrics).run(listener).await;
}

/// Serves `app` over plain HTTP/1.1, under the same limits and to the same end as [`serve`].
pub async fn serve_plain(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    lifecycle: Lifecycle,
    metrics: Metrics,
) {
    Server::new(None, app, limits, lifecycle, metrics).run(listener).await;
}

struct Server {
    tls: Option<TlsAcceptor>,
    app: Router,
    limits: Limits,
    lifecycle: Lifecycle,
    metrics: Metrics,
    slots: Arc<Semaphore>,
    draining: CancellationToken,
    tasks: Tasks,
}

impl Server {
    fn new(
        tls: Option<TlsAcceptor>,
        app: Router,
        limits: Limits,
        lifecycle: Lifecycle,
        metrics: Metrics,
    ) -> Arc<Self> {
        Arc::new(Self {
            tls,
            app,
            limits,
            lifecycle,
            metrics,
            slots: Arc::new(Semaphore::new(limits.connections)),
            draining: CancellationToken::new(),
            tasks: Tasks::default(),
        })
    }

    async fn run(self: Arc<Self>, listener: TcpListener) {
        let _closes_all_if_dropped = self.tasks.kill.clone().drop_guard();
        let mut drained = pin!(self.drained());
        let deadline = loop {
            tokio::select! {
                biased;
                deadline = &mut drained => break deadline,
                (slot, accepted) = self.accept(&listener) => self.receive(accepted, slot).await,
            }
        };
        // Whoever connected in the last moment is in the kernel's backlog, and would be reset.
        while let Some((slot, accepted @ Ok(_))) = self.accept(&listener).now_or_never() {
            self.receive(accepted, slot).await;
        }
        drop(listener);
        if timeout_at(deadline, self.tasks.tracker.wait()).await.is_err() {
            warn!("closing the connections that are still open at the deadline");
        }
        self.tasks.kill.cancel();
        self.tasks.tracker.wait().await;
    }

    /// The steps of [`Lifecycle`], up to the last answer or the deadline, which it returns.
    async fn drained(&self) -> Instant {
        self.lifecycle.stopping().await;
        info!(delay = ?self.lifecycle.drain_delay, "stopping: still serving, no longer ready");
        sleep(self.lifecycle.drain_delay).await;
        let deadline = Instant::now() + self.lifecycle.deadline;
        info!(deadline = ?self.lifecycle.deadline, "draining connections");
        self.draining.cancel();
        self.tasks.tracker.close();
        let _ = timeout_at(deadline, self.tasks.tracker.wait()).await;
        deadline
    }

    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
        let slot = self.slots.clone().acquire_owned().await.ok();
        (slot, listener.accept().await)
    }

    async fn receive(
        self: &Arc<Self>,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        slot: Option<OwnedSemaphorePermit>,
    ) {
        match accepted {
            Ok((tcp, peer)) => {
                let server = self.clone();
                self.tasks.execute(async move {
                    let _slot = slot;
                    server.handshake(tcp, peer).await;
                });
            }
            Err(error) if is_the_clients(&error) => debug!(%error, "lost before accepted"),
            Err(error) => {
                warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn handshake(&self, tcp: TcpStream, peer: SocketAddr) {
        let _open = self.metrics.connection();
        // With Nagle's algorithm one answer in a hundred waits for a delayed acknowledgement.
        if let Err(error) = tcp.set_nodelay(true) {
            debug!(%peer, %error, "lost before the handshake");
            return;
        }
        let Some(tls) = &self.tls else {
            return self.converse(tcp, peer, false).await;
        };
        match timeout(self.limits.handshake, tls.accept(tcp)).await {
            Ok(Ok(tls)) => {
                let http2 = tls.get_ref().1.alpn_protocol() == Some(HTTP2);
                self.converse(tls, peer, http2).await;
            }
            // A probe of the port, which opens and closes it.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                debug!(%peer, "closed before the TLS handshake");
            }
            Ok(Err(error)) => {
                self.metrics.handshake_failed();
                warn!(%peer, %error, "TLS handshake failed");
            }
            Err(_) => {
                self.metrics.handshake_failed();
                warn!(%peer, limit = ?self.limits.handshake, "TLS handshake took too long");
            }
        }
    }

    async fn converse<IO>(&self, io: IO, peer: SocketAddr, http2: bool)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let asked = SetOnce::new();
        let service = service_fn(|mut request: hyper::Request<Incoming>| {
            let _ = asked.set(());
            request.extensions_mut().insert(Peer(peer));
            let http1 = request.version() < Version::HTTP_2;
            let lifecycle = self.lifecycle.clone();
            let answer = self.app.clone().call(request);
            async move {
                let mut response = answer.await?;
                // HTTP/1.1 has no GOAWAY: a client that is busy is told with an answer, before
                // the connection has to be closed under it.
                if http1 && lifecycle.is_stopping() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let builder = self.protocol(http2);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));

        // hyper has no limit of its own for an HTTP/2 preface that never comes.
        let silent = async {
            if timeout(self.limits.header, asked.wait()).await.is_ok() {
                future::pending().await
            }
        };
        let retire = async {
            tokio::select! {
                () = self.draining.cancelled() => {}
                () = sleep(age(self.limits.max_age, peer)) => {}
            }
            // Who connects to a server that is draining gets one request in.
            asked.wait().await;
        };
        tokio::select! {
            ended = connection.as_mut() => return log_end(peer, ended),
            () = silent => return debug!(%peer, "closed: no request came"),
            () = retire => {}
        }
        connection.as_mut().graceful_shutdown();
        match timeout(self.limits.request + self.limits.header, connection).await {
            Ok(ended) => log_end(peer, ended),
            Err(_) => debug!(%peer, "closed: it did not end when asked to"),
        }
    }

    fn protocol(&self, http2: bool) -> auto::Builder<Tasks> {
        let builder = auto::Builder::new(self.tasks.clone());
        let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.limits.header);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.limits.ping)
            .keep_alive_timeout(self.limits.ping);
        builder
    }
}

/// What runs on behalf of one server: its connections and the HTTP/2 streams in them.
#[derive(Clone, Default)]
struct Tasks {
    tracker: TaskTracker,
    kill: CancellationToken,
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        self.tracker.spawn(self.kill.clone().run_until_cancelled_owned(task));
    }
}

/// Up to a tenth less than `max_age`, told by the port of the peer, which is as good as random.
fn age(max_age: Duration, peer: SocketAddr) -> Duration {
    max_age - max_age * u32::from(peer.port() % 100) / 1000
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn log_end<E: std::fmt::Display>(peer: SocketAddr, ended: Result<(), E>) {
    match ended {
        Ok(()) => debug!(%peer, "connection ended"),
        Err(error) => debug!(%peer, %error, "connection failed"),
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
