//! What is added to Pods, and what is wrong with them.

pub mod inject;
