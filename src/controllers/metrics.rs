//! What the controllers count, for Prometheus.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::events::{Cause, Recorder};

/// The controllers' metrics. Cheap to clone: all clones count together.
#[derive(Clone, Default)]
pub struct Metrics {
    reconciled: Family<OutcomeLabel, Counter>,
    issued: Counter,
    recorder: Arc<ArcSwapOption<Recorder>>,
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
        registry.register_collector(Box::new(Events(metrics.recorder.clone())));
        metrics
    }

    pub(super) fn reconciled(&self, outcome: &'static str) {
        self.reconciled.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(super) fn issued(&self) {
        self.issued.inc();
    }

    /// The recorder of this replica's time as leader; none while another leads.
    pub(super) fn set_recorder(&self, recorder: Option<Recorder>) {
        self.recorder.store(recorder.map(Arc::new));
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
