//! The load: a few connections with many streams each, as an API server has them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use h2::client::{self, SendRequest};
use http::{Request, StatusCode};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsConnector;

use crate::case::{Case, review};
use crate::server::Started;

const CONNECTIONS: usize = 4;

/// On each connection; with all connections less than what the server takes in hand at once.
const STREAMS: usize = 32;

/// What a connection may carry that is not read yet, so that it never waits for leave.
const WINDOW: u32 = 1 << 20;

/// How often requests are sent under a fixed load.
const TICK: Duration = Duration::from_millis(1);

/// A server, and the connections to it.
pub struct Server {
    pub case: Case,
    connections: Vec<SendRequest<Bytes>>,
    question: Question,
    /// Ends when its standard input does.
    _process: Child,
}

/// What is asked again and again.
#[derive(Clone)]
struct Question {
    head: Request<()>,
    body: Bytes,
    /// How long the answer is.
    answer: usize,
}

impl Server {
    /// Starts a server, and sees that it answers what it should.
    pub async fn start(case: Case) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([crate::SERVE, case.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let started: Started = serde_json::from_str(&line)
            .with_context(|| format!("the server of {} does not start", case.name()))?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(connect(&started).await?);
        }
        let body = Bytes::from(review());
        let head = Request::post("https://localhost/mutate?timeout=10s")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("accept", "application/json, */*")
            .header("accept-encoding", "gzip")
            .header("user-agent", "kube-apiserver-admission")
            .body(())?;
        let mut question = Question { head, body, answer: 0 };
        let answer = ask(&connections[0], &question).await?;
        case.check(&answer)?;
        question.answer = answer.len();
        Ok(Self { case, connections, question, _process: process })
    }

    /// How many reviews a second are answered when all streams are busy.
    pub async fn rate(&self, during: Duration) -> Result<f64> {
        let end = Instant::now() + during;
        let mut streams = JoinSet::new();
        for connection in self.connections.iter().cycle().take(CONNECTIONS * STREAMS) {
            let (connection, question) = (connection.clone(), self.question.clone());
            streams.spawn(async move {
                let mut answered = 0;
                loop {
                    question.put(&connection).await?;
                    if Instant::now() > end {
                        return anyhow::Ok(answered);
                    }
                    answered += 1;
                }
            });
        }
        let mut answered = 0;
        while let Some(stream) = streams.join_next().await {
            answered += stream??;
        }
        Ok(f64::from(answered) / during.as_secs_f64())
    }

    /// How long each review takes, in microseconds, when so many come in a second, whether those
    /// before them are answered or not.
    pub async fn times(&self, a_second: u32, during: Duration) -> Result<Vec<f64>> {
        let ticks = during.as_millis() / TICK.as_millis();
        let at_once = (a_second as usize * TICK.as_millis() as usize) / 1_000;
        let mut connections = self.connections.iter().cycle();
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut answers = JoinSet::new();
        for _ in 0..ticks {
            interval.tick().await;
            for connection in connections.by_ref().take(at_once) {
                let (connection, question) = (connection.clone(), self.question.clone());
                answers.spawn(async move {
                    let asked = Instant::now();
                    question.put(&connection).await?;
                    anyhow::Ok(asked.elapsed().as_secs_f64() * 1e6)
                });
            }
        }
        let mut times = Vec::new();
        while let Some(answer) = answers.join_next().await {
            times.push(answer??);
        }
        Ok(times)
    }
}

impl Question {
    async fn put(&self, connection: &SendRequest<Bytes>) -> Result<()> {
        let answer = ask(connection, self).await?;
        ensure!(answer.len() == self.answer, "another answer: {}", answer.escape_ascii());
        Ok(())
    }
}

async fn ask(connection: &SendRequest<Bytes>, question: &Question) -> Result<Vec<u8>> {
    let mut connection = connection.clone().ready().await?;
    let (answer, mut body) = connection.send_request(question.head.clone(), false)?;
    body.send_data(question.body.clone(), true)?;
    let (head, mut body) = answer.await?.into_parts();
    ensure!(head.status == StatusCode::OK, "{head:?}");
    let mut whole = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

async fn connect(server: &Started) -> Result<SendRequest<Bytes>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.certificate.as_bytes())?)?;
    let mut tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(server.address).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let io = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await?;
    let (sender, connection) = client::Builder::new()
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW)
        .handshake(io)
        .await?;
    // What ends a connection is told to whoever asks on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
