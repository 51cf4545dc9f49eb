//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>): one run, with a
//! result for each finding and a rule for each part of a policy that makes some.

mod uri;

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde::Serialize;

use crate::api::Finding;
use crate::cli::check::judging::Told;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    /// What columns are counted in.
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    /// One word.
    name: String,
    short_description: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    /// By which a host knows the finding again when its line has moved.
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// The field, as the object has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

/// The name of the fingerprints; another way to make them gets another.
const FINGERPRINT: &str = "portreeveFinding/v1";

pub(super) fn printed(told: &[Told]) -> anyhow::Result<String> {
    let mut rules = BTreeMap::new();
    for told in told {
        rules.entry(rule_id(&told.finding)).or_insert(&told.finding);
    }
    let index: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    let mut seen = BTreeMap::new();
    let results = told.iter().map(|told| {
        let rule_id = rule_id(&told.finding);
        let uri = uri::of(&told.file);
        let print = fingerprint(&uri, &rule_id, told);
        let times: &mut usize = seen.entry(print.clone()).or_default();
        *times += 1;
        SarifResult {
            rule_index: index.get(rule_id.as_str()).copied().unwrap_or_default(),
            rule_id,
            level: told.level(),
            message: Message { text: format!("{}: {}", told.object(), told.text()) },
            locations: [location(uri, told)],
            partial_fingerprints: [(FINGERPRINT, format!("{print}:{times}"))].into(),
        }
    });
    let results = results.collect();
    let rules = rules.iter().map(|(id, finding)| Rule {
        id: id.clone(),
        name: finding.reason.clone(),
        short_description: Message { text: description(finding) },
    });
    let driver =
        Driver { name: "portreeve", version: env!("CARGO_PKG_VERSION"), rules: rules.collect() };
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    Ok(format!("{}\n", serde_json::to_string_pretty(&log)?))
}

/// The part of a policy that a finding is made by, or its reason.
fn rule_id(finding: &Finding) -> String {
    match (&finding.policy, &finding.rule) {
        // What is told of a Pki where its Secret is read is no rule of that name.
        (Some(policy), Some(rule)) if !rule.starts_with("pki ") => format!("{policy}/{rule}"),
        _ => finding.reason.clone(),
    }
}

fn description(finding: &Finding) -> String {
    match (&finding.policy, &finding.rule) {
        (Some(policy), Some(rule)) if !rule.starts_with("pki ") => {
            format!("{}: {rule} of PodPolicy {policy}", finding.reason)
        }
        _ => finding.reason.clone(),
    }
}

fn location(uri: String, told: &Told) -> Location {
    let mut name = told.object();
    if !told.finding.field.is_empty() {
        name.push_str(&format!(" {}", told.finding.field));
    }
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri },
            region: Region { start_line: told.place.line, start_column: told.place.column },
        },
        logical_locations: [LogicalLocation { fully_qualified_name: name }],
    }
}

/// What stays the same where lines, or the elements of a list, move.
fn fingerprint(uri: &str, rule_id: &str, told: &Told) -> String {
    let Told { kind, namespace, name, finding, .. } = told;
    let field: String = finding.field.chars().filter(|c| !c.is_ascii_digit()).collect();
    let value = finding.value.as_deref().unwrap_or_default();
    let parts = [uri, kind, namespace, name, rule_id, &finding.reason, &field, value];
    let digest = digest::digest(&digest::SHA256, parts.join("\0").as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
