//! Ten everyday rules over a review of a Pod: the text of the review in, ten results out; by our
//! evaluator, and by the interpreter of the `cel` crate.

mod ours;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod theirs;

use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use support::instructions;
use support::report::{Figure, publish};
use support::time::medians;

/// What the server runs with.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const REVIEW: &str = include_str!("../pod-review.json");

const AGAINST: &str = "the interpreter of the crate cel 0.15, on values converted from serde_json";

/// As an argument: do one side of a case as often as said, for callgrind to count.
const RUN: &str = "--run";

/// One way to do something.
type Run<'r> = Box<dyn FnMut() + 'r>;

/// What is measured: ours, and theirs.
struct Case<'r> {
    name: &'static str,
    ours: Run<'r>,
    theirs: Run<'r>,
    /// How many runs make the instructions of one plain.
    counted: u64,
}

fn main() -> Result<()> {
    let (our_rules, their_rules) = (ours::compile()?, theirs::compile()?);
    let review = ours::parse(REVIEW)?;
    let context = theirs::parse(&their_rules, REVIEW)?;
    ensure!(ours::evaluate(&our_rules, &review)? == rules::HOLD, "our answers are others");
    ensure!(theirs::evaluate(&their_rules, &context)? == rules::HOLD, "their answers are others");

    let cases = [
        Case {
            name: "cel-10-rules",
            ours: repeat(|| ours::evaluate(&our_rules, &ours::parse(REVIEW)?)),
            theirs: repeat(|| {
                theirs::evaluate(&their_rules, &theirs::parse(&their_rules, REVIEW)?)
            }),
            counted: 100,
        },
        Case {
            name: "cel-10-rules-parse",
            ours: repeat(|| ours::parse(REVIEW)),
            theirs: repeat(|| theirs::parse(&their_rules, REVIEW)),
            counted: 100,
        },
        Case {
            name: "cel-10-rules-evaluation",
            ours: repeat(|| ours::evaluate(&our_rules, &review)),
            theirs: repeat(|| theirs::evaluate(&their_rules, &context)),
            counted: 100,
        },
        Case {
            name: "cel-compile-10-rules",
            ours: repeat(ours::compile),
            theirs: repeat(theirs::compile),
            counted: 10,
        },
    ];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [RUN, case, side, count] => run(cases, case, side, count.parse()?),
        _ => measure(cases),
    }
}

/// A run whose work the compiler can't leave out. That it works was seen beforehand.
fn repeat<'r, T>(mut work: impl FnMut() -> Result<T> + 'r) -> Run<'r> {
    Box::new(move || _ = black_box(black_box(&mut work)()))
}

fn run(cases: [Case<'_>; 4], name: &str, side: &str, count: u64) -> Result<()> {
    let case = cases.into_iter().find(|case| case.name == name).context("no such case")?;
    let mut run = if side == "ours" { case.ours } else { case.theirs };
    (0..count).for_each(|_| run());
    Ok(())
}

fn measure(mut cases: [Case<'_>; 4]) -> Result<()> {
    let mut figures = Vec::new();
    for case in &mut cases {
        let (ours, theirs) = medians(&mut case.ours, &mut case.theirs);
        figures.push(Figure::compared(case.name, "µs", ours, theirs));
    }
    if instructions::can_be_counted() {
        for case in &cases {
            let count = |side| instructions::of_one_run(&[RUN, case.name, side], case.counted);
            let (ours, theirs) = (count("ours")? as f64, count("theirs")? as f64);
            let name = format!("{}-instructions", case.name);
            figures.push(Figure::compared(&name, "instructions", ours, theirs));
        }
    } else {
        println!("valgrind is not installed: no instructions are counted");
    }
    publish(&figures, AGAINST)
}
