//! The objects that an expression is tried on.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::cel::{Json, Subject};
use crate::cli::yaml;

#[derive(Debug, Args)]
#[group(id = "inputs", multiple = true)]
pub(super) struct Options {
    /// The object as it is to be, in YAML or JSON; `-` is standard input, here and below.
    #[arg(long, value_name = "FILE")]
    object: Option<PathBuf>,
    /// The object as it was.
    #[arg(long, value_name = "FILE")]
    old_object: Option<PathBuf>,
    /// The admission request, or the AdmissionReview that it is in. Default: one by a cluster
    /// administrator, for what the objects are. Objects in it are taken unless they are given.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The namespace of the object.
    #[arg(long, value_name = "FILE")]
    namespace_object: Option<PathBuf>,
}

/// What was read; `null` is what was not given.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    object: Json<'static>,
    old_object: Json<'static>,
    request: Json<'static>,
    namespace_object: Json<'static>,
}

impl Options {
    pub(super) fn read(&self) -> anyhow::Result<Inputs> {
        let files = [&self.object, &self.old_object, &self.request, &self.namespace_object];
        let from_stdin = files.into_iter().flatten().filter(|path| is_stdin(path)).count();
        ensure!(from_stdin <= 1, "standard input (-) can be read for one object only");
        let read = |option: &str, path: &Option<PathBuf>| match path {
            Some(path) => read(path).with_context(|| format!("{option} {}", path.display())),
            None => Ok(Value::Null),
        };
        let mut request = read("--request", &self.request)?;
        if let Some(inner) = request.get_mut("request").filter(|inner| inner.is_object()) {
            request = inner.take();
        }
        let mut or_of_request = |given: Value, key: &str| match given {
            Value::Null => request.get_mut(key).map_or(Value::Null, Value::take),
            given => given,
        };
        let object = or_of_request(read("--object", &self.object)?, "object");
        let old_object = or_of_request(read("--old-object", &self.old_object)?, "oldObject");
        let namespace_object = read("--namespace-object", &self.namespace_object)?;
        check_request(&request).context("--request")?;
        if let Some(kind) = namespace_object.get("kind").filter(|kind| *kind != "Namespace") {
            bail!("--namespace-object: expected a Namespace, got the kind {kind}");
        }
        Ok(Inputs {
            object: Json::from(&object),
            old_object: Json::from(&old_object),
            request: Json::from(&request),
            namespace_object: Json::from(&namespace_object),
        })
    }
}

impl Inputs {
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            object: &self.object,
            old_object: &self.old_object,
            request: &self.request,
            namespace_object: &self.namespace_object,
        }
    }
}

/// Whether it is an admission request at all.
fn check_request(request: &Value) -> anyhow::Result<()> {
    const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];
    if request.is_null() {
        return Ok(());
    }
    let operation = request.get("operation").unwrap_or(&Value::Null);
    ensure!(
        operation.as_str().is_some_and(|operation| OPERATIONS.contains(&operation)),
        "operation: expected one of {}, got {operation}: is it the request of an AdmissionReview?",
        OPERATIONS.join(", ")
    );
    Ok(())
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads the one object of a file.
fn read(path: &Path) -> anyhow::Result<Value> {
    let text = if is_stdin(path) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(path)?
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, yaml::options())?;
    let mut documents = documents.into_iter().filter(|document| !document.is_null());
    match (documents.next(), documents.count()) {
        (Some(object @ Value::Object(_)), 0) => Ok(object),
        (Some(Value::Object(_)), more) => {
            bail!(
                "one object is expected, there are {}; put the others into files of their own",
                more + 1
            )
        }
        (None, _) => bail!("there is no object in it"),
        (Some(other), _) => bail!("expected an object, such as a Pod, got {}", describe(&other)),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        scalar => format!("the value {scalar}"),
    }
}
