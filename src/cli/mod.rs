//! The command line: reads what was typed, builds the parts, joins them.

mod cel;
mod check;
mod cluster;
mod crds;
mod install;
mod logging;
mod serve;
pub mod webhooks;
mod yaml;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::api::duration;

/// Tells the owners of Kubernetes objects what is wrong with them, in kubectl.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve the webhooks, issue the certificates, tell the owners.
    Serve(Box<serve::Options>),
    /// Install the kinds and the webhook configurations into the cluster, or bring them up to date.
    Install(install::Options),
    /// Print the definitions of the kinds Pki, PkiPolicy and PodPolicy.
    Crds(crds::Options),
    Check(Box<check::Options>),
    /// Try a CEL expression on an object.
    Cel(cel::Options),
}

/// Which cluster is meant.
#[derive(Debug, Clone, Args)]
pub struct ClusterOptions {
    /// The kubeconfig file. Default: $KUBECONFIG or ~/.kube/config; within a Pod, its service
    /// account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<std::path::PathBuf>,
    /// The context within the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl Command {
    /// Does what was asked for, and gives what the process ends with.
    ///
    /// # Errors
    /// What kept it from being done, for whoever typed it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        // Before the first TLS connection: kube and the server share the one provider.
        if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
            anyhow::bail!("the cryptography provider was installed already");
        }
        let runtime = tokio::runtime::Runtime::new().context("can't start the threads")?;
        match self.action {
            Action::Serve(options) => runtime.block_on(serve::run(*options))?,
            Action::Install(options) => runtime.block_on(install::run(options))?,
            Action::Crds(options) => crds::run(&options)?,
            Action::Check(options) => return Ok(runtime.block_on(check::run(&options))),
            Action::Cel(options) => return cel::run(&options),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says what was done. Whoever closed the other end did not want to hear it, and what is being
/// done goes on.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Reads a duration as Kubernetes users write it.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = duration::parse(text).map_err(|error| error.to_string())?;
    Duration::try_from(parsed).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Command::command().debug_assert();
    }
}
