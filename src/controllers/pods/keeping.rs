//! Writing findings onto the objects that do not carry them.

use kube::api::Patch;
use tracing::{debug, warn};

use crate::backoff::Waits;
use crate::controllers::annotation::{parameters, patch};
use crate::controllers::{Context, said};
use kube::runtime::utils::Backoff;

use super::pace::Pace;
use super::{Tally, api};

/// How many objects are written to in a second: each is a write to etcd, and news to whoever
/// watches the object.
const WRITTEN_PER_SECOND: u32 = 20;

/// Writes for ever.
pub(super) async fn write(context: &Context) {
    let pods = &context.pods;
    let pace = Pace::new(WRITTEN_PER_SECOND, WRITTEN_PER_SECOND);
    let mut waits = Waits::new();
    let mut is_refusal_known = false;
    loop {
        let Some(keeping) = pods.with(Tally::next_keeping) else {
            pods.to_write.notified().await;
            continue;
        };
        pace.take().await;
        let api = api(context, keeping.workload, Some(&keeping.namespace));
        let patch = Patch::Merge(patch(&keeping.uid, &keeping.findings));
        match api.patch_metadata(&keeping.name, &parameters(), &patch).await {
            Ok(_) => pods.with(|tally| tally.kept(&keeping)),
            // It is gone, or another has its name, or somebody does not let it be written to: its
            // owner is told all the same.
            Err(kube::Error::Api(status)) if is_final(status.code) => {
                let (kind, name) = (keeping.workload.kind(), &keeping.name);
                let (namespace, message) = (&*keeping.namespace, &status.message);
                if status.code == 403 && !is_refusal_known {
                    warn!(kind, namespace, name, message, "may not write findings");
                    is_refusal_known = true;
                } else {
                    debug!(kind, namespace, name, message, "findings were not written");
                }
                pods.with(|tally| tally.kept(&keeping));
            }
            Err(error) => {
                warn!(error = said(&error), "can't write findings");
                pods.with(|tally| tally.not_kept(&keeping));
                tokio::time::sleep(waits.next().unwrap_or_default()).await;
                continue;
            }
        }
        waits.reset();
    }
}

/// Whether it is no use to try again.
fn is_final(code: u16) -> bool {
    (400..500).contains(&code) && !matches!(code, 408 | 429)
}
