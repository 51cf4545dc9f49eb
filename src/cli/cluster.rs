//! Clients of the API server.

use std::time::Duration;

use anyhow::Context as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tracing::{info, warn};

use super::ClusterOptions;

/// How often an API server that does not answer yet is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How long a connection may be silent after a request. A watch is, for the minute that it lasts;
/// without a limit, a request on a connection that died without a word waits for the kernel to give
/// it up, which takes a quarter of an hour.
const SILENCE: Duration = Duration::from_secs(90);

/// Where the API server is and who we are to it.
///
/// # Errors
/// When the kubeconfig can't be read, or there is none and this is no Pod.
pub(super) async fn config(options: &ClusterOptions) -> anyhow::Result<Config> {
    let choice = KubeConfigOptions { context: options.context.clone(), ..Default::default() };
    let config = match &options.kubeconfig {
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path)
                .with_context(|| format!("can't read kubeconfig {}", path.display()))?;
            Config::from_custom_kubeconfig(kubeconfig, &choice).await?
        }
        None if options.context.is_some() => Config::from_kubeconfig(&choice).await?,
        None => Config::infer().await?,
    };
    Ok(config)
}

/// A client; `retries` says whether kube's own retries are wanted.
///
/// # Errors
/// When the configuration's certificates or keys can't be used.
pub(super) fn client(config: &Config, retries: bool) -> anyhow::Result<Client> {
    let mut config = config.clone();
    config.default_retry = retries;
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    Client::try_from(config).context("can't make a client of the API server")
}

/// Waits until the API server answers, for as long as it takes.
pub(super) async fn answered(client: &Client, url: &str) {
    let mut waiting = false;
    while let Err(error) = client.apiserver_version().await {
        // One that answers with a refusal is there.
        if matches!(error, kube::Error::Api(_)) {
            return;
        }
        if !waiting {
            warn!(%error, url, "the API server does not answer yet; waiting for it");
        }
        waiting = true;
        tokio::time::sleep(ASK_AGAIN).await;
    }
    if waiting {
        info!(url, "the API server answers");
    }
}
