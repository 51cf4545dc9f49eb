//! What the workload at the top is told.

use super::*;

#[test]
fn the_top_owner_is_told_and_none_between_in_whatever_order_they_come() {
    for order in [
        ["d", "r", "p"],
        ["d", "p", "r"],
        ["r", "d", "p"],
        ["r", "p", "d"],
        ["p", "d", "r"],
        ["p", "r", "d"],
    ] {
        let mut world = chain(order);
        world.pod_of("p2", "r", vec![latest(Pod)]);
        let told = world.tell();
        assert_eq!(told.keys().collect::<Vec<_>>(), ["d", "p", "p2"], "{order:?}");
        assert_eq!(counts(&told["d"]), [Some(2)], "{order:?}");
        assert_eq!(
            messages(&told["d"]),
            ["spec.template.spec.containers[0].image: nginx:latest: name a version (PodPolicy \
              images): it was let through."]
        );
    }
}

#[test]
fn what_only_the_pods_have_is_told_with_the_path_of_the_template() {
    let mut world = World::new();
    world.comes(seen("d", Deployment, None), vec![]);
    world.comes(seen("r", ReplicaSet, Some((Deployment, "d"))), vec![]);
    // Another webhook has put a container before it in one of them.
    world.pod_of("p", "r", vec![finding("spec.containers[1].image")]);
    world.pod_of("q", "r", vec![latest(Pod)]);
    let told = world.tell();
    assert_eq!(counts(&told["d"]), [Some(2)]);
    assert!(told["d"][0].message.starts_with("spec.template.spec.containers[0].image: nginx"));
}

#[test]
fn a_pod_with_one_fault_in_two_places_counts_once() {
    let mut world = chain(["d", "r", "p"]);
    let second = finding("spec.containers[1].image");
    world.pod_of("p", "r", vec![latest(Pod), second]);
    assert_eq!(counts(&world.tell()["d"]), [Some(1)]);
}

#[test]
fn a_denied_workload_hears_that_its_new_pods_are_refused() {
    let mut world = World::new();
    let denied = |workload| Finding { enforcement: Enforcement::Deny, ..latest(workload) };
    world.comes(seen("d", Deployment, None), vec![denied(Deployment)]);
    let told = world.tell();
    assert!(
        told["d"][0]
            .message
            .ends_with("and would be refused today; its new Pods are refused until then.")
    );
    assert_eq!(counts(&told["d"]), [Some(1)], "though it has no Pods");
}

#[test]
fn an_owner_is_in_order_when_its_template_and_all_its_pods_are() {
    let mut world = chain(["d", "r", "p"]);
    world.tell();
    world.comes(seen("d", Deployment, None), vec![]);
    let told = world.tell();
    assert_eq!(counts(&told["d"]), [Some(1)], "a Pod still has it");
    world.tally.remove("p");
    let told = world.tell();
    assert_eq!(
        messages(&told["d"]),
        [
            "Deployment d is in order, and so are its Pods: what was wrong is mended, or no PodPolicy \
          asks for it any more."
        ]
    );
}

#[test]
fn an_owner_is_renewed_while_any_of_its_pods_waits() {
    let mut world = chain(["d", "r", "p"]);
    assert!(world.tell()["d"][0].renew);
    world.stirs("p", false);
    assert!(!world.tell()["d"][0].renew);
    world.pod_of("q", "r", vec![]);
    assert!(world.tell()["d"][0].renew, "one in order waits, too");
}

#[test]
fn a_storm_of_pods_is_a_handful_of_tellings_for_their_owner() {
    let mut world = chain(["d", "r", "p"]);
    for n in 0..1_000 {
        world.pod_of(&format!("p{n}"), "r", vec![latest(Pod)]);
        // Pods are told at once, owners every second.
        world.tell_at(n % 250 == 0, true);
    }
    world.tell();
    let of_owner = &world.told["d"];
    assert!(of_owner.len() <= 5, "{}", of_owner.len());
    assert_eq!(counts(&of_owner.last().unwrap().faults), [Some(1_001)]);
    assert!(world.told.values().filter(|told| told.len() > 1).count() <= 1);
    let distinct: HashSet<_> = world
        .tally
        .objects
        .values()
        .flat_map(|entry| entry.findings.iter().map(Arc::as_ptr))
        .collect();
    assert_eq!(distinct.len(), 2, "equal findings are kept once");
}

#[test]
fn before_all_lists_are_through_and_judged_no_owner_is_told() {
    let mut world = World::default();
    world.comes(seen("d", Deployment, None), vec![latest(Deployment)]);
    let pod = seen("p", Pod, None);
    let ticket = world.tally.saw(pod).unwrap();
    world.all_listed();
    assert!(world.tell().is_empty() && world.tally.count("images").is_none());
    world.tally.judged(&ticket, judged(vec![latest(Pod)]));
    assert_eq!(world.tell().len(), 2);
    assert_eq!(world.tally.count("images").unwrap().matched, 2);
}

#[test]
fn a_workload_that_another_comes_to_control_is_told_no_more() {
    let mut world = World::new();
    world.comes(seen("r", ReplicaSet, None), vec![latest(ReplicaSet)]);
    world.tell();
    world.comes(seen("r", ReplicaSet, Some((Deployment, "d"))), vec![]);
    assert_eq!(world.tally.withdrawn(), ["r".into()]);
    assert!(world.tell().is_empty());
    assert_eq!(world.tally.count("images").unwrap().findings(), 0);
}

#[test]
fn nobody_is_told_of_the_pods_of_another_namespace_by_a_written_reference() {
    let mut world = World::new();
    world.comes(seen("d", Deployment, None), vec![]);
    let foreign = Seen { namespace: "other".into(), ..seen("p", Pod, Some((Deployment, "d"))) };
    world.comes(foreign, vec![latest(Pod)]);
    assert_eq!(world.tell().keys().collect::<Vec<_>>(), ["d", "p"]);
    assert!(world.told["d"][0].faults.is_empty());
}

#[test]
fn references_that_point_in_a_circle_come_to_an_end() {
    let mut world = World::new();
    world.comes(seen("a", ReplicaSet, Some((ReplicaSet, "b"))), vec![]);
    world.comes(seen("b", ReplicaSet, Some((ReplicaSet, "a"))), vec![]);
    world.pod_of("p", "a", vec![latest(Pod)]);
    assert_eq!(world.tell().keys().collect::<Vec<_>>(), ["p"]);
}
