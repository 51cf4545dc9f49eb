//! Tests that disturb: replicas are killed, the API server stops answering, the Lease is taken.
//!
//! Each has a control plane of its own ([`Scene`]), on which the article's application app1 asks
//! for a certificate that it may not have. What must hold through every disturbance is always the
//! same: whoever is concerned is told, by one Event, and is told once that it is over.

mod forwarder;
mod leadership;
mod outages;
mod pods;
mod rolling;
mod starting;
mod telling;

use std::fs;
use std::sync::mpsc;
use std::thread;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use portreeve::api::Pki;
use portreeve::api::names::{FINDINGS_ANNOTATION, FINDINGS_LABEL};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::harness::portreeve::install_with;
use crate::harness::space::{is_ours, lines, pki, pod};
use crate::harness::wait::LIMIT;
use crate::harness::{Cluster, Output, Portreeve, Replica, eventually, kubectl};

/// A control plane takes 450 MB, and most of a processor while it starts.
static CONTROL_PLANES: Semaphore = Semaphore::const_new(2);

/// The namespaces app1 and app2, and who may ask for what in them.
const POLICY: &str = include_str!("../../../examples/article/policy.yaml");

/// The reason of the fault that app1 has.
const FAULT: &str = "PkiServiceNameError";

/// The reason of the Event that ends it.
const END: &str = "PkiReady";

/// Whom the fault of app1 concerns: kind and name.
const CONCERNED: [(&str, &str); 2] = [("Pki", "app1-pki"), ("Pod", "app1")];

/// A replica's arguments where counts are to rise while a test looks, and Leases to change hands.
const QUICK: [&str; 3] = ["--event-renewal=1s", "--drain-delay=0s", "--lease-duration=3s"];

/// A control plane that a test may do anything to.
struct Scene {
    cluster: Cluster,
    client: Client,
    _turn: SemaphorePermit<'static>,
}

impl Scene {
    /// A control plane with nothing installed. None where the tests use the current cluster.
    async fn bare() -> Option<Self> {
        let turn = CONTROL_PLANES.acquire().await.expect("the semaphore is never closed");
        let cluster = Cluster::start()?;
        let client = cluster.client().await;
        Some(Self { cluster, client, _turn: turn })
    }

    /// Starts a replica with these arguments; it need not be ready.
    fn start(&self, arguments: &[&str]) -> Portreeve {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Portreeve::start(&self.cluster, Replica { arguments, ..Replica::default() })
    }

    /// Starts a replica to which the webhooks point, and waits until it is ready.
    fn install(&self, arguments: &[&str]) -> Portreeve {
        let portreeve = self.start(arguments);
        self.install_at(portreeve.url(), &[]);
        portreeve.await_readiness();
        portreeve
    }

    /// Installs the kinds and webhooks that point there.
    fn install_at(&self, url: &str, more: &[&str]) {
        install_with(&self.cluster, "portreeve", "portreeve", url, more);
    }

    fn kubectl(&self, line: &str, input: &str) -> Output {
        kubectl::kubectl(&self.cluster, line, input)
    }

    fn apply(&self, namespace: &str, manifest: &Value) {
        self.kubectl(&format!("--namespace={namespace} apply -f -"), &manifest.to_string()).ok();
    }

    /// Makes the namespaces and the policy, and waits until a webhook goes by it.
    async fn apply_policy(&self) {
        for namespace in ["app1", "app2"] {
            self.kubectl(&format!("create namespace {namespace}"), "").ok();
        }
        self.kubectl("apply -f -", POLICY).ok();
        let probe: Pki = parse(pki("probe", json!({"serviceName": "not-allowed"})));
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        for namespace in ["app1", "app2"] {
            let pkis = self.pkis(namespace);
            eventually("the webhook goes by the policy", async || {
                let stored = pkis.create(&dry_run, &probe).await;
                if stored.as_ref().is_ok_and(has_findings) { Ok(()) } else { Err(stored) }
            })
            .await;
        }
    }

    /// app1 asks for a certificate that it may not have, and mounts its Secret.
    fn apply_fault(&self) {
        self.apply("app1", &pki("app1-pki", json!({"serviceName": "appp1"})));
        let volume = json!({"name": "certificate", "secret": {"secretName": "app1-pki"}});
        self.apply("app1", &pod("app1", json!({"volumes": [volume]})));
    }

    /// app1 asks for what it may have.
    fn apply_correction(&self) {
        self.apply("app1", &pki("app1-pki", json!({"serviceName": "app1"})));
    }

    /// app2, in which nothing is wrong.
    fn apply_sound(&self) {
        self.apply("app2", &pki("app2-pki", json!({"serviceName": "app2"})));
        let volume = json!({"name": "certificate", "secret": {"secretName": "app2-pki"}});
        self.apply("app2", &pod("app2", json!({"volumes": [volume]})));
    }

    fn pkis(&self, namespace: &str) -> Api<Pki> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// What Portreeve told in a namespace.
    async fn told(&self, namespace: &str) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let mut found =
            events.list(&ListParams::default()).await.expect("Events can be listed").items;
        found.retain(is_ours);
        found
    }

    /// What Portreeve told of one object of app1's namespace.
    async fn told_of(&self, (kind, name): (&str, &str)) -> Vec<Event> {
        let mut told = self.told("app1").await;
        told.retain(|event| {
            event.involved_object.kind.as_deref() == Some(kind)
                && event.involved_object.name.as_deref() == Some(name)
        });
        told
    }

    /// Waits until all whom the fault concerns have been told of it this often, and gives the one
    /// Event of each.
    async fn await_fault(&self, count: i32) -> Vec<Event> {
        let mut events = Vec::new();
        for concerned in CONCERNED {
            events.push(self.await_event(concerned, FAULT, count).await);
        }
        events
    }

    /// Waits until an object of app1's has an Event of this reason and at least this count.
    async fn await_event(&self, object: (&str, &str), reason: &str, count: i32) -> Event {
        eventually(&format!("{object:?} has Event {reason} x{count}"), async || {
            let told = self.told_of(object).await;
            let found = told.iter().find(|event| {
                event.reason.as_deref() == Some(reason) && event.count.unwrap_or_default() >= count
            });
            found.cloned().ok_or_else(|| lines(&told))
        })
        .await
    }

    /// The count of the fault's Events now, and that there is one for each whom it concerns: the
    /// same that was there before, if one was.
    async fn expect_one_fault_each(&self, before: Option<&[Event]>) -> i32 {
        let mut most = 0;
        for (index, concerned) in CONCERNED.into_iter().enumerate() {
            let mut faults = self.told_of(concerned).await;
            faults.retain(|event| event.type_.as_deref() == Some("Warning"));
            assert_eq!(faults.len(), 1, "{concerned:?}: {:?}", lines(&faults));
            if let Some(before) = before {
                let (was, is) = (&before[index], &faults[0]);
                assert_eq!((was.name_any(), was.uid()), (is.name_any(), is.uid()));
            }
            most = most.max(faults[0].count.unwrap_or_default());
        }
        most
    }

    /// The Lease, if there is one.
    async fn lease(&self) -> Option<Lease> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), "portreeve");
        leases.get_opt("portreeve").await.expect("the Lease can be read")
    }

    /// Waits until this replica leads.
    async fn await_leader(&self, portreeve: &Portreeve) {
        let instance = &portreeve.replica().instance;
        eventually(&format!("{instance} leads"), async || {
            let holder = self.lease().await.and_then(|lease| lease.spec?.holder_identity);
            let leads = holder.as_ref().is_some_and(|holder| holder.starts_with(instance));
            if leads { Ok(()) } else { Err((holder, portreeve.log())) }
        })
        .await;
    }
}

impl Drop for Scene {
    /// A test that failed shows what the replicas said.
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let files = fs::read_dir(self.cluster.directory()).into_iter().flatten().flatten();
        for log in files.map(|file| file.path()).filter(|path| path.extension().is_some()) {
            let said = fs::read_to_string(&log).unwrap_or_default();
            eprintln!("---- {} ----\n{said}", log.display());
        }
    }
}

/// Whether the webhook let it through with findings.
fn has_findings(pki: &Pki) -> bool {
    pki.annotations().contains_key(FINDINGS_ANNOTATION)
        && pki.labels().get(FINDINGS_LABEL).is_some_and(|value| value == "true")
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it is of this kind")
}

/// Sends a signal, waits for the end, and gives the exit status and all that was logged.
fn end(portreeve: Portreeve, signal: &str) -> (Option<i32>, String) {
    portreeve.signal(signal);
    ended(portreeve)
}

/// Waits for the end, and gives the exit status and all that was logged.
fn ended(mut portreeve: Portreeve) -> (Option<i32>, String) {
    let (process, log) = (portreeve.process(), portreeve.log());
    let (sender, receiver) = mpsc::channel();
    // A thread that nobody waits for, because the wait itself has no limit.
    thread::spawn(move || {
        let status = portreeve.wait();
        // Nobody listens any more when it took too long.
        let _ = sender.send((status, portreeve.log()));
    });
    let ended = receiver.recv_timeout(LIMIT);
    ended.unwrap_or_else(|_| panic!("process {process} did not end; it said before:\n{log}"))
}

/// Ends it as Kubernetes does, which it must survive in good order.
fn stop(portreeve: Portreeve) {
    let (status, log) = end(portreeve, "TERM");
    assert_eq!(status, Some(0), "{log}");
}

/// Ends it as a fault of the machine does.
fn kill(portreeve: Portreeve) {
    let (status, log) = end(portreeve, "KILL");
    assert_eq!(status, Some(128 + 9), "{log}");
}

/// How often it has begun to lead, and how often it has stopped.
fn terms(portreeve: &Portreeve) -> (usize, usize) {
    let log = portreeve.log();
    let count = |text| log.lines().filter(|line| line.contains(text)).count();
    (count("lease: leading "), count("lease: no longer leading "))
}

/// Waits until its term as leader, if there is one, is over.
async fn await_end_of_term(portreeve: &Portreeve) {
    eventually("it leads no longer", async || {
        let (begun, ended) = terms(portreeve);
        if begun == ended { Ok(()) } else { Err(portreeve.log()) }
    })
    .await;
}

/// The value of a metric, with its labels if it has any; 0 where it is not shown.
fn metric(portreeve: &Portreeve, name: &str) -> u64 {
    let (_, text) = portreeve.get("/metrics").expect("the metrics are served");
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.trim().parse().expect("a number"))
}
