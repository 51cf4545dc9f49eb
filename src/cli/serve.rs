//! `portreeve serve`: the server, the watches, and, while this replica leads, the controllers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{ClusterOptions, cluster, logging, parse_duration};
use crate::admission::{self, Admitter};
use crate::controllers::lease::{self, Candidate};
use crate::controllers::{self, Cache, watches};
use crate::server::{self, Check, Endpoint, Health, Lifecycle, Limits, Metrics, Undecided};
use crate::serving_certs::{DEFAULT_CONFIGURATION_NAME, Identity, Keeper};

/// How soon a part that failed is started again.
const START_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    cluster: ClusterOptions,
    /// Where the API server calls: HTTPS.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,
    /// Where health, metrics and the log level are: plain HTTP.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    ops_listen: SocketAddr,
    /// Portreeve's own namespace: its Lease and its CAs lie there.
    #[arg(long, env = "POD_NAMESPACE", default_value = "portreeve")]
    namespace: String,
    /// This replica's name, unique among the replicas. Default: the host's name.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    instance: Option<String>,
    /// A DNS name or an address by which the API server calls; may be given several times.
    /// Default: portreeve.NAMESPACE.svc.
    #[arg(long = "serving-name", value_name = "NAME")]
    serving_names: Vec<String>,
    /// The webhook configurations whose caBundle is kept.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CONFIGURATION_NAME)]
    webhook_configuration: String,
    /// How log lines are written.
    #[arg(long, value_enum, default_value = "text")]
    log_format: logging::Format,
    /// What is logged: error, warn, info, debug, trace, or directives such as info,portreeve=debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: String,
    /// After SIGTERM: how long to go on serving while no new connections should come.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    drain_delay: Duration,
    /// How often the Event of a fault that stands is renewed; Events live for an hour.
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = parse_renewal)]
    event_renewal: Duration,
    /// How long the leader may be silent before another replica takes over.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_lease)]
    lease_duration: Duration,
}

fn parse_renewal(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        renewal if renewal < Duration::from_secs(1) => Err("must be at least 1s".to_owned()),
        renewal if renewal > Duration::from_secs(50 * 60) => {
            Err("must be at most 50m: Events live for an hour".to_owned())
        }
        renewal => Ok(renewal),
    }
}

fn parse_lease(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        lease if lease < Duration::from_secs(3) => Err("must be at least 3s".to_owned()),
        lease => Ok(lease),
    }
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let log_level = logging::start(options.log_format, &options.log_level)
        .with_context(|| format!("can't log at level {:?}", options.log_level))?;
    let config = cluster::config(&options.cluster).await?;
    let client = cluster::client(&config, true)?;
    let unretried = cluster::client(&config, false)?;
    let instance = options.instance.clone().unwrap_or_else(host_name);

    let mut registry = Registry::with_prefix("portreeve");
    let metrics = Metrics::register(&mut registry);
    let controllers_metrics = controllers::Metrics::register(&mut registry);

    let cache = Arc::new(Cache::new(&options.namespace));
    let mut names = options.serving_names.clone();
    if names.is_empty() {
        names.push(format!("portreeve.{}.svc", options.namespace));
    }
    let mut identity = Identity::new(&options.namespace, names);
    identity.configuration_name = options.webhook_configuration.clone();
    let keeper = Keeper::new(client.clone(), identity);

    let stop = CancellationToken::new();
    let lifecycle = Lifecycle::new(stop.clone()).with_drain_delay(options.drain_delay);
    let health = Health::new(lifecycle.clone(), checks(&cache, &keeper));
    let admitter = Admitter(format!("portreeve/{} {instance}", env!("CARGO_PKG_VERSION")));
    let limits = Limits::default();
    let webhook = server::webhook(decision(cache.clone(), admitter), &limits, metrics.clone());
    let ops = server::ops(health, Arc::new(registry), log_level);

    admission::prepare();
    let stop_signal = stop_signal()?;
    let listener = bind(options.listen).await?;
    let ops_listener = bind(options.ops_listen).await?;
    let tls = keeper.serving_cert().server_config()?;
    info!(
        version = env!("CARGO_PKG_VERSION"), instance,
        listen = %listener.local_addr()?, ops = %ops_listener.local_addr()?,
        api_server = %config.cluster_url, "portreeve starts"
    );

    // What feeds the webhook outlives it, so that a replica that drains still decides rightly.
    let served = CancellationToken::new();
    let serving = async {
        server::serve(listener, tls, webhook, limits, lifecycle, metrics).await;
        served.cancel();
    };
    let ops_lifecycle = Lifecycle::new(served.clone()).with_drain_delay(Duration::ZERO);
    let ops =
        server::serve_plain(ops_listener, ops, Limits::ops(), ops_lifecycle, Metrics::default());
    let with_cluster = async {
        let url = config.cluster_url.to_string();
        if stop.run_until_cancelled(cluster::answered(&client, &url)).await.is_none() {
            return Ok(());
        }
        let candidate = Candidate {
            namespace: options.namespace.clone(),
            identity: unique(&instance)?,
            duration: options.lease_duration,
        };
        let work = controllers::Options {
            namespace: options.namespace.clone(),
            instance: instance.clone(),
            event_renewal: options.event_renewal,
            stop_within: candidate.stop_within(),
        };
        let watch = || watches::run(client.clone(), cache.clone(), served.clone());
        let keep = || keeper.clone().run(served.clone());
        let elect = || {
            let (client, recording) = (client.clone(), unretried.clone());
            let (cache, metrics) = (cache.clone(), controllers_metrics.clone());
            let (work, candidate) = (work.clone(), candidate.clone());
            let lead = move |token: CancellationToken| {
                let (client, recording) = (client.clone(), recording.clone());
                let (cache, metrics) = (cache.clone(), metrics.clone());
                controllers::reconcile(client, recording, cache, work.clone(), metrics, token)
            };
            lease::run(unretried.clone(), candidate, stop.clone(), lead)
        };
        // Nobody is judged by what has not been read yet.
        let elect_when_filled = async {
            if stop.run_until_cancelled(cache.until_filled()).await.is_some() {
                supervised("election", &stop, elect).await;
            }
        };
        tokio::join!(
            supervised("watches", &served, watch),
            supervised("serving certificate", &served, keep),
            elect_when_filled,
        );
        anyhow::Ok(())
    };
    let told_to_stop = async {
        let signal = stop.run_until_cancelled(stop_signal).await;
        info!(signal, "portreeve stops");
        stop.cancel();
    };
    let ((), (), worked, ()) = tokio::join!(serving, ops, with_cluster, told_to_stop);
    worked
}

/// Runs a part on threads of its own, away from the one that accepts connections. One that panics
/// is started again: the webhook must not go down with it.
async fn supervised<F>(part: &'static str, until: &CancellationToken, start: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while let Err(failure) = tokio::spawn(start()).await {
        error!(part, %failure, "a part of portreeve failed, and is started again");
        if until.run_until_cancelled(tokio::time::sleep(START_AGAIN)).await.is_none() {
            return;
        }
    }
}

/// What has to hold before this replica is sent requests.
fn checks(cache: &Arc<Cache>, keeper: &Keeper) -> Vec<Check> {
    let (cache, keeper) = (cache.clone(), keeper.clone());
    vec![
        Check::new("cache", move || cache.filled()),
        Check::new("serving-certificate", move || keeper.ready()),
    ]
}

/// The webhook's decision: pure, from the request and what is known of the cluster.
fn decision(
    cache: Arc<Cache>,
    admitter: Admitter,
) -> impl Fn(Endpoint, &admission::review::Request<'_>) -> Result<admission::review::Answer, Undecided>
{
    move |endpoint, request| {
        cache.filled().map_err(Undecided::NotReady)?;
        let snapshot = cache.read();
        let answer = match endpoint {
            Endpoint::Mutate => admission::mutate(request, &snapshot, &admitter),
            Endpoint::Validate => admission::validate(request, &snapshot),
        };
        answer.map_err(|unknown| Undecided::NotOurs(unknown.to_string()))
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))
}

/// The signal to stop, from now on: one that comes before it is waited for is not lost.
fn stop_signal() -> anyhow::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate()).context("can't wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// A name that no other process has, even of the same host and instance: two that lead under one
/// name would not notice each other.
fn unique(instance: &str) -> anyhow::Result<String> {
    let mut random = [0; 4];
    aws_lc_rs::rand::fill(&mut random).context("can't make a random number")?;
    Ok(format!("{instance}_{:08x}", u32::from_be_bytes(random)))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "portreeve".to_owned())
}
