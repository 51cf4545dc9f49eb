//! A question and its answer as JSON: an expression, an object, and what a
//! ValidatingAdmissionPolicy with that one validation would say of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::program::Inputs;
use super::rules::{
    NamedExpression, Outcome, Refusal, RuleSources, Rules, ValidationSource, Verdict,
};
use super::value::{Json, Object};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question<'a> {
    /// What the answer is to be known by.
    #[serde(default)]
    pub id: serde_json::Value,
    /// The validation's expression.
    pub expression: String,
    /// Its `messageExpression`.
    #[serde(default)]
    pub message_expression: Option<String>,
    /// Its `message`.
    #[serde(default)]
    pub message: Option<String>,
    /// The policy's variables.
    #[serde(default)]
    pub variables: Vec<NamedExpression>,
    /// The policy's match conditions.
    #[serde(default)]
    pub match_conditions: Vec<NamedExpression>,
    #[serde(default, borrow)]
    object: Json<'a>,
    #[serde(default, borrow)]
    old_object: Json<'a>,
    #[serde(default, borrow)]
    request: Json<'a>,
    #[serde(default, borrow)]
    namespace_object: Json<'a>,
}

/// What is judged; `null` is what there is not.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The object as it is to be.
    pub object: &'a Json<'a>,
    /// The object as it was.
    pub old_object: &'a Json<'a>,
    /// The admission request, as in an AdmissionReview; made up from the object if there is none.
    pub request: &'a Json<'a>,
    /// The namespace of the object.
    pub namespace_object: &'a Json<'a>,
}

/// What comes out.
#[derive(Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The question's.
    pub id: serde_json::Value,
    /// What the API server would do.
    pub outcome: OutcomeName,
    /// The message of a denial, of an error, or of the refusal to take the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where in the expression a refusal is about, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in that line, in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// How a question can come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeName {
    /// The validation holds.
    Allow,
    /// It does not.
    Deny,
    /// It cannot be evaluated.
    Error,
    /// The policy would not be taken.
    Refused,
    /// A match condition does not hold.
    Unmatched,
}

impl Question<'_> {
    /// The rules that the question is about.
    fn sources(&self) -> RuleSources {
        RuleSources {
            variables: self.variables.clone(),
            match_conditions: self.match_conditions.clone(),
            validations: vec![ValidationSource {
                expression: self.expression.clone(),
                message: self.message.clone(),
                message_expression: self
                    .message_expression
                    .clone()
                    .filter(|expression| !expression.is_empty()),
            }],
        }
    }

    /// Answers the question.
    pub fn answer(&self) -> Answer {
        let rules = match Rules::compile(&self.sources()) {
            Ok(rules) => rules,
            Err(refusals) => return self.refused(&refusals),
        };
        let subject = self.subject().complete();
        let (outcome, message) = match rules.evaluate(subject.inputs()) {
            Verdict::Unmatched => (OutcomeName::Unmatched, None),
            Verdict::Error(message) => (OutcomeName::Error, Some(message)),
            Verdict::Outcomes(outcomes) => match outcomes.into_iter().next() {
                None | Some(Outcome::Allow) => (OutcomeName::Allow, None),
                Some(Outcome::Deny(message)) => (OutcomeName::Deny, Some(message)),
                Some(Outcome::Error(message)) => (OutcomeName::Error, Some(message)),
            },
        };
        Answer { id: self.id.clone(), outcome, message, line: None, column: None }
    }

    /// What is judged.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            object: &self.object,
            old_object: &self.old_object,
            request: &self.request,
            namespace_object: &self.namespace_object,
        }
    }

    fn refused(&self, refusals: &[Refusal]) -> Answer {
        let first = refusals.first().map(|refusal| &refusal.error);
        let (line, column) = first.and_then(|error| error.position()).unzip();
        let message = first.map(ToString::to_string);
        Answer { id: self.id.clone(), outcome: OutcomeName::Refused, message, line, column }
    }
}

impl<'a> Subject<'a> {
    /// The inputs as the API server would have them.
    pub fn complete(self) -> CompleteSubject<'a> {
        CompleteSubject {
            object: self.object,
            old_object: self.old_object,
            request: self.complete_request(),
            namespace_object: self.complete_namespace(),
        }
    }

    /// The request that expressions see: objects are not in it, and what is empty is left out.
    fn complete_request(self) -> Json<'a> {
        let given = match self.request {
            Json::Null => return self.made_up_request(),
            given => given,
        };
        let text = |key: &str| given.get(key).and_then(Json::as_str).filter(|t| !t.is_empty());
        let kind = complete(given.get("kind"), ["group", "version", "kind"]);
        let resource = complete(given.get("resource"), ["group", "version", "resource"]);
        let or = |key, default: &Json<'a>| given.get(key).unwrap_or(default).clone();
        let mut members: Vec<(&'static str, Json<'a>)> = vec![
            ("uid", string("")),
            ("requestKind", or("requestKind", &kind)),
            ("requestResource", or("requestResource", &resource)),
            ("kind", kind),
            ("resource", resource),
            ("operation", string(text("operation").unwrap_or(""))),
            ("userInfo", or("userInfo", &Json::Map(Object::default()))),
            ("object", Json::Null),
            ("oldObject", Json::Null),
            ("dryRun", or("dryRun", &Json::Bool(false))),
            ("options", or("options", &Json::Null)),
        ];
        for key in ["name", "namespace", "subResource"] {
            members.extend(text(key).map(|value| (key, string(value))));
        }
        let sub_resource = text("requestSubResource").or_else(|| text("subResource"));
        members.extend(sub_resource.map(|value| ("requestSubResource", string(value))));
        object(members)
    }

    /// A request by a cluster's administrator for what is given.
    fn made_up_request(self) -> Json<'a> {
        let (subject, operation, options) = match (self.object, self.old_object) {
            (object, Json::Null) => (object, "CREATE", "CreateOptions"),
            (Json::Null, old) => (old, "DELETE", "DeleteOptions"),
            (object, _) => (object, "UPDATE", "UpdateOptions"),
        };
        let api_version = subject.get("apiVersion").and_then(Json::as_str).unwrap_or("v1");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = subject.get("kind").and_then(Json::as_str).unwrap_or("Pod");
        let kind_of = || {
            object([("group", string(group)), ("version", string(version)), ("kind", string(kind))])
        };
        let plural = plural(kind);
        let resource_of = || {
            let plural = Json::String(Cow::Owned(plural.clone()));
            object([("group", string(group)), ("version", string(version)), ("resource", plural)])
        };
        let groups = vec![string("system:masters"), string("system:authenticated")];
        let user =
            object([("username", string("kubernetes-admin")), ("groups", Json::List(groups))]);
        let mut options = vec![
            ("apiVersion", string("meta.k8s.io/v1")),
            ("kind", string(options)),
            ("dryRun", Json::List(vec![string("All")])),
        ];
        if operation != "DELETE" {
            let manager = if operation == "CREATE" { "kubectl-create" } else { "kubectl-edit" };
            options.push(("fieldManager", string(manager)));
            options.push(("fieldValidation", string("Strict")));
        }
        let mut members = vec![
            ("uid", string("")),
            ("kind", kind_of()),
            ("resource", resource_of()),
            ("requestKind", kind_of()),
            ("requestResource", resource_of()),
            ("operation", string(operation)),
            ("userInfo", user),
            ("object", Json::Null),
            ("oldObject", Json::Null),
            ("dryRun", Json::Bool(true)),
            ("options", object(options)),
        ];
        for key in ["name", "namespace"] {
            let value = subject.get("metadata").and_then(|metadata| metadata.get(key));
            members.extend(value.map(|value| (key, value.clone())));
        }
        object(members)
    }

    /// The namespace as expressions see it: without the fields that the API server leaves out.
    fn complete_namespace(self) -> Json<'a> {
        const SEEN: [&str; 12] = [
            "name",
            "generateName",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "finalizers",
        ];
        let given = match self.namespace_object {
            Json::Null => return Json::Null,
            given => given,
        };
        let metadata = match given.get("metadata") {
            Some(Json::Map(metadata)) => metadata
                .iter()
                .filter(|(key, _)| SEEN.contains(key))
                .map(|(key, value)| (Cow::Borrowed(key), value.clone()))
                .collect(),
            _ => Object::default(),
        };
        let part = |key| given.get(key).cloned().unwrap_or_else(|| Json::Map(Object::default()));
        object([
            ("metadata", Json::Map(metadata)),
            ("spec", part("spec")),
            ("status", part("status")),
        ])
    }
}

/// A subject as expressions see it.
#[derive(Debug)]
pub struct CompleteSubject<'a> {
    object: &'a Json<'a>,
    old_object: &'a Json<'a>,
    request: Json<'a>,
    namespace_object: Json<'a>,
}

impl CompleteSubject<'_> {
    /// What rules are evaluated on.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            object: self.object,
            old_object: self.old_object,
            request: &self.request,
            namespace_object: &self.namespace_object,
        }
    }
}

fn string(text: &str) -> Json<'_> {
    Json::String(Cow::Borrowed(text))
}

fn object<'a>(members: impl IntoIterator<Item = (&'static str, Json<'a>)>) -> Json<'a> {
    let members = members.into_iter().map(|(key, value)| (Cow::Borrowed(key), value));
    Json::Map(members.collect())
}

/// An object with all of three members; those that are missing are empty.
fn complete<'j>(given: Option<&'j Json<'j>>, keys: [&'static str; 3]) -> Json<'j> {
    let member = |key: &str| given.and_then(|given| given.get(key)).and_then(Json::as_str);
    object(keys.map(|key| (key, string(member(key).unwrap_or("")))))
}

/// The resource of a kind, as kubectl guesses it.
fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    match name.as_bytes() {
        [.., b's'] => format!("{name}es"),
        [.., b'y'] => format!("{}ies", name.trim_end_matches('y')),
        _ => format!("{name}s"),
    }
}
