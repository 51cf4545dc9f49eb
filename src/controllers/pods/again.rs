//! Judging again what nobody brings: after a change of what objects are judged by, and what was too
//! much to be judged at once. They are listed anew, since nothing of them is kept but who they are.

use std::time::Duration;

use kube::api::ListParams;
use tracing::{info, warn};

use crate::controllers::{Context, said};
use crate::policy::pod::Workload;

use super::api;
use super::watching::{PAGE, examine, look};

/// Changes that come together are taken together: policies are often applied by the folder.
const DEBOUNCE: Duration = Duration::from_secs(1);

/// How soon after one change another is looked for.
const MARK_EVERY: Duration = Duration::from_millis(250);

/// How soon it is tried again where something is left.
const RETRY: Duration = Duration::from_secs(5);

/// Marks what a change concerns.
pub(super) async fn mark(context: &Context) {
    loop {
        let concerned = context.cache.pods.take().await;
        context.pods.with(|tally| tally.mark(&concerned));
        context.pods.to_judge.notify_one();
        tokio::time::sleep(MARK_EVERY).await;
    }
}

/// Judges what is marked.
pub(super) async fn judge(context: &Context) {
    let pods = &context.pods;
    let mut is_failing = false;
    let mut is_something_left = false;
    loop {
        let changed = pods.to_judge.notified();
        if is_something_left {
            // What is left is mostly on its way by the watch, or gone.
            let _ = tokio::time::timeout(RETRY, changed).await;
        } else {
            changed.await;
        }
        tokio::time::sleep(DEBOUNCE).await;
        for (workload, namespace) in pods.with(|tally| tally.stale_places()) {
            let listed = list(context, workload, namespace.as_deref()).await;
            match &listed {
                Err(error) if !is_failing => {
                    warn!(
                        kind = workload.kind(),
                        error = said(error),
                        "can't list what is to be judged again"
                    );
                }
                Ok(()) if is_failing => info!("what is to be judged again is listed again"),
                _ => {}
            }
            is_failing = listed.is_err();
            if is_failing {
                break;
            }
        }
        is_something_left = pods.with(|tally| tally.to_judge()) > 0;
    }
}

/// Judges what is marked among the objects of a kind. Those that are not known are left to the
/// watch, which brings them, and takes them away when they are gone.
async fn list(
    context: &Context,
    workload: Workload,
    namespace: Option<&str>,
) -> Result<(), kube::Error> {
    let pods = &context.pods;
    let api = api(context, workload, namespace);
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&parameters).await?;
        for mut object in page.items {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            if !pods.with(|tally| tally.is_stale(&uid)) {
                continue;
            }
            object.metadata.managed_fields = None;
            pods.pace.take().await;
            let Some(seen) = look(context, &object, workload) else { continue };
            if let Some(ticket) = pods.with(|tally| tally.saw_again(seen)) {
                examine(context, object, workload, &ticket).await;
            }
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(()),
        }
    }
}
