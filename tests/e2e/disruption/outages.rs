//! An API server that stops answering, or can't be reached, and comes back.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::forwarder::Wire;
use super::{FAULT, QUICK, Scene, await_end_of_term, end, has_findings, stop};
use crate::harness::space::pki;
use crate::harness::{Portreeve, Replica, eventually, unique};

/// The API server, standing still until this is dropped: connections open, and nobody answers.
struct Stopped(u32);

impl Scene {
    /// Stops the API server's process.
    fn stop_api_server(&self) -> Stopped {
        let process = self.cluster.process("kube-apiserver");
        send("STOP", process);
        Stopped(process)
    }

    /// A wire to the API server.
    async fn wire(&self) -> Wire {
        Wire::to(self.api_server()).await
    }

    /// A replica that reaches the API server by this wire.
    fn start_behind(&self, wire: &Wire, arguments: &[&str]) -> Portreeve {
        let own = self.read_kubeconfig();
        let (from, to) = (self.api_server().to_string(), wire.address().to_string());
        let path = self.cluster.directory().join(format!("kubeconfig-{}", unique()));
        fs::write(&path, own.replace(&from, &to)).expect("the directory can be written");
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let replica = Replica { arguments, kubeconfig: Some(path), ..Replica::default() };
        Portreeve::start(&self.cluster, replica)
    }

    fn api_server(&self) -> SocketAddr {
        let kubeconfig = self.read_kubeconfig();
        let server =
            kubeconfig.lines().find_map(|line| line.trim().strip_prefix("server: https://"));
        server.expect("the kubeconfig names a server").parse().expect("an address")
    }

    fn read_kubeconfig(&self) -> String {
        let path = self.cluster.kubeconfig().map(PathBuf::from);
        fs::read_to_string(path.expect("it is our own cluster")).expect("it can be read")
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        send("CONT", self.0);
    }
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill").args(["-s", signal, &process.to_string()]).status();
    assert!(sent.expect("kill runs").success(), "SIG{signal} could not be sent");
}

fn status(portreeve: &Portreeve, path: &str) -> u16 {
    portreeve.get(path).expect("it answers").0
}

/// First it answers nothing, then it can't be reached.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_goes_away_and_comes_back_finds_everything_going_on() {
    let Some(scene) = Scene::bare().await else { return };
    let wire = scene.wire().await;
    let portreeve = scene.start_behind(&wire, &QUICK);
    scene.install_at(portreeve.url(), &[]);
    portreeve.await_readiness();
    scene.apply_policy().await;
    scene.apply_fault();
    let events = scene.await_fault(2).await;

    let stopped = scene.stop_api_server();
    await_end_of_term(&portreeve).await;
    assert_eq!((status(&portreeve, "/livez"), status(&portreeve, "/readyz")), (200, 200));
    drop(stopped);
    let count = scene.expect_one_fault_each(Some(&events)).await;
    scene.await_leader(&portreeve).await;
    scene.await_fault(count + 2).await;

    wire.cut();
    await_end_of_term(&portreeve).await;
    assert_eq!((status(&portreeve, "/livez"), status(&portreeve, "/readyz")), (200, 200));
    // The API server reaches it all the same, and is answered.
    let late = ("Pki", "late-pki");
    scene.apply("app1", &pki(late.1, json!({"serviceName": "aap1"})));
    let stored = scene.pkis("app1").get(late.1).await.unwrap();
    assert!(has_findings(&stored), "{:?}", stored.metadata);
    wire.mend();
    let count = scene.expect_one_fault_each(Some(&events)).await;
    scene.await_leader(&portreeve).await;
    scene.await_fault(count + 2).await;
    scene.await_event(late, FAULT, 1).await;

    stop(portreeve);
    scene.expect_one_fault_each(Some(&events)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_does_not_answer_keeps_nobody_from_starting_or_stopping() {
    let Some(scene) = Scene::bare().await else { return };
    let leader = scene.install(&QUICK);
    scene.await_leader(&leader).await;
    let wire = scene.wire().await;
    wire.cut();

    let stopped = scene.stop_api_server();
    let (exit, log) = end(leader, "TERM");
    assert_eq!(exit, Some(0), "{log}");
    let unanswered = scene.start(&QUICK);
    let unconnected = scene.start_behind(&wire, &QUICK);
    for replica in [&unanswered, &unconnected] {
        eventually("it lives and is not ready", async || {
            match (replica.get("/livez"), replica.get("/readyz")) {
                (Ok((200, _)), Ok((503, why))) if why.contains("serving certificate") => Ok(()),
                other => Err((format!("{other:?}"), replica.log())),
            }
        })
        .await;
    }
    drop(stopped);
    unanswered.await_readiness();
    assert_eq!(status(&unconnected, "/readyz"), 503);
    wire.mend();
    unconnected.await_readiness();
    // Those that have not begun are told to stop, too.
    stop(unconnected);
    wire.cut();
    let unconnected = scene.start_behind(&wire, &QUICK);
    stop(unconnected);
    stop(unanswered);
}
