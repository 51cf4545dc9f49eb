//! Time, of two ways to do one thing: in turns, so that what else the machine does meets both.

use std::time::{Duration, Instant};

/// How long a sample takes at least, so that the clock does not count.
const SAMPLE: Duration = Duration::from_micros(500);
const WARM_UP: Duration = Duration::from_millis(300);
const SAMPLES: usize = 1_001;

/// The median time of one run of each, in microseconds.
pub fn medians(ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()) -> (f64, f64) {
    let (our_count, their_count) = (runs_per_sample(ours), runs_per_sample(theirs));
    let mut samples = (Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES));
    for _ in 0..SAMPLES {
        samples.0.push(sample(ours, our_count));
        samples.1.push(sample(theirs, their_count));
    }
    (median(samples.0), median(samples.1))
}

/// Warms up, and finds how many runs a sample needs.
fn runs_per_sample(run: &mut dyn FnMut()) -> u32 {
    let start = Instant::now();
    let mut runs = 0;
    while start.elapsed() < WARM_UP {
        run();
        runs += 1;
    }
    (f64::from(runs) * SAMPLE.as_secs_f64() / WARM_UP.as_secs_f64()).ceil() as u32
}

fn sample(run: &mut dyn FnMut(), count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}

fn median(mut samples: Vec<f64>) -> f64 {
    let middle = samples.len() / 2;
    *samples.select_nth_unstable_by(middle, f64::total_cmp).1
}
