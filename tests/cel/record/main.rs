//! `make cel-record`: asks a real API server all of `tests/cel/corpus` and of `examples/policies`, and
//! records what it says in `tests/cel/answers`, and what its validations saw in `tests/cel/seen` and
//! `tests/cel/seen-of-examples`. With `CEL_THEME`, only the cases of one theme, such as `examples`; what
//! is recorded of the rest stands.

// What is read here by nobody is read by the tests that share it.
#[allow(dead_code)]
#[path = "../oracle/mod.rs"]
mod oracle;

mod denials;
mod pod_security;

use std::collections::BTreeMap;
use std::env;
use std::time::Instant;

use anyhow::{Result, ensure};

use oracle::{Answer, Case, Outcome, Policy, Question, Seen, Server};
use oracle::{answers, verify};

#[tokio::main]
async fn main() -> Result<()> {
    let directory = oracle::directory().join("answers");
    let mut cases = oracle::cases()?;
    let (mut all_answers, mut all_seen) = (BTreeMap::new(), BTreeMap::new());
    let mut server = Server::start().await?;
    if let Ok(theme) = env::var("CEL_THEME") {
        cases.retain(|case| theme_of(&case.id) == theme);
        ensure!(!cases.is_empty(), "there is no theme {theme:?}");
        server.reviews.retain(|name, _| cases.iter().any(|case| case.pod == *name));
        all_answers = answers::read(&directory)?;
        all_answers.retain(|id, _| theme_of(id) != theme);
        all_seen = oracle::read_seen()?;
    }

    let begun = Instant::now();
    let (recorded, seen) = ask(&mut server, &cases).await?;
    println!("{} cases, in {:.0} s", cases.len(), begun.elapsed().as_secs_f64());
    all_answers.extend(recorded.clone());
    answers::write(&directory, &all_answers)?;
    all_seen.extend(seen.clone());
    oracle::write_seen(all_seen)?;
    print!("{}", table(&recorded));

    let (again, _) = ask(&mut server, &cases).await?;
    let fickle: Vec<_> = again.iter().filter(|(id, one)| recorded.get(*id) != Some(one)).collect();
    ensure!(fickle.is_empty(), "answered otherwise when asked again: {fickle:#?}");
    println!("the same when asked again");
    let denials = denials::check(&server, &cases, &recorded).await?;
    println!("the same to kubectl in a sample of {denials}");
    let judged = pod_security::check(&server, &all_answers)?;
    println!("PodSecurity admission refuses the same of {judged} Pods");
    let compared = verify::verify(&mut server, &seen).await?;
    println!("{compared} values of what is seen of {} Pods are confirmed", seen.len());
    Ok(())
}

/// Asks all cases. None may be answered otherwise when it is asked again, as one would be that tells
/// what the server makes up anew in each request (`metadata.uid`), or that depends on the order of a
/// map's keys. So it does not matter that not all are asked in one request.
async fn ask(
    server: &mut Server,
    cases: &[Case],
) -> Result<(BTreeMap<String, Answer>, BTreeMap<String, Seen>)> {
    let mut questions: Vec<_> = cases.iter().map(Question::from).collect();
    // So that each Pod is seen, even if nothing is asked about it.
    questions.push(Question {
        policy: Policy { expression: "true".to_owned(), ..Policy::default() },
        reviews: server.reviews.keys().cloned().collect(),
    });
    // What is dear stands together in the corpus, and is too much for one request.
    let order = interleaved(questions.len());
    let ordered: Vec<_> = order.iter().map(|index| questions[*index].clone()).collect();
    let (mut recorded, mut seen) = (BTreeMap::new(), BTreeMap::new());
    let mut indices = order.iter();
    for asked in server.ask(&ordered).await? {
        for (answers, index) in asked.answers.into_iter().zip(&mut indices) {
            if let (Some(case), Some(answer)) = (cases.get(*index), answers.into_iter().next()) {
                recorded.insert(case.id.clone(), answer);
            }
        }
        for (review, variables) in asked.seen {
            seen.entry(review).or_insert(variables);
        }
    }
    ensure!(recorded.len() == cases.len(), "not all cases were answered");
    Ok((recorded, seen))
}

/// The numbers below this one, neighbours far apart.
fn interleaved(count: usize) -> Vec<usize> {
    const STRIDE: usize = 16;
    (0..STRIDE).flat_map(|first| (first..count).step_by(STRIDE)).collect()
}

fn theme_of(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}

/// How many cases of each theme came out how.
fn table(recorded: &BTreeMap<String, Answer>) -> String {
    let mut themes = BTreeMap::<&str, BTreeMap<Outcome, usize>>::new();
    for (id, answer) in recorded {
        for theme in [theme_of(id), "all"] {
            *themes.entry(theme).or_default().entry(answer.outcome).or_default() += 1;
        }
    }
    let line = |(theme, counts): (&&str, &BTreeMap<Outcome, usize>)| {
        let counts = counts.iter().map(|(outcome, count)| format!("  {outcome:?} {count}"));
        format!("  {theme:24}{}\n", counts.collect::<String>())
    };
    themes.iter().map(line).collect()
}
