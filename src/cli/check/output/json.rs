//! For programs: each finding as the annotation has it, with its place.

use serde::Serialize;

use crate::api::Finding;
use crate::cli::check::judging::Told;

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    object: Object<'a>,
    finding: &'a Finding,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

pub(super) fn printed(told: &[Told]) -> anyhow::Result<String> {
    let entries: Vec<Entry<'_>> = told.iter().map(Entry::of).collect();
    Ok(format!("{}\n", serde_json::to_string_pretty(&entries)?))
}

impl<'a> Entry<'a> {
    fn of(told: &'a Told) -> Self {
        let Told { file, place, api_version, kind, namespace, name, finding } = told;
        Self {
            file,
            line: place.line,
            column: place.column,
            object: Object { api_version, kind, namespace, name },
            finding,
            text: told.text(),
        }
    }
}
