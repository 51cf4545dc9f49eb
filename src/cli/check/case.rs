//! All that a judgement needs: the manifests, the policies, and the world that they are in.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::names::SYSTEM_NAMESPACES;
use crate::cli::cluster;
use crate::controllers::survey::{Survey, survey};
use crate::policy::Snapshot;

use super::fault::{Fault, note};
use super::manifests::{self, Manifest, Manifests, Role};
use super::progress::Progress;
use super::{Options, files, policies, world};

/// How many namespaces a note names.
const NAMED: usize = 5;

/// What is judged, and what by.
pub(super) struct Case {
    pub manifests: Manifests,
    pub snapshot: Snapshot,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// Whether the Pkis of the cluster are in the snapshot.
    pub knows_pkis: bool,
}

impl Case {
    /// Reads all that is given.
    ///
    /// # Errors
    /// All that can't be used.
    pub fn read(
        options: &Options,
        survey: Option<Survey>,
        progress: &mut Progress,
    ) -> Result<Self, Vec<Fault>> {
        let knows_pkis = survey.as_ref().is_some_and(|survey| survey.has_read("Pkis"));
        let mut snapshot = survey.map(|survey| survey.snapshot).unwrap_or_default();

        let mut faults = Vec::new();
        let given = manifests::read(&options.policies.policy, &mut faults, |done, of| {
            progress.at("policies", done, of);
        });
        policies::take_in(&given, &mut snapshot, &mut faults);
        if faults.is_empty() && snapshot.pod_policies.is_empty() && snapshot.pki_policies.is_empty()
        {
            let message = "there is no policy to judge by: neither a PodPolicy nor a PkiPolicy";
            faults.push(Fault::of_command(message));
        }
        let of_policies = faults.len();
        let manifests = manifests::read(&options.paths, &mut faults, |done, of| {
            progress.at("manifests", done, of);
        });
        if faults.len() == of_policies && manifests.objects.is_empty() {
            let message = "there is nothing to check: what is given has no object in it";
            faults.push(Fault::of_command(message));
        }
        if !faults.is_empty() {
            return Err(faults);
        }

        let all = given.objects.iter().chain(&manifests.objects);
        for manifest in all.filter(|manifest| manifest.role == Role::Namespace) {
            world::add_namespace(manifest, &mut snapshot);
        }
        let has_pkis = manifests.objects.iter().any(|manifest| manifest.role == Role::Pki);
        if has_pkis && snapshot.pki_policies.is_empty() {
            note("there is no PkiPolicy, and without one no Pki is judged");
        }
        let namespace = options.namespace.clone();
        tell_of_namespaces(&manifests, &namespace, &mut snapshot);
        world::add_pkis(&manifests.objects, &namespace, Timestamp::now(), &mut snapshot);
        Ok(Self { manifests, snapshot, namespace, knows_pkis })
    }
}

/// What no argument says by itself.
///
/// # Errors
/// What does not go together.
pub(super) fn check_command(options: &Options) -> Result<(), Fault> {
    let is_read = |paths: &[std::path::PathBuf]| paths.iter().any(|path| files::is_stdin(path));
    if is_read(&options.paths) && is_read(&options.policies.policy) {
        return Err(Fault::of_command(
            "standard input (-) can be read once only: either the policies or the manifests",
        ));
    }
    let cluster = &options.cluster;
    let is_named = cluster.kubeconfig.is_some() || cluster.context.is_some();
    if is_named && !options.policies.policies_from_cluster {
        return Err(Fault::of_command(
            "--kubeconfig and --context are of use with --policies-from-cluster only",
        ));
    }
    Ok(())
}

/// What the cluster has, if it is to be asked.
///
/// # Errors
/// When there is no cluster, or its PodPolicies may not be read.
pub(super) async fn look_at_cluster(options: &Options) -> Result<Option<Survey>, Fault> {
    if !options.policies.policies_from_cluster {
        return Ok(None);
    }
    let unusable = |error: anyhow::Error| Fault::of_command(format!("{error:#}"));
    let config = cluster::config(&options.cluster).await.map_err(unusable)?;
    let client = cluster::client(&config, true).map_err(unusable)?;
    let survey = survey(&client).await;
    for unread in &survey.unread {
        let (kind, why) = (unread.kind, &unread.why);
        if kind == "PodPolicies" {
            let message = format!("can't read the PodPolicies of {}: {why}", config.cluster_url);
            return Err(Fault::of_command(message));
        }
        note(&format!("the cluster's {kind} can't be read, and are not judged by: {why}"));
    }
    let policies = survey.snapshot.pod_policies.iter();
    for (name, _) in policies.filter(|(_, known)| known.rules.is_none()) {
        note(&format!("the cluster's PodPolicy {name} is not in effect: see its status"));
    }
    let policies = survey.snapshot.pki_policies.iter();
    for (name, _) in policies.filter(|(_, known)| known.rules.is_none()) {
        note(&format!("the cluster's PkiPolicy {name} is not in effect: see its status"));
    }
    Ok(Some(survey))
}

/// Takes in the namespaces that are nowhere, and says so where it makes a difference.
fn tell_of_namespaces(manifests: &Manifests, default_namespace: &str, snapshot: &mut Snapshot) {
    let is_judged = |manifest: &&Manifest| matches!(manifest.role, Role::Workload(_) | Role::Pki);
    let judged = manifests.objects.iter().filter(is_judged);
    let namespaces: BTreeSet<String> = judged
        .map(|manifest| manifest.namespace().unwrap_or(default_namespace))
        .filter(|namespace| !SYSTEM_NAMESPACES.contains(namespace))
        .map(str::to_owned)
        .collect();
    let unknown = world::add_unknown_namespaces(namespaces, snapshot);
    let asked_for = world::labels_asked_for(snapshot);
    if unknown.is_empty() || asked_for.is_empty() {
        return;
    }
    let asked_for: Vec<String> = asked_for
        .into_iter()
        .map(|(policy, labels)| {
            format!("{policy} by {}", labels.into_iter().collect::<Vec<_>>().join(" and "))
        })
        .collect();
    note(&format!(
        "nothing is known of {}: taken as having no label but the name, where policies select by \
         others ({}). Give the Namespaces with the manifests or with the policies",
        named(&unknown),
        asked_for.join("; ")
    ));
}

fn named(namespaces: &[String]) -> String {
    let first = namespaces.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match namespaces.len() {
        1 => format!("namespace {first}"),
        count if count > NAMED => format!("namespaces {first} and {} more", count - NAMED),
        _ => format!("namespaces {first}"),
    }
}
