//! What lies between two programs on a network: it passes connections on, to one or to several,
//! and can be cut. All of it ends with the test's runtime.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::Portreeve;
use crate::harness::wait::LIMIT;

/// How often the replicas are asked whether they are ready: a Service learns it later than that.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// A wire to one program.
pub struct Wire {
    address: SocketAddr,
    /// Cancelled when it is cut; all connections end with it.
    whole: Arc<Mutex<CancellationToken>>,
}

impl Wire {
    /// A wire that is whole.
    pub async fn to(target: SocketAddr) -> Self {
        let (listener, address) = listen().await;
        let whole = Arc::new(Mutex::new(CancellationToken::new()));
        let wire = Self { address, whole: whole.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let whole = whole.lock().unwrap().clone();
                tokio::spawn(whole.run_until_cancelled_owned(pass(client, vec![target])));
            }
        });
        wire
    }

    /// Its near end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections, and those that come.
    pub fn cut(&self) {
        self.whole.lock().unwrap().cancel();
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        *self.whole.lock().unwrap() = CancellationToken::new();
    }
}

/// Stands for a Service: a new connection goes to a replica that is ready, each in its turn, and
/// where none is, to any that accepts it. Connections that exist stay where they are.
pub struct Balancer {
    address: SocketAddr,
    endpoints: Arc<Mutex<Endpoints>>,
}

#[derive(Default)]
struct Endpoints {
    all: Vec<Endpoint>,
    turn: usize,
}

struct Endpoint {
    webhook: SocketAddr,
    ops: SocketAddr,
    ready: bool,
}

impl Balancer {
    /// A Service without replicas.
    pub async fn start() -> Self {
        let (listener, address) = listen().await;
        let endpoints = Arc::new(Mutex::new(Endpoints::default()));
        let balancer = Self { address, endpoints: endpoints.clone() };
        tokio::spawn(look_after(endpoints.clone()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let targets = endpoints.lock().unwrap().targets();
                tokio::spawn(pass(client, targets));
            }
        });
        balancer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes a replica in; it gets connections when it is ready.
    pub fn add(&self, portreeve: &Portreeve) {
        let (webhook, ops) = (portreeve.webhook(), portreeve.ops());
        self.endpoints().all.push(Endpoint { webhook, ops, ready: false });
    }

    /// Takes out the replica that listens there.
    pub fn remove(&self, webhook: SocketAddr) {
        self.endpoints().all.retain(|endpoint| endpoint.webhook != webhook);
    }

    /// Whether it sends connections to the replica that listens there.
    pub fn uses(&self, webhook: SocketAddr) -> bool {
        self.endpoints().all.iter().any(|endpoint| endpoint.ready && endpoint.webhook == webhook)
    }

    fn endpoints(&self) -> MutexGuard<'_, Endpoints> {
        self.endpoints.lock().unwrap()
    }
}

impl Endpoints {
    /// Where a connection may go, in this order.
    fn targets(&mut self) -> Vec<SocketAddr> {
        self.turn += 1;
        let ready: Vec<_> = self.all.iter().filter(|endpoint| endpoint.ready).collect();
        match ready.is_empty() {
            true => self.all.iter().map(|endpoint| endpoint.webhook).collect(),
            false => vec![ready[self.turn % ready.len()].webhook],
        }
    }
}

/// Keeps knowing who is ready.
async fn look_after(endpoints: Arc<Mutex<Endpoints>>) {
    loop {
        let all: Vec<SocketAddr> =
            endpoints.lock().unwrap().all.iter().map(|endpoint| endpoint.ops).collect();
        for ops in all {
            let ready = timeout(LIMIT, is_ready(ops))
                .await
                .is_ok_and(|asked| asked.is_ok_and(|ready| ready));
            let mut endpoints = endpoints.lock().unwrap();
            let asked = endpoints.all.iter_mut().filter(|endpoint| endpoint.ops == ops);
            asked.for_each(|endpoint| endpoint.ready = ready);
        }
        sleep(ASK_AGAIN).await;
    }
}

async fn is_ready(ops: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(ops).await?;
    let request = b"GET /readyz HTTP/1.1\r\nHost: portreeve\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

/// Passes on what is said, to the first that accepts, until one side ends.
async fn pass(mut client: TcpStream, targets: Vec<SocketAddr>) {
    for target in targets {
        if let Ok(mut server) = TcpStream::connect(target).await {
            // Who of the two broke it off is nothing to us; both are told by the end of theirs.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
