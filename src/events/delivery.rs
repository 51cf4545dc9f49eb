//! The half of the recorder that does I/O: reads what was told before, then writes what waits.

use std::{
    collections::HashSet,
    future::pending,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    select,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    api::EventsApi,
    budget::after,
    failure::Failure,
    known::Known,
    options::Backoff,
    queue::{Batch, Take},
    recovery,
    standing::Subject,
    state::Shared,
    stats::Cause,
    upsert::{Written, upsert},
    wire::{Account, Reporter},
};

/// Refusals of the list after which the recorder goes on without it. An API server that has just
/// started refuses for a while what it will allow.
const LIST_REFUSALS: u32 = 6;

/// Does all the I/O of a [`super::Recorder`].
#[must_use = "nothing is told until the delivery runs"]
pub struct Delivery {
    pub(super) shared: Arc<Shared>,
    pub(super) api: EventsApi,
    pub(super) reporter: Reporter,
    pub(super) backoff: Backoff,
    pub(super) in_flight: usize,
    pub(super) known_size: usize,
    pub(super) grace: Duration,
}

struct Outcome {
    batch: Batch,
    account: Option<Account>,
    result: Result<Written, Failure>,
}

/// What a running delivery remembers between its steps.
struct Run {
    known: Known,
    flying: FuturesUnordered<BoxFuture<'static, Outcome>>,
    /// Failures in a row that speak of the API server as a whole.
    outage: u32,
    /// Final causes that were logged, each once.
    logged: HashSet<Cause>,
    random: RandomState,
    draws: u64,
}

impl Run {
    fn random(&mut self) -> u64 {
        self.draws += 1;
        self.random.hash_one(self.draws)
    }
}

impl Delivery {
    /// Reads what was told before, then writes what is recorded, until `shutdown`. Then nothing
    /// new is taken in, and what is pending has the time of [`super::Options::grace`]; whatever
    /// stands is found again by the next to run.
    ///
    /// It returns for no other reason: every failure of the API server is waited out or counted.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut run = Run {
            known: Known::new(self.known_size),
            flying: FuturesUnordered::new(),
            outage: 0,
            logged: HashSet::new(),
            random: RandomState::new(),
            draws: 0,
        };
        let work = async {
            self.recover(&mut run).await;
            loop {
                self.step(&mut run).await;
            }
        };
        select! {
            biased;
            () = shutdown.cancelled() => {}
            () = work => {}
        }
        self.shared.with(|state, _| state.closed = true);
        let drained = timeout(self.grace, async {
            while self.shared.with(|state, _| !state.queue.is_empty()) {
                self.step(&mut run).await;
            }
        });
        if drained.await.is_err() {
            let left = self.shared.stats.pending();
            warn!(left, "Events are left unwritten at shutdown");
        }
    }

    /// Learns what was told before. Nothing is written until then: the first word on an object
    /// depends on the last one.
    async fn recover(&self, run: &mut Run) {
        let mut failures = 0;
        let stored = loop {
            let failure = match recovery::list(&self.api, &self.reporter.component).await {
                Ok(stored) => break stored,
                Err(failure) => failure,
            };
            failures += 1;
            if failure.is_final() && failures >= LIST_REFUSALS {
                self.shared.stats.count_failed(failure.cause());
                warn!(%failure, "what was told before stays unknown: Events can't be listed");
                break Vec::new();
            }
            self.shared.stats.count_retried(failure.cause());
            warn!(%failure, "Events can't be listed; trying again");
            let wait = self.backoff.wait(failures, run.random());
            sleep(wait.max(failure.retry_after().unwrap_or_default())).await;
        };
        let open = self.shared.with(|state, _| {
            let now = state.now();
            let open = recovery::open(&stored, now.wall);
            let sets = open.len();
            state.standing.recovered(open, now.tick);
            state.pump();
            sets
        });
        info!(events = stored.len(), open, "known what was told before");
        for event in stored {
            run.known.put(event.key, event.account);
        }
    }

    /// Starts what may be started, then waits for one thing to happen. It may be dropped at any
    /// await without loss.
    async fn step(&self, run: &mut Run) {
        let wake = self.launch(run);
        let woken = async {
            match wake {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let outcome = select! {
            Some(outcome) = run.flying.next() => outcome,
            () = self.shared.changed.notified() => return,
            () = woken => return,
        };
        self.settle(run, outcome);
    }

    /// Sends off as much as the budgets and the bound on writes in flight allow, and says when to
    /// look again.
    fn launch(&self, run: &mut Run) -> Option<Instant> {
        // During an outage one write asks whether it is over.
        let most = if run.outage == 0 { self.in_flight.max(1) } else { 1 };
        while run.flying.len() < most {
            let (take, next_due) = self.shared.with(|state, _| {
                state.pump();
                let next_due = state.standing.next_due().filter(|_| !state.closed);
                (state.queue.take(Instant::now()), next_due)
            });
            match take {
                Take::Now(batch) => {
                    let account = run.known.take(&batch.telling.key);
                    run.flying.push(self.write(batch, account));
                }
                Take::NotBefore(at) => return next_due.into_iter().chain([at]).min(),
                Take::Nothing => return next_due,
            }
        }
        None
    }

    fn write(&self, batch: Batch, mut account: Option<Account>) -> BoxFuture<'static, Outcome> {
        let (api, reporter) = (self.api.clone(), self.reporter.clone());
        async move {
            let result = upsert(&api, &reporter, &batch, &mut account).await;
            Outcome { batch, account, result }
        }
        .boxed()
    }

    fn settle(&self, run: &mut Run, Outcome { batch, account, result }: Outcome) {
        let stats = &self.shared.stats;
        if let Some(account) = account {
            run.known.put(batch.telling.key.clone(), account);
        }
        if run.outage > 0 && !result.as_ref().is_err_and(Failure::is_outage) {
            info!(pending = stats.pending(), "Events are written again");
            run.outage = 0;
        }
        match result {
            Ok(written) => {
                match written {
                    Written::Created => stats.count_created(),
                    Written::Updated => stats.count_updated(),
                }
                self.finish(&batch);
            }
            Err(failure) if failure.is_final() => {
                stats.count_failed(failure.cause());
                self.log_final(run, &batch, &failure);
                self.give_up(&batch);
                self.finish(&batch);
            }
            Err(failure) => {
                stats.count_retried(failure.cause());
                self.put_off(run, batch, &failure);
            }
        }
    }

    fn finish(&self, batch: &Batch) {
        self.shared.with(|state, _| state.queue.finished(&batch.telling.key, Instant::now()));
    }

    fn give_up(&self, Batch { telling, .. }: &Batch) {
        let Some(part) = &telling.part else { return };
        let subject = Subject::new(&telling.uid, &part.scope);
        self.shared.with(|state, _| state.standing.given_up(&subject, &telling.key));
    }

    fn put_off(&self, run: &mut Run, batch: Batch, failure: &Failure) {
        let now = Instant::now();
        let wait = |failures: u32, random| {
            // Jitter comes on top of the wait asked for, or all that were asked come at once.
            let own = self.backoff.wait(failures, random);
            failure.retry_after().map_or(own, |asked| asked + own.min(asked / 10))
        };
        let again = after(now, wait(batch.failures.saturating_add(1), run.random()));
        let pause = failure.is_outage().then(|| {
            if run.outage == 0 {
                warn!(%failure, "Events can't be written now; they wait");
            }
            run.outage = run.outage.saturating_add(1);
            after(now, wait(run.outage, run.random()))
        });
        debug!(name = batch.telling.key.name, %failure, "an Event is tried again later");
        self.shared.with(|state, _| {
            state.queue.retry(batch, again);
            if let Some(until) = pause {
                state.queue.pause(until);
            }
        });
    }

    /// A final failure is logged once for each cause, and each time where the cause is the Event
    /// itself.
    fn log_final(&self, run: &mut Run, batch: &Batch, failure: &Failure) {
        let cause = failure.cause();
        let (name, namespace) = (&batch.telling.key.name, &batch.telling.key.namespace);
        let reason = &batch.telling.reason;
        if run.logged.insert(cause) || cause == Cause::Invalid {
            warn!(name, namespace, reason, %failure, "an Event is given up");
        } else {
            debug!(name, namespace, reason, %failure, "an Event is given up");
        }
    }
}
