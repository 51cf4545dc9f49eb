//! What comes of objects and judgements, in whatever order they come.

mod owners;

use std::collections::BTreeMap;

use super::*;
use crate::api::pod_policy::EventsMode;
use crate::api::{Enforcement, Finding};
use crate::controllers::cache::PodsConcerned;
use crate::controllers::pods::judged;
use crate::events::{EventType, Note};
use crate::policy::snapshot::Key;

use Workload::{Deployment, Pod, ReplicaSet};

/// Objects as the watches bring them, and what is told of them, by uid.
#[derive(Default)]
struct World {
    tally: Tally,
    version: u64,
    told: BTreeMap<String, Vec<Telling>>,
}

fn seen(uid: &str, workload: Workload, owner: Option<(Workload, &str)>) -> Seen {
    let owner = owner.map(|(workload, uid)| Owner { workload, uid: uid.into() });
    Seen {
        uid: uid.into(),
        workload,
        namespace: "shop".into(),
        name: uid.into(),
        version: 1,
        generation: Some(1),
        is_judged: workload == Pod || owner.is_none(),
        owner,
        waits: workload == Pod,
        print: 1,
    }
}

fn finding(field: &str) -> Finding {
    Finding {
        reason: "PodPolicyViolation".into(),
        field: field.into(),
        value: Some("nginx:latest".into()),
        allowed: vec![],
        policy: Some("images".into()),
        rule: Some("validations[0]".into()),
        enforcement: Enforcement::Warn,
        fault: format!("{field}: nginx:latest: name a version (PodPolicy images)"),
        nearest: None,
        fix: String::new(),
        consequence: String::new(),
        past_webhook: false,
    }
}

fn judged(findings: Vec<Finding>) -> Judged {
    let standing = |finding| Standing { finding, events: EventsMode::Warning };
    Judged {
        matched: vec!["images".into()],
        findings: findings.into_iter().map(standing).collect(),
        ..Judged::nothing()
    }
}

/// A finding on the first container of a Pod, or of the template of a Deployment.
fn latest(workload: Workload) -> Finding {
    finding(&format!("{}spec.containers[0].image", workload.prefix()))
}

impl World {
    /// A cluster whose lists are through, and of which nothing was told before.
    fn new() -> Self {
        let mut world = Self::default();
        world.all_listed();
        world
    }

    fn all_listed(&mut self) {
        for workload in Workload::ALL {
            let all = self.tally.objects.keys().cloned().collect();
            self.tally.listed(workload, &all);
        }
    }

    /// An object comes as changed, and is judged so where it is to be.
    fn comes(&mut self, mut seen: Seen, findings: Vec<Finding>) {
        self.version += 1;
        seen.version = self.version;
        seen.print = self.version;
        if let Some(ticket) = self.tally.saw(seen) {
            self.tally.judged(&ticket, judged(findings));
        }
    }

    /// An object comes, and only its status has changed.
    fn stirs(&mut self, uid: &str, waits: bool) {
        let entry = &self.tally.objects[uid];
        self.version += 1;
        let seen = Seen {
            owner: entry.owner.clone(),
            waits,
            version: self.version,
            print: entry.print,
            ..seen(uid, entry.workload, None)
        };
        assert!(self.tally.saw(seen).is_none(), "nothing is to be judged");
    }

    fn pod_of(&mut self, uid: &str, owner: &str, findings: Vec<Finding>) {
        self.comes(seen(uid, Pod, Some((ReplicaSet, owner))), findings);
    }

    /// A second passes: what is told of whom.
    fn tell(&mut self) -> BTreeMap<String, Vec<Note>> {
        self.tell_at(true, true)
    }

    fn tell_at(
        &mut self,
        is_owners_turn: bool,
        past_is_known: bool,
    ) -> BTreeMap<String, Vec<Note>> {
        let mut told = BTreeMap::new();
        while let Some(tellings) = self.tally.tellings(is_owners_turn, past_is_known, 10) {
            for telling in tellings {
                let uid = telling.regarding.uid.clone().unwrap();
                let notes = match &telling.faults[..] {
                    [] => telling.resolved.iter().cloned().collect(),
                    faults => faults.to_vec(),
                };
                told.insert(uid.clone(), notes);
                self.told.entry(uid).or_default().push(telling);
            }
        }
        told
    }
}

fn counts(notes: &[Note]) -> Vec<Option<i32>> {
    notes.iter().map(|note| note.count).collect()
}

fn messages(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.message.as_str()).collect()
}

#[test]
fn a_pod_is_told_what_is_wrong_with_it_and_renewed_while_it_waits() {
    let mut world = World::new();
    world.comes(seen("p", Pod, None), vec![latest(Pod)]);
    let told = world.tell();
    let [note] = &told["p"][..] else { panic!("{told:?}") };
    assert!(note.renew && note.event_type == EventType::Warning && note.count.is_none());
    assert_eq!(
        note.message,
        "spec.containers[0].image: nginx:latest: name a version (PodPolicy images): it was let \
         through."
    );
    world.stirs("p", false);
    assert!(!world.tell()["p"][0].renew, "one that runs is not nagged");
    world.stirs("p", false);
    assert!(world.tell().is_empty(), "nothing has changed");
}

#[test]
fn what_is_mended_is_told_once_and_what_was_always_in_order_never() {
    let mut world = World::new();
    world.comes(seen("p", Pod, None), vec![latest(Pod)]);
    world.comes(seen("q", Pod, None), vec![]);
    world.tell();
    world.comes(seen("p", Pod, None), vec![]);
    world.comes(seen("q", Pod, None), vec![]);
    let told = world.tell();
    assert_eq!(
        messages(&told["p"]),
        ["Pod p is in order: what was wrong is mended, or no PodPolicy asks for it any more."]
    );
    assert_eq!(told.len(), 1);
    world.comes(seen("p", Pod, None), vec![]);
    assert!(world.tell().is_empty());
}

/// The three of a Deployment, in this order.
fn chain(order: [&str; 3]) -> World {
    let mut world = World::new();
    for name in order {
        match name {
            "d" => world.comes(seen("d", Deployment, None), vec![latest(Deployment)]),
            "r" => world.comes(seen("r", ReplicaSet, Some((Deployment, "d"))), vec![]),
            _ => world.pod_of("p", "r", vec![latest(Pod)]),
        }
    }
    world
}

#[test]
fn while_the_past_is_not_known_faults_are_told_and_their_end_waits() {
    let mut world = World::new();
    world.comes(seen("p", Pod, None), vec![]);
    world.comes(seen("q", Pod, None), vec![latest(Pod)]);
    world.comes(seen("d", Deployment, None), vec![]);
    let told = world.tell_at(true, false);
    assert_eq!(told.keys().collect::<Vec<_>>(), ["q"]);
    assert_eq!(world.tell().keys().collect::<Vec<_>>(), ["d", "p"]);
    assert!(world.tell().is_empty());
}

#[test]
fn a_policy_that_goes_ends_what_it_said_and_is_counted_no_more() {
    let mut world = chain(["d", "r", "p"]);
    world.tell();
    assert_eq!(world.tally.count("images").unwrap().findings(), 2);
    world.tally.mark(&[PodsConcerned::All].into());
    assert_eq!(
        world.tally.stale_places(),
        [(Pod, Some("shop".into())), (Deployment, Some("shop".into()))]
    );
    for (uid, workload, owner) in [("p", Pod, Some((ReplicaSet, "r"))), ("d", Deployment, None)] {
        let entry = &world.tally.objects[uid];
        let same =
            Seen { version: entry.version, print: entry.print, ..seen(uid, workload, owner) };
        let ticket = world.tally.saw(same).expect("it is to be judged though it is the same");
        world.tally.judged(&ticket, Judged::nothing());
    }
    assert_eq!(world.tally.to_judge(), 0);
    let told = world.tell();
    assert!(
        told["p"][0].reason == "PodPolicyResolved" && told["d"][0].reason == "PodPolicyResolved"
    );
    assert_eq!(world.tally.count("images"), Some(Count::default()));
    assert!(world.tally.standing_by_reason().is_empty());
}

#[test]
fn a_judgement_begun_before_a_change_is_made_again() {
    let mut world = World::new();
    let ticket = world.tally.saw(seen("p", Pod, None)).unwrap();
    world.tally.mark(&[PodsConcerned::OfNamespace("shop".into())].into());
    world.tally.judged(&ticket, judged(vec![latest(Pod)]));
    assert!(world.tally.is_stale("p"));
    let again = world.tally.saw(seen("p", Pod, None)).unwrap();
    world.tally.judged(&again, judged(vec![]));
    assert!(!world.tally.is_stale("p"));
}

#[test]
fn what_was_listed_gives_way_to_what_the_watch_has_brought_since() {
    let mut world = World::new();
    let old = world.tally.saw(seen("p", Pod, None)).unwrap();
    world.version = 8;
    world.comes(seen("p", Pod, None), vec![]);
    world.tally.judged(&old, judged(vec![latest(Pod)]));
    world.tally.mark(&[PodsConcerned::All].into());
    assert!(world.tally.saw_again(seen("p", Pod, None)).is_none());
    assert!(world.tally.saw_again(seen("gone", Pod, None)).is_none());
    assert!(world.tell().values().all(|notes| notes[0].reason == "PodPolicyResolved"));
    let entry = &world.tally.objects["p"];
    let same = Seen { version: entry.version, print: entry.print, ..seen("p", Pod, None) };
    assert!(world.tally.saw_again(same).is_some());
}

#[test]
fn a_pki_concerns_those_who_read_its_secret_or_ask_for_it() {
    let mut world = World::new();
    for (uid, reads) in
        [("a", judged::secret("tls")), ("b", judged::pki("app1")), ("c", judged::secret("x"))]
    {
        let ticket = world.tally.saw(seen(uid, Pod, None)).unwrap();
        world.tally.judged(&ticket, Judged { reads: vec![reads], ..Judged::nothing() });
    }
    let elsewhere = PodsConcerned::ReadersOf(Key::new("other", "x"));
    world.tally.mark(&[elsewhere].into());
    assert_eq!(world.tally.to_judge(), 0);
    let of = |name| Key::new("shop", name);
    world
        .tally
        .mark(&[PodsConcerned::ReadersOf(of("tls")), PodsConcerned::AskersFor(of("app1"))].into());
    assert!(world.tally.is_stale("a") && world.tally.is_stale("b") && !world.tally.is_stale("c"));
}

#[test]
fn what_a_list_does_not_have_is_gone_and_nothing_of_it_is_kept() {
    let mut world = chain(["d", "r", "p"]);
    let gone = world.tally.listed(Pod, &HashSet::new());
    assert_eq!(gone, ["p".into()]);
    assert!(!world.tally.made.contains_key("r"));
    for uid in ["r", "d"] {
        assert!(world.tally.remove(uid));
    }
    assert!(!world.tally.remove("d"));
    let Tally { objects, made, stale, unjudged, pods, owners, untrue, .. } = &world.tally;
    assert!(objects.is_empty() && made.is_empty() && stale.is_empty() && *unjudged == 0);
    assert!(pods.is_empty() && owners.is_empty() && untrue.is_empty());
}

#[test]
fn a_finding_of_a_pki_is_told_by_its_reporter_on_pods_and_here_on_workloads() {
    let of_pki = |workload| Finding {
        policy: None,
        rule: Some("pki app1".into()),
        reason: "PkiServiceNameError".into(),
        ..latest(workload)
    };
    let missing = Finding { reason: "PkiNotFound".into(), ..of_pki(Pod) };
    let mut world = World::new();
    world.comes(seen("d", Deployment, None), vec![of_pki(Deployment)]);
    world.comes(seen("p", Pod, None), vec![of_pki(Pod)]);
    world.comes(seen("q", Pod, None), vec![missing]);
    let told = world.tell();
    assert_eq!(told["d"][0].reason, "PkiServiceNameError");
    assert_eq!(told["q"][0].reason, "PkiNotFound", "nobody else tells of it");
    assert!(world.told["p"][0].faults.is_empty());
}

#[test]
fn of_many_faults_eight_are_told_and_one_counts_the_rest() {
    let mut world = World::new();
    let many = (0..12).map(|n| finding(&format!("spec.x{n}"))).collect();
    world.comes(seen("p", Pod, None), many);
    let told = world.tell();
    assert_eq!(told["p"].len(), 9);
    assert!(told["p"][8].message.starts_with("4 more things are wrong with Pod p: "));
}

#[test]
fn a_policy_without_events_tells_nobody_and_says_of_nobody_that_it_is_in_order() {
    let mut world = World::new();
    world.comes(seen("p", Pod, None), vec![latest(Pod)]);
    world.tell();
    let silent = Standing { finding: latest(Pod), events: EventsMode::None };
    let ticket = world.tally.saw(Seen { print: 9, version: 9, ..seen("p", Pod, None) }).unwrap();
    world.tally.judged(&ticket, Judged { findings: vec![silent], ..judged(vec![]) });
    assert!(world.tell()["p"].is_empty());
    assert_eq!(world.tally.count("images").unwrap().findings(), 1);
}

#[test]
fn findings_are_written_once_for_each_version_of_the_truth() {
    let mut world = World::new();
    let uncarried = |findings| Judged { is_carried: false, ..judged(findings) };
    let mut look = |version, findings| {
        let seen = Seen { version, print: version, ..seen("p", Pod, None) };
        let ticket = world.tally.saw(seen).unwrap();
        world.tally.judged(&ticket, uncarried(findings));
        let keeping = world.tally.next_keeping();
        keeping.iter().for_each(|keeping| world.tally.kept(keeping));
        keeping.is_some()
    };
    assert!(look(1, vec![latest(Pod)]));
    assert!(!look(2, vec![latest(Pod)]), "whoever insists wins");
    assert!(look(3, vec![]), "it has changed");
}

#[test]
fn what_has_come_past_the_webhook_stays_so_while_it_stands() {
    let mut world = World::new();
    let past = Finding { past_webhook: true, ..latest(Pod) };
    world.comes(seen("p", Pod, None), vec![past]);
    world.comes(seen("p", Pod, None), vec![latest(Pod)]);
    assert!(
        world.tell()["p"][0]
            .message
            .ends_with("it came before this rule or while the webhook was away.")
    );
}

#[test]
fn what_could_not_be_judged_again_is_not_told_as_mended() {
    let mut world = World::new();
    world.comes(seen("p", Pod, None), vec![latest(Pod)]);
    world.tell();
    let ticket = world.tally.saw(Seen { version: 2, print: 2, ..seen("p", Pod, None) }).unwrap();
    world.tally.failed(&ticket);
    world.tell();
    let last = world.told["p"].last().unwrap();
    assert_eq!(last.faults.len(), 1, "{last:?}");
    assert_eq!(world.tally.to_judge(), 0);
}
