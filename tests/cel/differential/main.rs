//! `make cel-differential`: expressions at random, by grammar and type, asked of a real API server
//! and of Portreeve, about the Pods of `tests/cel/pods`. `CEL_SEED` and `CEL_PAIRS` say which ones
//! and how many, `CEL_FIRST` from which one on; what is answered otherwise is printed as the corpus has it, and fails the command.

// What is read here by nobody is read by the tests that share it.
#[allow(dead_code)]
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../ours.rs"]
mod ours;

mod access;
mod comparison;
mod difference;
mod draft;
mod fields;
mod generate;
mod grammar;
mod literals;
mod maker;
mod mutate;
mod random;
mod shows;
mod tally;
mod template;
mod term;
mod types;

use std::env;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use comparison::{Comparison, Relation};
use difference::Difference;
use draft::Draft;
use maker::Maker;
use oracle::{Server, reviews};
use tally::Tally;

/// How many policies are asked about at once.
const BATCH: usize = 250;

/// How many differences are made shorter, which takes a while for each.
const REDUCED: usize = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let seed = setting("CEL_SEED", 1)?;
    let pairs = setting("CEL_PAIRS", 100_000)? as usize;
    let first = setting("CEL_FIRST", 0)?;
    println!("CEL_SEED={seed} CEL_PAIRS={pairs} CEL_FIRST={first}");
    let mut maker =
        Maker::new(seed, first, &reviews::read_seen(&oracle::directory().join("seen"))?);
    let mut server = Server::start().await?;

    let begun = Instant::now();
    let (mut tally, mut differences) = (Tally::default(), Vec::new());
    while tally.pairs() < pairs {
        let drafts: Vec<_> = (0..BATCH).map(|_| maker.make()).collect();
        for difference in compare(&mut server, &drafts, &mut tally).await? {
            let is_fickle = difference.is_fickle(&mut server).await?;
            let relation = if is_fickle { Relation::Fickle } else { Relation::Differ };
            tally.count(&difference.answers, relation);
            if !is_fickle {
                differences.push(difference);
            }
        }
        let (done, seconds) = (tally.pairs(), begun.elapsed().as_secs());
        println!("{done} pairs, {seconds} s, {} policies differ", differences.len());
    }
    let seconds = begun.elapsed().as_secs();
    let count = differences.len();
    for (number, difference) in differences.into_iter().enumerate() {
        let difference = match number < REDUCED {
            true => difference.reduce(&mut server).await?,
            false => difference,
        };
        print!("{}", difference.yaml(seed)?);
    }
    print!("{tally}");
    println!("{seconds} s");
    ensure!(count == 0, "{count} policies are answered otherwise");
    Ok(())
}

fn setting(name: &str, default: u64) -> Result<u64> {
    match env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
        Err(_) => Ok(default),
    }
}

/// Asks both, counts what is equal or refused, and gives the first difference of each policy. Its
/// others are counted with it.
async fn compare(
    server: &mut Server,
    drafts: &[(u64, Draft)],
    tally: &mut Tally,
) -> Result<Vec<Difference>> {
    let questions: Vec<_> = drafts.iter().map(|(_, draft)| draft.question()).collect();
    let mut differences = Vec::new();
    let mut asked_drafts = drafts.iter();
    for asked in server.ask(&questions).await? {
        for (answers, (index, draft)) in asked.answers.iter().zip(&mut asked_drafts) {
            let mut is_first = true;
            for (theirs, review) in answers.iter().zip(&draft.reviews) {
                let seen = asked.seen.get(review).context("nothing was seen")?;
                let answers = Comparison::of(draft, theirs, seen)?;
                match answers.relation() {
                    Relation::Differ if is_first => {
                        let draft = Draft { reviews: vec![review.clone()], ..draft.clone() };
                        differences.push(Difference { index: *index, draft, answers });
                        is_first = false;
                    }
                    relation => tally.count(&answers, relation),
                }
            }
        }
    }
    Ok(differences)
}
