//! Whether what was told from the log is what a person is told: a sample is asked with kubectl, of
//! policies that refuse.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

use crate::oracle::harness::kubectl::kubectl;
use crate::oracle::objects::Action;
use crate::oracle::{Answer, Case, Outcome, Question, Server};

/// How many cases of each Pod are in the sample. Only the first refusal is told, so they are asked
/// one after the other.
const ROUNDS: usize = 4;

/// Asks the sample, and gives its size.
///
/// # Errors
/// Where one is told otherwise.
pub async fn check(
    server: &Server,
    cases: &[Case],
    recorded: &BTreeMap<String, Answer>,
) -> Result<usize> {
    let mut of_pods = BTreeMap::<&str, Vec<(&Case, &Answer)>>::new();
    for case in cases {
        let answer = recorded.get(&case.id).context("no answer")?;
        if answer.outcome != Outcome::Refused {
            of_pods.entry(&case.pod).or_default().push((case, answer));
        }
    }
    let mut size = 0;
    for round in 0..ROUNDS {
        // Spread over all of a Pod's cases.
        let pick = |of_pod: &Vec<(&Case, &Answer)>| match of_pod.len() {
            few if few <= ROUNDS => of_pod.get(round).map(|(case, _)| case.id.clone()),
            many => {
                of_pod.get(many * (2 * round + 1) / (2 * ROUNDS)).map(|(case, _)| case.id.clone())
            }
        };
        let picked: Vec<_> = of_pods.values().filter_map(pick).collect();
        let chosen: Vec<_> = cases.iter().filter(|case| picked.contains(&case.id)).collect();
        let questions: Vec<_> = chosen.iter().map(|case| Question::from(*case)).collect();
        let installed = server.install(&questions, Action::Deny).await?;
        server.enforce(&installed).await?;
        for case in &chosen {
            let answer = recorded.get(&case.id).context("no answer")?;
            agree(server, case, answer)?;
        }
        size += chosen.len();
        server.remove(installed).await?;
    }
    Ok(size)
}

fn agree(server: &Server, case: &Case, answer: &Answer) -> Result<()> {
    let review = server.reviews.get(&case.pod).context("no Pod")?;
    let namespace = review.namespace();
    let pod = review.new.as_ref().map(ToString::to_string).unwrap_or_default();
    let output = match (review.operation(), &review.subresource, review.pod_name()) {
        ("CREATE", ..) => kubectl(&server.cluster, "create --dry-run=server -f -", &pod),
        ("UPDATE", None, _) => kubectl(&server.cluster, "replace --dry-run=server -f -", &pod),
        ("UPDATE", Some(of), _) => {
            let line = format!("replace --dry-run=server --subresource={of} -f -");
            kubectl(&server.cluster, &line, &pod)
        }
        (_, _, Some(name)) => {
            let line = format!("delete --dry-run=server --namespace={namespace} pod {name}");
            kubectl(&server.cluster, &line, "")
        }
        (_, _, None) => bail!("{}: a Pod without a name can't be deleted", case.id),
    };
    let told = output.stderr.split_once(" denied request: ").map(|(_, message)| message.trim_end());
    let wanted = match answer.outcome {
        Outcome::Unmatched => None,
        Outcome::Allow => Some("marker"),
        _ => Some(answer.message.trim_end()),
    };
    ensure!(told == wanted, "{}: {answer:?}, but kubectl said {output:?}", case.id);
    Ok(())
}
