//! The servers, each a process of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use portreeve::server::{self, Lifecycle, Limits, Metrics};
use prometheus_client::registry::Registry;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::PrivateKeyDer;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, reload};

use crate::case::{Case, constant};

/// What a server tells whoever started it, as a line on standard output.
#[derive(Debug, Deserialize, Serialize)]
pub struct Started {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate, for `localhost`, as PEM.
    pub certificate: String,
}

/// Serves a case, until standard input ends.
pub fn run(case: Case) -> Result<()> {
    log()?;
    tokio::runtime::Runtime::new()?.block_on(serve(case))
}

/// As `portreeve serve` logs by default.
fn log() -> Result<()> {
    let (filter, _) = reload::Layer::new(EnvFilter::try_new("kube_runtime=error,info")?);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    Ok(())
}

async fn serve(case: Case) -> Result<()> {
    let limits = Limits::default();
    let metrics = Metrics::register(&mut Registry::default());
    let app = match case {
        Case::NoOp => no_op(),
        Case::NoRules | Case::TenRulesOneInject => {
            let decision = case.decision()?;
            server::webhook(move |_, request| decision(request), &limits, metrics.clone())
        }
    };
    let (certificate, tls) = tls()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let started = Started { address: listener.local_addr()?, certificate };
    println!("{}", serde_json::to_string(&started)?);
    let lifecycle = Lifecycle::new(CancellationToken::new());
    let serving = server::serve(listener, tls, app, limits, lifecycle, metrics);
    let ended = tokio::task::spawn_blocking(|| {
        std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink())
    });
    tokio::select! {
        () = serving => {}
        ended = ended => drop(ended??),
    }
    Ok(())
}

/// Reads the body, and answers the same to everything.
fn no_op() -> Router {
    let answer = Bytes::from(constant());
    let handler = move |_: Bytes| async move { ([(CONTENT_TYPE, "application/json")], answer) };
    Router::new().route("/mutate", post(handler))
}

fn tls() -> Result<(String, Arc<ServerConfig>)> {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    Ok((cert.pem(), Arc::new(tls)))
}
