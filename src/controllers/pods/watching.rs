//! The watches that bring Pods and workloads: one for each kind, of the whole objects.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use kube::ResourceExt;
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use tracing::{error, info, warn};

use crate::backoff::Waits;
use crate::controllers::Context;
use crate::controllers::watches::{WATCH_SECONDS, reason};
use crate::policy::pod::Workload;
use kube::runtime::utils::Backoff;

use super::judged::judged;
use super::seen::{Seen, Uid};
use super::tally::Ticket;
use super::{SCOPE, api};

/// How many objects are listed at a time.
pub(super) const PAGE: u32 = 500;

/// Follows one kind for ever. Says once when it begins to fail and once when it works again.
pub(super) async fn follow(context: &Context, workload: Workload) {
    let kind = workload.kind();
    let config = watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE);
    let mut events = pin!(watcher(api(context, workload, None), config));
    let mut waits = Waits::new();
    let mut failing = false;
    let mut listed: HashSet<Uid> = HashSet::new();
    while let Some(event) = events.next().await {
        let event = match event {
            // Large, and nothing that anybody is judged by.
            Ok(event) => event.modify(|object| object.metadata.managed_fields = None),
            Err(error) => {
                if !failing {
                    warn!(kind, error = reason(&error), "can't watch");
                }
                failing = true;
                tokio::time::sleep(waits.next().unwrap_or_default()).await;
                continue;
            }
        };
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                listed.extend(object.metadata.uid.as_deref().map(Uid::from));
                came(context, object, workload, true).await;
            }
            Event::InitDone => {
                let gone = context.pods.with(|tally| tally.listed(workload, &listed));
                gone.iter().for_each(|uid| context.recorder.forget(uid));
                listed = HashSet::new();
                waits.reset();
                if failing {
                    info!(kind, "watching again");
                }
                failing = false;
                context.pods.to_tell.notify_one();
            }
            Event::Apply(object) => came(context, object, workload, false).await,
            Event::Delete(object) => {
                let uid = object.uid().unwrap_or_default();
                context.pods.with(|tally| tally.remove(&uid));
                context.recorder.forget(&uid);
            }
        }
    }
}

/// An object came. One of a list that is too long to be judged at once is left to be judged later;
/// one that has changed waits for its turn.
async fn came(context: &Context, object: DynamicObject, workload: Workload, is_listed: bool) {
    let pods = &context.pods;
    let Some(seen) = look(context, &object, workload) else {
        let uid = object.uid().unwrap_or_default();
        if pods.with(|tally| tally.remove(&uid)) {
            context.recorder.forget_scope(&uid, SCOPE);
        }
        return;
    };
    let ticket = pods.with(|tally| tally.saw(seen));
    pods.to_tell.notify_one();
    let Some(ticket) = ticket else { return };
    if !is_listed {
        pods.pace.take().await;
    } else if !pods.pace.try_take() {
        pods.to_judge.notify_one();
        return;
    }
    examine(context, object, workload, &ticket).await;
}

/// What an object is, if it is anybody's concern.
pub(super) fn look(context: &Context, object: &DynamicObject, workload: Workload) -> Option<Seen> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    if context.cache.read().is_exempt(namespace) {
        return None;
    }
    Seen::of(object, workload)
}

/// Judges an object, away from what must not wait for it.
pub(super) async fn examine(
    context: &Context,
    object: DynamicObject,
    workload: Workload,
    ticket: &Ticket,
) {
    let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
    let cache = context.cache.clone();
    let judging =
        tokio::task::spawn_blocking(move || judged(object, workload, &cache.read())).await;
    context.metrics.pod_judged(workload.kind());
    let (pods, kind) = (&context.pods, workload.kind());
    match judging {
        Ok(judged) => pods.with(|tally| tally.judged(ticket, judged)),
        Err(failure) => {
            error!(kind, namespace, name, %failure, "an object could not be judged");
            pods.with(|tally| tally.failed(ticket));
        }
    }
    pods.to_tell.notify_one();
    pods.to_write.notify_one();
}
