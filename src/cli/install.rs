//! `portreeve install`: the kinds and the webhook configurations, by server-side apply.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::webhooks::{Address, Webhooks};
use super::{ClusterOptions, cluster};
use crate::api;
use crate::api::names::MANAGER;
use crate::serving_certs::DEFAULT_CONFIGURATION_NAME;

/// How long the API server may take to serve a new kind.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    address: AddressOptions,
    /// Portreeve's own namespace; it is made if it is not there.
    #[arg(long, env = "POD_NAMESPACE", default_value = "portreeve")]
    namespace: String,
    /// The name of both webhook configurations.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CONFIGURATION_NAME)]
    webhook_configuration: String,
    /// What becomes of a Pki or a PodPolicy that is applied while Portreeve is away.
    #[arg(long, value_enum, default_value = "Ignore")]
    failure_policy: FailurePolicy,
    /// What becomes of Pods and workloads that are applied while Portreeve is away.
    #[arg(long, value_enum, default_value = "Ignore")]
    pod_failure_policy: FailurePolicy,
    /// How long the API server waits for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=30))]
    timeout: u32,
    /// The service account that Portreeve runs as; its own writes are not reviewed.
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
}

/// Where the API server finds Portreeve.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AddressOptions {
    /// The HTTPS address of a server outside the cluster, such as https://192.0.2.7:8443.
    #[arg(long, value_parser = parse_url)]
    url: Option<String>,
    /// The Service in Portreeve's namespace: NAME or NAME:PORT (443 where none is given).
    #[arg(long, value_parser = parse_service)]
    service: Option<Address>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailurePolicy {
    /// It is let through; it is judged again later, and nothing is issued that is not allowed.
    #[value(name = "Ignore")]
    Ignore,
    /// It is refused.
    #[value(name = "Fail")]
    Fail,
}

impl FailurePolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Fail => "Fail",
        }
    }
}

fn parse_url(text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix("https://") else {
        return Err("the API server calls webhooks by https:// only".to_owned());
    };
    match rest.trim_end_matches('/') {
        "" => Err("there is no host in it".to_owned()),
        rest if rest.contains(['/', '?', '#', '@']) => {
            Err("give host and port only: the paths /mutate and /validate are added".to_owned())
        }
        rest => Ok(format!("https://{rest}")),
    }
}

fn parse_service(text: &str) -> Result<Address, String> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => {
            (name, port.parse().map_err(|_| format!("{port:?} is no port number"))?)
        }
        None => (text, 443),
    };
    if name.is_empty() || name.contains(['/', '.']) {
        return Err("give the name of a Service, as in portreeve or portreeve:443".to_owned());
    }
    Ok(Address::Service { name: name.to_owned(), port })
}

pub(super) async fn run(options: Options) -> anyhow::Result<()> {
    let config = cluster::config(&options.cluster).await?;
    let client = cluster::client(&config, true)?;
    let address = match (options.address.url, options.address.service) {
        (Some(url), None) => Address::Url(url),
        (None, Some(service)) => service,
        _ => bail!("give --url or --service"),
    };
    let webhooks = Webhooks {
        name: options.webhook_configuration,
        namespace: options.namespace,
        address,
        failure_policy: options.failure_policy.as_str().to_owned(),
        pod_failure_policy: options.pod_failure_policy.as_str().to_owned(),
        timeout_seconds: options.timeout,
        service_account: options.service_account,
    };
    install_kinds(&client).await?;
    install_namespace(&client, &webhooks.namespace).await?;
    for configuration in webhooks.configurations() {
        install_configuration(&client, &configuration).await?;
    }
    Ok(())
}

async fn install_kinds(client: &Client) -> anyhow::Result<()> {
    let kinds: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in api::crds() {
        let name = crd.metadata.name.clone().unwrap_or_default();
        let parameters = PatchParams::apply(MANAGER).force();
        kinds
            .patch(&name, &parameters, &Patch::Apply(&crd))
            .await
            .with_context(|| format!("can't install CustomResourceDefinition {name}"))?;
        super::say(&format!("customresourcedefinition.apiextensions.k8s.io/{name} installed"));
    }
    for crd in api::crds() {
        let name = crd.metadata.name.unwrap_or_default();
        let served = await_condition(kinds.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(ESTABLISHED_WITHIN, served)
            .await
            .with_context(|| format!("the API server does not serve {name} after a minute"))?
            .with_context(|| format!("can't see whether {name} is served"))?;
    }
    Ok(())
}

/// A namespace that is there is left as it is.
async fn install_namespace(client: &Client, name: &str) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    if namespaces
        .get_opt(name)
        .await
        .with_context(|| format!("can't read namespace {name}"))?
        .is_some()
    {
        return Ok(());
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    namespaces
        .patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&namespace))
        .await
        .with_context(|| format!("can't make namespace {name}"))?;
    super::say(&format!("namespace/{name} installed"));
    Ok(())
}

async fn install_configuration(client: &Client, configuration: &Value) -> anyhow::Result<()> {
    let kind = configuration["kind"].as_str().unwrap_or_default();
    let name = configuration["metadata"]["name"].as_str().unwrap_or_default();
    let gvk = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    let plural = format!("{}s", kind.to_lowercase());
    let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
    let configurations: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let parameters = PatchParams::apply(MANAGER).force();
    configurations
        .patch(name, &parameters, &Patch::Apply(configuration))
        .await
        .with_context(|| format!("can't install {kind} {name}"))?;
    super::say(&format!("{}.admissionregistration.k8s.io/{name} installed", kind.to_lowercase()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_no_api_server_could_call_is_refused_with_the_reason() {
        assert_eq!(parse_url("https://[::1]:8443/").unwrap(), "https://[::1]:8443");
        assert!(parse_url("http://a:1").unwrap_err().contains("https"));
        assert!(parse_url("https://a/mutate").unwrap_err().contains("/mutate"));
        assert!(parse_service("a.b.svc").is_err());
        assert!(parse_service("a:x").unwrap_err().contains("port"));
        let expected = Address::Service { name: "a".into(), port: 8443 };
        assert_eq!(parse_service("a:8443").unwrap(), expected);
    }
}
