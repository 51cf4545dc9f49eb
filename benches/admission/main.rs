//! The webhook over TLS and HTTP/2 beside a server of the same stack that reads the body and
//! answers a constant: how many reviews a second each answers, and how long one takes. Each server
//! is a process of its own, and this one asks them in turns.

mod case;
#[path = "../support/instructions.rs"]
mod instructions;
mod load;
#[path = "../support/report.rs"]
mod report;
// Which of them hold of the review as it is stored is the other bench's concern.
#[expect(dead_code)]
#[path = "../cel/rules.rs"]
mod rules;
mod server;

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result};
use case::Case;
use load::Server;
use report::{Figure, publish};

/// What the server runs with.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const AGAINST: &str = "a server of the same stack that reads the body and answers a constant, in \
                       the same run; Portreeve's logs each review, as text, to /dev/null";

/// As an argument: serve a case, until standard input ends.
const SERVE: &str = "--serve";

/// As an argument: decide a case as often as said, without a server, for callgrind to count.
const DECIDE: &str = "--decide";

/// How many decisions make the instructions of one plain.
const COUNTED: u64 = 100;

const WARM_UP: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

/// A load under which no server is busy, in reviews a second.
const MODERATE: u32 = 2_000;

/// What was measured of one server, a value for each round.
#[derive(Default)]
struct Measured {
    rates: Vec<f64>,
    medians: Vec<f64>,
    slowest: Vec<f64>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [SERVE, name] => server::run(Case::named(name)?),
        [DECIDE, name, count] => decide(Case::named(name)?, count.parse()?),
        _ => tokio::runtime::Runtime::new()?.block_on(measure()),
    }
}

fn decide(case: Case, count: u64) -> Result<()> {
    let (decision, review) = (case.decision()?, case::review());
    for _ in 0..count {
        black_box(case::answer(&decision, black_box(review.as_bytes()))?);
    }
    Ok(())
}

async fn measure() -> Result<()> {
    let mut servers = Vec::new();
    for case in Case::ALL {
        let server = Server::start(case).await?;
        server.rate(WARM_UP).await?;
        servers.push((server, Measured::default()));
    }
    for _ in 0..ROUNDS {
        for (server, measured) in &mut servers {
            measured.rates.push(server.rate(ROUND).await?);
        }
    }
    for _ in 0..ROUNDS {
        for (server, measured) in &mut servers {
            let times = server.times(MODERATE, ROUND).await?;
            measured.medians.push(percentile(times.clone(), 50));
            measured.slowest.push(percentile(times, 99));
        }
    }
    let mut servers = servers.into_iter();
    let (_, no_op) = servers.next().context("no server")?;
    let mut figures = Vec::new();
    for (server, measured) in servers {
        let name = server.case.name();
        for (suffix, unit, ours, theirs) in [
            ("", "reviews/s", measured.rates, &no_op.rates),
            ("-p50", "µs", measured.medians, &no_op.medians),
            ("-p99", "µs", measured.slowest, &no_op.slowest),
        ] {
            let (ours, theirs) = (percentile(ours, 50), percentile(theirs.clone(), 50));
            figures.push(Figure::compared(&format!("{name}{suffix}"), unit, ours, theirs));
        }
        if instructions::can_be_counted() {
            figures.push(Figure {
                name: format!("{name}-decision"),
                value: instructions::of_one_run(&[DECIDE, name], COUNTED)? as f64,
                unit: "instructions".to_owned(),
                against: None,
                ratio: None,
            });
        }
    }
    publish(&figures, AGAINST)
}

/// The value below which so many of a hundred are.
fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    let place = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    match values.len() {
        0 => f64::NAN,
        _ => *values.select_nth_unstable_by(place, f64::total_cmp).1,
    }
}
