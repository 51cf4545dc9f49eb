//! Label selectors, compiled: of namespaces, and of objects.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Expression, ParseExpressionError, Selector};
use thiserror::Error;

use crate::api::names::NAMESPACE_NAME_LABEL;

/// Why a selector is none that Kubernetes knows.
#[derive(Debug, Error)]
#[error("{0} (an operator is one of In, NotIn, Exists, DoesNotExist)")]
pub struct SelectorError(#[from] ParseExpressionError);

/// A label selector. One that asks for nothing selects everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels(Vec<Expression>);

impl Labels {
    /// Compiles a selector; none selects everything.
    ///
    /// # Errors
    /// When an operator is unknown, or lacks its values or has some.
    pub fn compile(selector: Option<&LabelSelector>) -> Result<Self, SelectorError> {
        let Some(selector) = selector else { return Ok(Self::default()) };
        let selector: Selector = selector.clone().try_into()?;
        Ok(Self(selector.into_iter().collect()))
    }

    /// Whether it selects what has these labels: the value of a key, where it has one.
    pub fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|asked| match asked {
            Expression::In(key, values) => label(key).is_some_and(|value| values.contains(value)),
            Expression::NotIn(key, values) => {
                label(key).is_none_or(|value| !values.contains(value))
            }
            Expression::Equal(key, wanted) => label(key).is_some_and(|value| value == wanted),
            Expression::NotEqual(key, wanted) => label(key).is_none_or(|value| value != wanted),
            Expression::Exists(key) => label(key).is_some(),
            Expression::DoesNotExist(key) => label(key).is_none(),
        })
    }

    /// The labels that it asks for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(key_of)
    }

    /// Whether it selects a namespace, given its labels where they are known. Of one so new that
    /// they are not, only what asks for nothing but the name can be sure.
    pub fn select_namespace(&self, name: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        match labels {
            Some(labels) => self.matches(|key| labels.get(key).map(String::as_str)),
            None => {
                self.0.iter().all(|asked| key_of(asked) == NAMESPACE_NAME_LABEL)
                    && self.matches(|_| Some(name))
            }
        }
    }
}

/// The label that an expression asks for.
fn key_of(expression: &Expression) -> &str {
    match expression {
        Expression::In(key, _)
        | Expression::NotIn(key, _)
        | Expression::Equal(key, _)
        | Expression::NotEqual(key, _)
        | Expression::Exists(key)
        | Expression::DoesNotExist(key) => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn compiled(selector: Value) -> Result<Labels, SelectorError> {
        Labels::compile(Some(&serde_json::from_value(selector).unwrap()))
    }

    fn selects(selector: Value, labels: Value) -> bool {
        let labels: BTreeMap<String, String> = serde_json::from_value(labels).unwrap();
        compiled(selector).unwrap().select_namespace("shop", Some(&labels))
    }

    fn asking(key: &str, operator: &str, values: &[&str]) -> Value {
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
    }

    #[test]
    fn every_operator_selects_as_kubernetes_says() {
        let (with, without) = (json!({"a": "1"}), json!({"b": "1"}));
        for (selector, of_with, of_without) in [
            (json!({}), true, true),
            (json!({"matchLabels": {"a": "1"}}), true, false),
            (json!({"matchLabels": {"a": "2"}}), false, false),
            (asking("a", "In", &["1", "2"]), true, false),
            (asking("a", "NotIn", &["1"]), false, true),
            (asking("a", "NotIn", &["2"]), true, true),
            (asking("a", "Exists", &[]), true, false),
            (asking("a", "DoesNotExist", &[]), false, true),
        ] {
            assert_eq!(selects(selector.clone(), with.clone()), of_with, "{selector}");
            assert_eq!(selects(selector.clone(), without.clone()), of_without, "{selector}");
        }
    }

    #[test]
    fn an_unknown_operator_is_an_error_that_names_those_there_are() {
        let error = compiled(asking("a", "Near", &["x"])).unwrap_err().to_string();
        assert!(error.contains("operator") && error.contains("DoesNotExist"), "{error}");
    }

    #[test]
    fn a_namespace_whose_labels_are_not_known_is_selected_by_its_name_alone() {
        let named = asking("kubernetes.io/metadata.name", "NotIn", &["kube-system"]);
        assert!(compiled(named).unwrap().select_namespace("shop", None));
        assert!(compiled(json!({})).unwrap().select_namespace("shop", None));
        assert!(
            !compiled(asking("team", "DoesNotExist", &[])).unwrap().select_namespace("shop", None)
        );
    }
}
