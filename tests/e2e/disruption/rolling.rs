//! Replicas that are replaced one after the other while the API server calls them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, ResourceExt};
use portreeve::api::Pki;
use portreeve::api::names::ADMITTED_BY_ANNOTATION;
use serde_json::json;
use tokio::time::sleep;

use super::forwarder::Balancer;
use super::{FAULT, Scene, end, parse, stop, terms};
use crate::harness::space::{lines, pki};
use crate::harness::{Portreeve, eventually};

/// As the chart has it, but for a delay that is shorter, and a Lease that changes hands sooner.
const REPLICA: [&str; 2] = ["--drain-delay=1s", "--lease-duration=3s"];

/// How many create at a time.
const STREAMS: usize = 4;

/// Between two creates of a stream: so that the machine is busy, and not overloaded.
const PACE: Duration = Duration::from_millis(40);

/// What each stream creates before the first replica is replaced, and after the last one was.
const BEFORE_AND_AFTER: usize = 25;

/// What has come of a stream of creates.
#[derive(Default)]
struct Stream {
    created: AtomicUsize,
    over: AtomicBool,
}

/// What one stream has seen.
#[derive(Default)]
struct Seen {
    failures: Vec<String>,
    faulty: Vec<String>,
    admitted_by: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_replaced_under_a_stream_of_creates_fail_none_of_them() {
    let Some(scene) = Scene::bare().await else { return };
    let balancer = Balancer::start().await;
    let mut replicas = [scene.start(&REPLICA), scene.start(&REPLICA)];
    scene.install_at(&format!("https://{}", balancer.address()), &["--failure-policy=Fail"]);
    for replica in &replicas {
        replica.await_readiness();
        balancer.add(replica);
        await_use(&balancer, replica).await;
    }
    scene.apply_policy().await;

    let streams: [Arc<Stream>; STREAMS] = Default::default();
    let running = streams.each_ref().map(|stream| {
        let number = streams.iter().position(|other| Arc::ptr_eq(other, stream)).unwrap();
        tokio::spawn(create(scene.pkis("app1"), number, stream.clone()))
    });
    await_creates(&streams).await;
    let mut leaders = BTreeSet::new();
    for turn in 0..4 {
        let fresh = scene.start(&REPLICA);
        let old = std::mem::replace(&mut replicas[turn % 2], fresh);
        let (begun, ended) = terms(&old);
        if begun > ended {
            leaders.insert(old.replica().instance.clone());
        }
        let webhook = old.webhook();
        let (status, log) = end(old, "TERM");
        balancer.remove(webhook);
        assert_eq!(status, Some(0), "{log}");
        assert!(!log.contains("at the deadline"), "{log}");
        let fresh = &replicas[turn % 2];
        fresh.await_readiness();
        balancer.add(fresh);
        await_use(&balancer, fresh).await;
    }
    await_creates(&streams).await;
    streams.iter().for_each(|stream| stream.over.store(true, Ordering::Relaxed));

    let mut all = Seen::default();
    for stream in running {
        let Seen { failures, faulty, admitted_by } = stream.await.unwrap();
        all.failures.extend(failures);
        all.faulty.extend(faulty);
        all.admitted_by.extend(admitted_by);
    }
    assert_eq!(all.failures, [""; 0]);
    assert!(all.admitted_by.len() > 2, "few were at work: {:?}", all.admitted_by);
    assert!(!leaders.is_empty(), "no leader was replaced");

    eventually("each that is faulty has its Event", async || {
        let told = scene.told("app1").await;
        let missing = all.faulty.len().abs_diff(told.len());
        if missing == 0 { Ok(()) } else { Err((missing, replicas.each_ref().map(Portreeve::log))) }
    })
    .await;
    let lease = scene.lease().await.and_then(|lease| lease.spec).unwrap();
    assert!(lease.lease_transitions > Some(1), "{lease:?}");
    assert!(!leaders.iter().any(|leader| lease.holder_identity.as_ref().unwrap().contains(leader)));
    replicas.into_iter().for_each(stop);
    let told = scene.told("app1").await;
    let mut names: Vec<_> =
        told.iter().filter_map(|event| event.involved_object.name.clone()).collect();
    names.sort();
    all.faulty.sort();
    assert_eq!(names, all.faulty, "{:?}", lines(&told));
    assert!(told.iter().all(|event| event.reason.as_deref() == Some(FAULT)), "{:?}", lines(&told));
}

/// Creates Pkis until it is over: each other one for a try, and each fifth of the rest faulty.
async fn create(pkis: Api<Pki>, number: usize, stream: Arc<Stream>) -> Seen {
    let mut seen = Seen::default();
    while !stream.over.load(Ordering::Relaxed) {
        let count = stream.created.fetch_add(1, Ordering::Relaxed);
        let (dry_run, faulty) = (!count.is_multiple_of(2), count.is_multiple_of(10));
        let name = format!("stream-{number}-{count}");
        let service_name = if faulty { "appp1" } else { "app1" };
        let fresh: Pki = parse(pki(&name, json!({"serviceName": service_name})));
        match pkis.create(&PostParams { dry_run, ..PostParams::default() }, &fresh).await {
            Ok(stored) => {
                seen.admitted_by.extend(stored.annotations().get(ADMITTED_BY_ANNOTATION).cloned());
            }
            Err(error) => seen.failures.push(format!("{name}: {error}")),
        }
        if faulty && !dry_run {
            seen.faulty.push(name);
        }
        sleep(PACE).await;
    }
    seen
}

/// Waits until each stream has created some more.
async fn await_creates(streams: &[Arc<Stream>; STREAMS]) {
    let counts = || streams.each_ref().map(|stream| stream.created.load(Ordering::Relaxed));
    let before = counts();
    eventually("each stream has created some more", async || {
        let now = counts();
        let enough = before.iter().zip(now).all(|(before, now)| now >= before + BEFORE_AND_AFTER);
        if enough { Ok(()) } else { Err((before, now)) }
    })
    .await;
}

async fn await_use(balancer: &Balancer, replica: &Portreeve) {
    eventually("the balancer knows that a replica is ready", async || {
        if balancer.uses(replica.webhook()) { Ok(()) } else { Err(replica.log()) }
    })
    .await;
}
