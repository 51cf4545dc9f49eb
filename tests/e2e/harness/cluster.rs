//! The cluster that the tests run on.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::leash::Leashed;
use super::unique;

/// `RUN DIRECTORY ARGUMENT...`: runs a control plane until standard input ends, then removes its
/// directory.
const CONTROL_PLANE: &str = r#"
run=$1 directory=$2
shift 2
"$run" "$directory/cluster" "$@"
rm -rf "$directory"
"#;

/// Removes the directory when standard input ends.
const DIRECTORY: &str = r#"
read -r _
rm -rf "$1"
"#;

/// An API server, and how to talk to it.
pub struct Cluster {
    /// A directory of its own, removed with it.
    directory: PathBuf,
    kubeconfig: Option<PathBuf>,
    kubectl: PathBuf,
    host: String,
    leash: Mutex<Option<Leashed>>,
}

impl Cluster {
    /// The one that all tests of this process share; started by the first who asks.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let started = SHARED.get_or_init(|| match uses_current() {
            true => Self::current(),
            false => Self::start_own(&[]),
        });
        started.as_ref().unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// One of its own, for a test that disturbs everything. None where that can't be had, which is
    /// said.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, with more arguments of `tests/cluster/run`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        if Self::leaves_out() {
            return None;
        }
        Some(Self::start_own(arguments).unwrap_or_else(|problem| panic!("{problem}")))
    }

    /// Whether a test that needs a control plane of its own has to be left out, because the tests
    /// are to use the current cluster; if so, it is said.
    pub fn leaves_out() -> bool {
        let leaves_out = uses_current();
        if leaves_out {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not by a macro, whose output is shown of tests that fail only.
            let _ = writeln!(io::stderr(), "{test}: left out, it needs a control plane of its own");
        }
        leaves_out
    }

    fn start_own(arguments: &[&str]) -> Result<Self, String> {
        let programs = PathBuf::from(built("control-plane")?);
        let directory = make_directory();
        let run = scripts().join("run");
        let mut all = vec![run.as_os_str(), directory.as_os_str()];
        all.extend(arguments.iter().map(OsStr::new));
        let mut leash = Leashed::run(CONTROL_PLANE, &all);
        match leash.line() {
            Some(line) if line.starts_with("ready ") => {}
            other => return Err(format!("tests/cluster/run did not get ready: {other:?}")),
        }
        Ok(Self {
            kubeconfig: Some(directory.join("cluster/kubeconfig")),
            kubectl: programs.join("kubectl"),
            host: "127.0.0.1".to_owned(),
            leash: Mutex::new(Some(leash)),
            directory,
        })
    }

    fn current() -> Result<Self, String> {
        let directory = make_directory();
        let leash = Leashed::run(DIRECTORY, &[directory.as_os_str()]);
        Ok(Self {
            kubeconfig: None,
            kubectl: PathBuf::from("kubectl"),
            host: env::var("PORTREEVE_TEST_HOST").unwrap_or_else(|_| "127.0.0.1".to_owned()),
            leash: Mutex::new(Some(leash)),
            directory,
        })
    }

    /// Whether it is somebody's own, which the tests have to leave as they found it.
    pub fn is_current(&self) -> bool {
        self.kubeconfig.is_none()
    }

    /// A directory that is removed with the cluster.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The kubeconfig, where it isn't the current one.
    pub fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// The address under which the API server reaches this machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A kubectl of the cluster's version, with a cache of its own and no settings of the user's.
    pub fn kubectl_command(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECACHEDIR", self.directory.join("kubectl-cache")).env("KUBERC", "off");
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command
    }

    /// What tells Portreeve's own program the way to the cluster.
    pub fn portreeve_arguments(&self) -> Vec<&OsStr> {
        match &self.kubeconfig {
            Some(kubeconfig) => vec![OsStr::new("--kubeconfig"), kubeconfig.as_os_str()],
            None => Vec::new(),
        }
    }

    /// A client for the test's own runtime: one can't be shared between two.
    pub async fn client(&self) -> Client {
        Client::try_from(self.config().await).expect("a client can be made")
    }

    /// What a client is made of.
    pub async fn config(&self) -> Config {
        // The first who comes installs it; that another was faster is no fault.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).expect("the kubeconfig can be read");
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(kubeconfig, &options).await
            }
            None => Config::from_kubeconfig(&KubeConfigOptions::default()).await,
        };
        config.expect("the kubeconfig is right")
    }

    /// The id of one of its programs (`kube-apiserver`, …), by the control plane that is its parent.
    pub fn process(&self, program: &str) -> u32 {
        let supervisor = fs::read_to_string(self.directory.join("cluster/pid")).unwrap();
        let arguments = ["-P", supervisor.trim(), "-f", &format!("/{program} ")];
        let found = Command::new("pgrep").args(arguments).output().expect("pgrep runs");
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        found.trim().parse().unwrap_or_else(|_| panic!("{program} does not run once: {found:?}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.leash.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take());
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster")
}

/// Where `tests/cluster/build` has put what it builds of this name.
pub fn built(what: &str) -> Result<String, String> {
    let mut build = Command::new(scripts().join("build"));
    // The first build takes minutes; what it says of them is to be seen.
    let built = build.arg(what).stderr(Stdio::inherit()).output();
    let built = built.map_err(|error| format!("tests/cluster/build: {error}"))?;
    if !built.status.success() {
        return Err(format!("tests/cluster/build {what} failed: it says why above"));
    }
    Ok(String::from_utf8_lossy(&built.stdout).trim().to_owned())
}

fn uses_current() -> bool {
    match env::var("PORTREEVE_TEST_CLUSTER").as_deref() {
        Ok("current") => true,
        Ok("") | Err(_) => false,
        Ok(other) => panic!("PORTREEVE_TEST_CLUSTER is {other:?}: `current`, or nothing, is meant"),
    }
}

fn make_directory() -> PathBuf {
    let directory = env::temp_dir().join(format!("portreeve-e2e-{}", unique()));
    fs::create_dir(&directory).expect("the temporary directory can be written");
    directory
}
