//! What the leader does for Pods and the workloads that make them: the scan, and the reporter.
//!
//! All of them are watched, whole. Each that comes, listed or changed, is judged from scratch; what
//! its annotations say is never believed. So what came while the webhook was away, or before a rule
//! did, is found; what no longer holds is taken off; and a new leader goes on where another stopped.
//! Where a policy changes, or a Pki, those are listed and judged again whom it concerns, at a pace
//! that leaves the API server and the webhook in peace.
//!
//! - `tally` is the core: objects go in, what is to be told, written and counted comes out. It has
//!   no client and no clock.
//! - `seen` and `judged` read and judge one object, `telling` words what is told of it.
//! - `watching` and `again` bring objects, `keeping` writes findings onto them, and this file tells
//!   and counts.
//!
//! **Who made an object is not stored.** What asks for `request.userInfo` sees, of a Pod that a
//! workload made, the controller that did so, as at admission; and of everything else a user of whom
//! nothing is known but that she is authenticated. A policy whose match conditions ask for it is
//! asked of such an object only where the object carries findings of it: so whom it exempts is not
//! told either.

mod again;
mod judged;
mod keeping;
mod pace;
mod seen;
mod shared;
mod tally;
mod telling;
mod watching;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use kube::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::policy::pod::Workload;

use super::cache::Dirty;
use super::{Context, Metrics};
use pace::Pace;
use tally::Tally;
pub(super) use tally::counts::Count;

/// The scope of what is told of Pods and workloads. No Pki, whose names are scopes too, can be
/// called so.
const SCOPE: &str = "pod policies";

/// How many objects are judged in a second, where many come at once: a judgement takes a fraction of
/// a millisecond, and the replica that scans answers the API server too.
const JUDGED_PER_SECOND: u32 = 500;

/// How many are judged at once before that counts: all of a small cluster.
const JUDGED_AT_ONCE: u32 = 2_000;

/// How often the owners of Pods are told: of a storm of Pods, once for all of a second.
const OWNERS_TOLD_EVERY: Duration = Duration::from_secs(1);

/// How often what was counted is shown.
const COUNTED_EVERY: Duration = Duration::from_secs(5);

/// How many objects are told of at a time, before others have their turn.
const TOLD_AT_ONCE: usize = 256;

/// What is known of Pods and workloads, of this time as leader.
pub(super) struct Pods {
    tally: Mutex<Tally>,
    metrics: Metrics,
    pace: Pace,
    /// There may be something to tell.
    to_tell: Notify,
    /// Something is to be judged that nobody brings.
    to_judge: Notify,
    /// Some object does not carry what was found.
    to_write: Notify,
    /// The PodPolicies whose counts have changed.
    pub(super) counted: Arc<Dirty<String>>,
}

impl Pods {
    pub(super) fn new(metrics: Metrics) -> Self {
        let counted = Arc::new(Dirty::default());
        counted.note(true);
        Self {
            tally: Mutex::default(),
            metrics,
            pace: Pace::new(JUDGED_PER_SECOND, JUDGED_AT_ONCE),
            to_tell: Notify::new(),
            to_judge: Notify::new(),
            to_write: Notify::new(),
            counted,
        }
    }

    /// What stands under a policy; none while not everything has been judged once.
    pub(super) fn count(&self, policy: &str) -> Option<Count> {
        self.with(|tally| tally.count(policy))
    }

    /// Looks at the tally or changes it, for a moment.
    fn with<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let result = look(&mut tally);
        self.metrics.pods_to_judge(tally.to_judge());
        result
    }
}

/// Scans, tells, writes and counts until `shutdown`.
pub(super) async fn run(context: Arc<Context>, shutdown: CancellationToken) {
    let context = &*context;
    // Each of these is large: together they would be more than a thread's stack holds.
    let follow = Workload::ALL.map(|workload| watching::follow(context, workload).boxed());
    let all = async {
        tokio::join!(
            join_all(follow),
            again::mark(context),
            again::judge(context),
            tell(context),
            keeping::write(context),
            count(context),
        )
    };
    shutdown.run_until_cancelled(all).await;
    context.metrics.forget_pods();
}

/// Tells of each Pod as soon as there is something new, and of their owners every second.
async fn tell(context: &Context) {
    let Context { pods, recorder, .. } = context;
    let mut tick = tokio::time::interval(OWNERS_TOLD_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_owners_turn = tokio::select! {
            () = pods.to_tell.notified() => false,
            _ = tick.tick() => true,
        };
        for uid in pods.with(Tally::withdrawn) {
            recorder.forget_scope(&uid, SCOPE);
        }
        let past_is_known = recorder.knows_the_past();
        while let Some(tellings) =
            pods.with(|tally| tally.tellings(is_owners_turn, past_is_known, TOLD_AT_ONCE))
        {
            for telling in tellings {
                let telling::Telling { regarding, faults, resolved } = telling;
                recorder.stand(&regarding, SCOPE, faults, resolved);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Shows what was counted: as metrics, and to the reconciler of the policies.
async fn count(context: &Context) {
    let Context { pods, metrics, cache, .. } = context;
    let mut tick = tokio::time::interval(COUNTED_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_complete = false;
    loop {
        tick.tick().await;
        let (is_complete, changed, standing) = pods.with(|tally| {
            (tally.is_complete(), tally.changed_counts(), tally.standing_by_reason())
        });
        if let Some(changed) = changed {
            metrics.findings_standing(standing);
            if is_complete {
                pods.counted.mark(changed);
            }
        }
        if is_complete && !was_complete {
            // Those too that nothing is counted of: what stands in their status may be of another day.
            let policies = cache.read().pod_policies.keys().cloned().collect();
            pods.counted.mark(policies);
        }
        was_complete = is_complete;
    }
}

/// The objects of a kind, of one namespace or of all.
fn api(context: &Context, workload: Workload, namespace: Option<&str>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(workload.group(), "v1", workload.kind());
    let resource = ApiResource::from_gvk_with_plural(&kind, workload.resource());
    let client = context.client.clone();
    match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    }
}
