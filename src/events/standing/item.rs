//! One Event of a set of faults: what it says, and when it is told next.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::events::{
    budget::{Bucket, Budget, after},
    note::{Role, Telling},
};

/// How often what stands is told again.
#[derive(Clone, Copy, Debug)]
pub(in crate::events) struct Pace {
    pub renew_every: Duration,
    /// Shortest time between a telling of a fault and its next count.
    pub recount_every: Duration,
    /// Budget of each fault for its counts.
    pub recounts: Budget,
}

/// A fault that a caller found.
#[derive(Clone, Debug)]
pub(in crate::events) struct Fault {
    pub telling: Telling,
    /// Whether it is told again while it stands as it is.
    pub renew: bool,
}

/// What an earlier process told of a fault, by its Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::events) struct Told {
    pub message: String,
    pub count: i32,
    /// How long ago.
    pub ago: Duration,
}

/// [`Told`], once it is known what time it is.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    message: String,
    count: i32,
    renewal: Instant,
}

impl Remembered {
    pub fn new(told: Told, pace: &Pace, now: Instant) -> Self {
        let Told { message, count, ago } = told;
        Self { message, count, renewal: after(now, pace.renew_every.saturating_sub(ago)) }
    }

    fn says(&self, telling: &Telling) -> bool {
        self.message == telling.message && telling.count.is_none_or(|count| count == self.count)
    }
}

/// One Event of a set, and when it is told next.
#[derive(Debug)]
pub(super) struct Item {
    pub telling: Arc<Telling>,
    renew: bool,
    stage: Stage,
    recounts: Bucket,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It is not known yet whether an earlier process told it.
    Undecided,
    /// It is to be told at this time, as new or said in other words.
    News(Instant),
    /// It was told, and is to be told at this time with another count.
    Recount(Instant),
    /// It was told: if it is renewed, then at `renewal`; with another count not before `recount`.
    Told { renewal: Instant, recount: Instant },
}

impl Item {
    /// A fault that was not known. One that is not renewed stays undecided until it is
    /// [recalled](Item::recall).
    pub fn fault(fault: Fault, pace: &Pace, now: Instant) -> Self {
        let Fault { telling, renew } = fault;
        let stage = if renew { Stage::News(now) } else { Stage::Undecided };
        Self { telling: Arc::new(telling), renew, stage, recounts: Bucket::full(pace.recounts) }
    }

    /// The word that all faults are gone.
    pub fn resolution(telling: Arc<Telling>, pace: &Pace, now: Instant) -> Self {
        let (stage, recounts) = (Stage::News(now), Bucket::full(pace.recounts));
        Self { telling, renew: false, stage, recounts }
    }

    /// This fault, found again as `fault`.
    pub fn again(&self, fault: Fault, now: Instant) -> Self {
        let Fault { telling, renew } = fault;
        let counts = telling.count.is_some();
        let stage = match self.stage {
            Stage::Undecided if !renew => Stage::Undecided,
            Stage::Undecided => Stage::News(now),
            // In the same words it waits for its renewal.
            stage if *self.telling == telling => stage,
            // A storm of counts is told by a few of them.
            stage @ (Stage::News(_) | Stage::Recount(_)) if counts => stage,
            Stage::Told { recount, .. } if counts => {
                Stage::Recount(self.recounts.ready_at(now).max(recount))
            }
            Stage::News(_) | Stage::Recount(_) | Stage::Told { .. } => Stage::News(now),
        };
        Self { telling: Arc::new(telling), renew, stage, recounts: self.recounts }
    }

    pub fn is_fault(&self) -> bool {
        self.telling.role() == Some(Role::Fault)
    }

    pub fn is_undecided(&self) -> bool {
        matches!(self.stage, Stage::Undecided)
    }

    pub fn is_recount(&self) -> bool {
        matches!(self.stage, Stage::Recount(_))
    }

    /// When it is to be told next. `None`: not, as things are.
    pub fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Undecided => None,
            Stage::News(at) | Stage::Recount(at) => Some(at),
            Stage::Told { renewal, .. } => self.renew.then_some(renewal),
        }
    }

    /// Decides what is undecided: an Event of it that stands and says the same need not be told
    /// again.
    pub fn recall(&mut self, before: Option<&Remembered>, now: Instant) {
        if !self.is_undecided() {
            return;
        }
        self.stage = match before {
            Some(before) if before.says(&self.telling) => {
                Stage::Told { renewal: before.renewal, recount: now }
            }
            _ => Stage::News(now),
        };
    }

    /// It is on its way.
    pub fn told(&mut self, pace: &Pace, now: Instant) {
        if self.is_recount() {
            self.recounts.charge(now);
        }
        self.stage = Stage::Told {
            renewal: after(now, pace.renew_every),
            recount: after(now, pace.recount_every),
        };
    }

    /// What is due is to be told at `at` instead.
    pub fn postpone(&mut self, at: Instant) {
        self.stage = match self.stage {
            Stage::Undecided => Stage::Undecided,
            Stage::News(_) => Stage::News(at),
            Stage::Recount(_) => Stage::Recount(at),
            Stage::Told { recount, .. } => Stage::Told { renewal: at, recount },
        };
    }

    /// Its telling was given up: it is told again when it would be renewed, also if it is not.
    pub fn given_up(&mut self) {
        if let Stage::Told { renewal, .. } = self.stage {
            self.stage = Stage::News(renewal);
        }
    }
}
