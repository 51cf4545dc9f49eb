//! What is added to Pods, and what is wrong with them: the one judgement that the webhook, the scan,
//! the Events and the offline check share.

pub mod certificates;
pub mod findings;
pub mod inject;
pub mod judge;
pub mod rules;
pub mod template;

pub use judge::{Found, Judgement, Stage, Subject, judge};
pub use rules::{PodRules, PolicyFault};
pub use template::Workload;
