//! How many objects each policy matches, and how many findings stand under it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::api::pod_policy::RuleFindings;

use super::Standing;

/// What stands under one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::controllers) struct Count {
    /// How many Pods and workloads it matches.
    pub(in crate::controllers) matched: i64,
    /// How many findings stand, by rule and reason.
    by_rule: BTreeMap<(String, String), i64>,
}

impl Count {
    /// How many findings stand.
    pub(in crate::controllers) fn findings(&self) -> i64 {
        self.by_rule.values().sum()
    }

    /// The findings that stand, by rule.
    pub(in crate::controllers) fn by_rule(&self) -> Vec<RuleFindings> {
        let row = |((rule, reason), findings): (&(String, String), &i64)| RuleFindings {
            rule: rule.clone(),
            reason: reason.clone(),
            findings: *findings,
        };
        self.by_rule.iter().map(row).collect()
    }
}

/// What stands under all policies. What no policy says stands under the empty name.
#[derive(Default)]
pub(super) struct Counts {
    by_policy: BTreeMap<Arc<str>, Count>,
    changed: HashSet<Arc<str>>,
}

impl Counts {
    /// Counts an object so many times more.
    pub(super) fn add(&mut self, matched: &[Arc<str>], findings: &[Arc<Standing>], times: i64) {
        for policy in matched {
            self.change(policy, |count| count.matched += times);
        }
        for standing in findings {
            let finding = &standing.finding;
            let policy: Arc<str> = finding.policy.as_deref().unwrap_or_default().into();
            let rule = if policy.is_empty() { None } else { finding.rule.clone() };
            let key = (rule.unwrap_or_default(), finding.reason.clone());
            self.change(&policy, |count| {
                let standing = count.by_rule.entry(key.clone()).or_default();
                *standing += times;
                if *standing == 0 {
                    count.by_rule.remove(&key);
                }
            });
        }
    }

    fn change(&mut self, policy: &Arc<str>, change: impl FnOnce(&mut Count)) {
        let count = self.by_policy.entry(policy.clone()).or_default();
        change(count);
        if *count == Count::default() {
            self.by_policy.remove(policy);
        }
        self.changed.insert(policy.clone());
    }

    pub(super) fn of(&self, policy: &str) -> Count {
        self.by_policy.get(policy).cloned().unwrap_or_default()
    }

    pub(super) fn changed(&mut self) -> Option<Vec<String>> {
        let changed = std::mem::take(&mut self.changed);
        let named = changed.iter().filter(|policy| !policy.is_empty());
        (!changed.is_empty()).then(|| named.map(|policy| policy.to_string()).collect())
    }

    pub(super) fn by_reason(&self) -> Vec<(String, String, i64)> {
        let mut standing: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (policy, count) in &self.by_policy {
            for ((_, reason), findings) in &count.by_rule {
                *standing.entry((policy, reason)).or_default() += findings;
            }
        }
        let row = |((policy, reason), findings): ((&str, &str), i64)| {
            (policy.to_owned(), reason.to_owned(), findings)
        };
        standing.into_iter().map(row).collect()
    }
}
