//! What the controllers count, for Prometheus.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::{ArcSwap, ArcSwapOption};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::events::{Cause, Recorder};
use crate::policy::pod::Workload;

/// The controllers' metrics. Cheap to clone: all clones count together.
#[derive(Clone, Default)]
pub struct Metrics {
    reconciled: Family<OutcomeLabel, Counter>,
    issued: Counter,
    recorder: Arc<ArcSwapOption<Recorder>>,
    pods_judged: Family<KindLabel, Counter>,
    pods_to_judge: Gauge<u64, AtomicU64>,
    findings_standing: Arc<ArcSwap<Vec<(String, String, i64)>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    policy: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabel {
    cause: &'static str,
}

impl Metrics {
    /// Metrics that a registry shows.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "pki_reconciliations",
            "Reconciliations of Pkis, by outcome: ready, blocked by a fault that its owner is told of, or error",
            metrics.reconciled.clone(),
        );
        registry.register("certificates_issued", "Certificates issued", metrics.issued.clone());
        // All kinds from the start: a count that is not there is not seen to rise.
        for workload in Workload::ALL {
            drop(metrics.pods_judged.get_or_create(&KindLabel { kind: workload.kind() }));
        }
        registry.register(
            "pods_judged",
            "Judgements of stored Pods and workloads by the scan, by kind",
            metrics.pods_judged.clone(),
        );
        registry.register(
            "pods_to_judge",
            "Stored Pods and workloads that the scan is still to judge",
            metrics.pods_to_judge.clone(),
        );
        registry.register_collector(Box::new(Events(metrics.recorder.clone())));
        registry.register_collector(Box::new(Findings(metrics.findings_standing.clone())));
        metrics
    }

    pub(super) fn reconciled(&self, outcome: &'static str) {
        self.reconciled.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(super) fn issued(&self) {
        self.issued.inc();
    }

    pub(super) fn pod_judged(&self, kind: &'static str) {
        self.pods_judged.get_or_create(&KindLabel { kind }).inc();
    }

    pub(super) fn pods_to_judge(&self, objects: usize) {
        self.pods_to_judge.set(objects as u64);
    }

    /// How many findings stand on Pods and workloads, by policy and reason.
    pub(super) fn findings_standing(&self, standing: Vec<(String, String, i64)>) {
        self.findings_standing.store(Arc::new(standing));
    }

    /// Another replica scans now, if any.
    pub(super) fn forget_pods(&self) {
        self.pods_to_judge(0);
        self.findings_standing(Vec::new());
    }

    /// The recorder of this replica's time as leader; none while another leads.
    pub(super) fn set_recorder(&self, recorder: Option<Recorder>) {
        self.recorder.store(recorder.map(Arc::new));
    }
}

/// Shows the findings that stand now, and none of policies that are gone.
#[derive(Debug)]
struct Findings(Arc<ArcSwap<Vec<(String, String, i64)>>>);

impl Collector for Findings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let standing = self.0.load();
        let kind = ConstGauge::new(0i64).metric_type();
        let (name, help) = (
            "pod_findings_standing",
            "Findings that stand on Pods and workloads, by policy and reason; without a policy those of Pkis",
        );
        let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
        for (policy, reason, findings) in standing.iter() {
            let labels = FindingLabels { policy: policy.clone(), reason: reason.clone() };
            ConstGauge::new(*findings).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Shows the recorder's own counts, of the present time as leader.
struct Events(Arc<ArcSwapOption<Recorder>>);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Collector for Events {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let recorder = self.0.load_full();
        let gauge = |encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)
        };
        gauge(
            &mut encoder,
            "leader",
            "Whether this replica reconciles",
            recorder.is_some().into(),
        )?;
        let Some(recorder) = recorder else { return Ok(()) };
        let stats = recorder.stats();
        gauge(&mut encoder, "events_pending", "Events that wait to be written", stats.pending())?;
        gauge(
            &mut encoder,
            "faults_standing",
            "Faults whose Events are renewed",
            stats.standing(),
        )?;
        let counts: [(&str, &str, u64); 4] = [
            ("events_created", "Events made", stats.created()),
            ("events_updated", "Events whose count was raised", stats.updated()),
            ("events_held_back", "Occurrences held back by a budget", stats.held_back()),
            ("events_dropped", "Occurrences lost because the queue was full", stats.dropped()),
        ];
        for (name, help, value) in counts {
            let counter = ConstCounter::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(encoder)?;
        }
        let retried = Cause::ALL.map(|cause| (cause, stats.retried(cause)));
        let failed = Cause::ALL.map(|cause| (cause, stats.failed(cause)));
        for (name, help, counts) in [
            ("events_retried", "Writes of Events to be tried again, by cause", retried),
            ("events_failed", "Writes of Events given up, by cause", failed),
        ] {
            let kind = ConstCounter::new(0u64).metric_type();
            let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
            for (cause, count) in counts {
                let label = CauseLabel { cause: cause.as_str() };
                ConstCounter::new(count).encode(encoder.encode_family(&label)?)?;
            }
        }
        Ok(())
    }
}
