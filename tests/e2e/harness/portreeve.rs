//! The real program, serving.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::leash::Leashed;
use super::wait::eventually_now;
use super::{Cluster, unique};

const PROGRAM: &str = env!("CARGO_BIN_EXE_portreeve");

/// `leash LOG COMMAND...`: prints the command's process id, and kills it when standard input ends.
/// Its own end is the script's, with its status.
const SERVE: &str = r#"
log=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- >"$log" 2>&1 & program=$!
echo "$program"
{ read -r _ <&3; kill -KILL "$program"; } 2>/dev/null & leash=$!
exec 3<&-
wait "$program" 2>/dev/null
status=$?
kill "$leash" 2>/dev/null
exit "$status"
"#;

/// How a replica is started.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Its name.
    pub instance: String,
    /// Portreeve's own namespace.
    pub namespace: String,
    /// The name of both webhook configurations.
    pub configuration: String,
    /// The port of the webhook; 0 takes one that is free.
    pub port: u16,
    /// More arguments of `serve`.
    pub arguments: Vec<String>,
    /// The way to the API server, where it isn't the cluster's own kubeconfig.
    pub kubeconfig: Option<PathBuf>,
}

impl Default for Replica {
    fn default() -> Self {
        Self {
            instance: format!("replica-{}", unique()),
            namespace: "portreeve".to_owned(),
            configuration: "portreeve".to_owned(),
            port: 0,
            // So that counts rise while a test looks, and nothing waits for a drain.
            arguments: ["--event-renewal=1s", "--drain-delay=0s"].map(str::to_owned).into(),
            kubeconfig: None,
        }
    }
}

/// `portreeve serve`, until it is dropped.
pub struct Portreeve {
    replica: Replica,
    leash: Leashed,
    process: u32,
    log: PathBuf,
    webhook: SocketAddr,
    ops: SocketAddr,
    url: String,
}

impl Portreeve {
    /// Starts a replica. It has its ports, but need not be ready.
    pub fn start(cluster: &Cluster, replica: Replica) -> Self {
        let log = cluster.directory().join(format!("{}-{}.log", replica.instance, unique()));
        let host = cluster.host();
        let interface = if host == "127.0.0.1" { host } else { "0.0.0.0" };
        let mut own: Vec<String> = vec![
            format!("--listen={interface}:{}", replica.port),
            "--ops-listen=127.0.0.1:0".to_owned(),
            format!("--serving-name={host}"),
            format!("--namespace={}", replica.namespace),
            format!("--webhook-configuration={}", replica.configuration),
            format!("--instance={}", replica.instance),
        ];
        own.extend(replica.arguments.iter().cloned());
        let mut arguments = vec![log.as_os_str(), OsStr::new(PROGRAM), OsStr::new("serve")];
        match &replica.kubeconfig {
            Some(path) => arguments.extend([OsStr::new("--kubeconfig"), path.as_os_str()]),
            None => arguments.extend(cluster.portreeve_arguments()),
        }
        arguments.extend(own.iter().map(OsStr::new));
        let mut leash = Leashed::run(SERVE, &arguments);
        let process = leash.line().expect("the script tells the process id").parse().unwrap();
        let (webhook, ops): (SocketAddr, SocketAddr) =
            eventually_now("portreeve says where it listens", || {
                let said = fs::read_to_string(&log).unwrap_or_default();
                assert!(!leash.has_ended(), "portreeve ended:\n{said}");
                let starts = said.lines().find(|line| line.contains("portreeve starts"));
                let address = |key| {
                    let words = starts?.split_whitespace();
                    words.filter_map(|word| word.strip_prefix(key)).next()?.parse().ok()
                };
                address("listen=").zip(address("ops=")).ok_or(said)
            });
        let url = format!("https://{host}:{}", webhook.port());
        Self { replica, leash, process, log, webhook, ops, url }
    }

    /// Starts a replica, points the cluster's webhooks to it, and waits until it is ready.
    pub fn installed(cluster: &Cluster, replica: Replica) -> Self {
        let portreeve = Self::start(cluster, replica);
        let Replica { namespace, configuration, .. } = &portreeve.replica;
        install(cluster, namespace, configuration, &portreeve.url);
        portreeve.await_readiness();
        portreeve
    }

    /// Waits until it says that it is ready.
    pub fn await_readiness(&self) {
        eventually_now("portreeve is ready", || match self.get("/readyz") {
            Ok((200, _)) => Ok(()),
            other => Err((other, self.log())),
        });
    }

    /// `GET` on the second port: the status and the body.
    pub fn get(&self, path: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.ops)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: portreeve\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        Ok((status, body.to_owned()))
    }

    /// Where the webhook listens.
    pub fn webhook(&self) -> SocketAddr {
        self.webhook
    }

    /// Where health and metrics are.
    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// The webhook's address as the API server is to call it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How it was started; a second one of the same name and port is its successor.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Sends a signal such as `TERM` or `KILL`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.process.to_string()]).status();
        assert!(sent.expect("kill runs").success(), "SIG{signal} could not be sent");
    }

    /// Waits for its end, and gives its exit status: 0, or above 128 where a signal ended it.
    pub fn wait(&mut self) -> Option<i32> {
        self.leash.wait()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Installs the kinds and the webhook configurations, by the program itself.
pub fn install(cluster: &Cluster, namespace: &str, configuration: &str, url: &str) {
    install_with(cluster, namespace, configuration, url, &[]);
}

/// The same, with more arguments of `install`.
pub fn install_with(
    cluster: &Cluster,
    namespace: &str,
    configuration: &str,
    url: &str,
    more: &[&str],
) {
    let own = [
        format!("--namespace={namespace}"),
        format!("--webhook-configuration={configuration}"),
        format!("--url={url}"),
    ];
    let mut command = Command::new(PROGRAM);
    command.arg("install").args(cluster.portreeve_arguments()).args(own).args(more);
    let installed = command.output().expect("portreeve runs");
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "portreeve install failed: {said}");
}
