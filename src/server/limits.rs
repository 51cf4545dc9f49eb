//! How much and how long: the bounds on what clients may ask of the server.

use std::time::Duration;

/// The bounds of one port. [`Limits::default`] is meant for the webhook, [`Limits::ops`] for
/// the second port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; the next one waits in the kernel's backlog. 1,024.
    pub connections: usize,
    /// Reviews in hand at once; the next one is refused with 503, and the API server asks again
    /// a second later. 256.
    pub in_flight: usize,
    /// Bytes of one body. 7 MiB: an object and its old self, each at most what etcd takes,
    /// with JSON's overhead over protobuf.
    pub body: usize,
    /// Bytes of all bodies in hand together, so that memory is bounded too. 64 MiB.
    pub bodies: usize,
    /// From a request's head to its answer. 9 seconds: below the 10 that the API server waits
    /// by default. Where it says how long it waits (`?timeout=`), nine tenths of that hold if
    /// they are less.
    pub request: Duration,
    /// For the TLS handshake. 5 seconds.
    pub handshake: Duration,
    /// For the first request of a connection, for the head of every HTTP/1.1 request, and so for
    /// the pause between two of those. 10 seconds, so that a connection on which nothing comes
    /// holds up no drain to its deadline.
    pub header: Duration,
    /// Between two HTTP/2 pings, and for the answer to one. 20 seconds.
    pub ping: Duration,
    /// A connection's age at which it is closed in good order, so that load finds its way to new
    /// replicas; some connections go up to a tenth earlier, lest all go at once. 5 minutes.
    pub max_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            in_flight: 256,
            body: 7 << 20,
            bodies: 64 << 20,
            request: Duration::from_secs(9),
            handshake: Duration::from_secs(5),
            header: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            max_age: Duration::from_secs(300),
        }
    }
}

impl Limits {
    /// The same, with the few connections that probes, scrapes and a person need.
    pub fn ops() -> Self {
        Self { connections: 64, ..Self::default() }
    }
}
