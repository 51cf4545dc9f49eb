//! Portreeve: a Kubernetes admission webhook and small PKI control plane that tells the owner of
//! an object what is wrong with it in the tools that she has open.

pub mod admission;
pub mod api;
mod backoff;
pub mod cel;
pub mod cli;
pub mod controllers;
pub mod events;
pub mod pki;
pub mod policy;
pub mod server;
pub mod serving_certs;
