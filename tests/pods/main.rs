//! Real Pods, of all sorts: what a policy adds is added, and nothing else of them is changed.
//!
//! The Pods are the files of `wild`, which are valid in Kubernetes 1.36, and of `newer`, which have
//! what no Kubernetes has yet, and what JSON allows and nobody writes.

// All of it is test code, but clippy knows only the functions marked as tests for such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod corpus;
mod coverage;
mod tools;

use std::collections::BTreeMap;

use portreeve::policy::pod::Workload;
use serde_json::{Value, json};

use admission::{ADMITTED_BY, Policies, admit, findings};
use corpus::{Sample, additions, expected, numbers};

fn all() -> Vec<Sample> {
    let mut all = corpus::wild();
    all.extend(corpus::samples::newer());
    all
}

/// All that is wrong with each of many, said at once.
fn assert_for_each(samples: &[Sample], check: impl Fn(&Sample) -> Result<(), String>) {
    let failures: Vec<String> = samples
        .iter()
        .filter_map(|sample| Some(format!("{}: {}", sample.id, check(sample).err()?)))
        .collect();
    let (failed, all) = (failures.len(), samples.len());
    assert!(failures.is_empty(), "{failed} of {all} Pods:\n{}", failures.join("\n"));
}

fn ensure(holds: bool, why: impl Fn() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

#[test]
fn there_are_more_than_two_hundred_and_no_name_twice() {
    let wild = corpus::wild();
    let names: BTreeMap<_, _> = wild.iter().map(|sample| (sample.name(), &sample.id)).collect();
    assert_eq!(names.len(), wild.len());
    assert!(wild.len() >= 200, "{}", wild.len());
    assert!(corpus::samples::newer().len() >= 10);
}

#[test]
fn without_policies_and_with_such_as_only_validate_nothing_is_changed_but_our_annotation() {
    for policies in [Policies::none(), Policies::of(&["validations"])] {
        assert_for_each(&all(), |sample| {
            let (marked, new) = admit(&sample.text, Workload::Pod, &policies);
            let added = additions(&marked, &new)?;
            let ours = [(format!("metadata.annotations.{ADMITTED_BY}"), json!("test"))];
            ensure(added == ours, || format!("{added:?}"))
        });
    }
}

#[test]
fn with_a_policy_that_injects_exactly_what_it_adds_is_added() {
    let policies = Policies::of(&["inject", "validations"]);
    assert_for_each(&all(), |sample| {
        let (marked, new) = admit(&sample.text, Workload::Pod, &policies);
        let mut added = additions(&marked, &new)?;
        let expected = expected(&marked, &policies.inject());
        let clashes = expected.clashes;
        let mut expected = expected.added;
        expected.push((format!("metadata.annotations.{ADMITTED_BY}"), json!("test")));
        let (texts, label) = findings(&new);
        ensure(texts.len() == clashes && label == (clashes > 0), || format!("{texts:#?}"))?;
        added.retain(|(path, _)| !path.ends_with(".box.com/findings"));
        let order = |all: &mut Vec<(String, Value)>| all.sort_by(|one, two| one.0.cmp(&two.0));
        order(&mut added);
        order(&mut expected);
        ensure(added == expected, || {
            let extra: Vec<_> = added.iter().filter(|one| !expected.contains(one)).collect();
            let missing: Vec<_> = expected.iter().filter(|one| !added.contains(one)).collect();
            format!("not of the policy: {extra:?}\nnot added: {missing:?}\n{texts:#?}")
        })
    });
}

#[test]
fn whatever_a_policy_adds_all_that_was_there_stays_as_it_was() {
    let policies = Policies::of(&["heavy"]);
    assert_for_each(&all(), |sample| {
        let (marked, new) = admit(&sample.text, Workload::Pod, &policies);
        let added = additions(&marked, &new)?;
        ensure(added.len() > 2, || format!("{added:?}"))
    });
}

#[test]
fn admitted_again_it_is_not_changed_again() {
    for files in [&[][..], &["inject", "validations"], &["heavy"], &["heavy", "inject"]] {
        let policies = Policies::of(files);
        assert_for_each(&all(), |sample| {
            // With the members in one order: what is said of a value repeats it.
            let text = numbers::restore(&numbers::mark(&sample.text));
            let (_, once) = admit(&text, Workload::Pod, &policies);
            let text = numbers::restore(&once);
            let (marked, twice) = admit(&text, Workload::Pod, &policies);
            ensure(marked == twice, || format!("{:?}", additions(&marked, &twice)))
        });
    }
}

#[test]
fn of_a_workload_nothing_is_changed_but_its_metadata() {
    for policies in [Policies::none(), Policies::of(&["inject", "validations"])] {
        for workload in Workload::ALL.into_iter().filter(|workload| *workload != Workload::Pod) {
            assert_for_each(&all(), |sample| {
                let text = sample.as_template_of(workload);
                let (marked, new) = admit(&text, workload, &policies);
                let kind = workload.kind();
                for (path, _) in additions(&marked, &new)? {
                    let is_ours = path.starts_with("metadata.") && path.contains(".box.com/");
                    ensure(is_ours, || format!("{kind}: {path}"))?;
                }
                ensure(new["metadata"]["annotations"][ADMITTED_BY] == "test", || {
                    format!("{kind} was not admitted")
                })
            });
        }
    }
}
