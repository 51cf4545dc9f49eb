//! YAML as kubectl reads it.

use serde_saphyr::Options;

/// How many values the documents of a file may come to once their aliases are written out.
pub(super) const MAX_VALUES: usize = 4_000_000;

/// How many parts of values aliases may repeat.
const MAX_REPEATED: usize = 100_000;

/// How deep values may be nested; the definitions of kinds are 40 deep.
const MAX_DEPTH: usize = 128;

/// How YAML is read. What is given is no more trusted than any other input: what would take too
/// much memory or time to read is an error.
pub(super) fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_events: 4 * MAX_VALUES,
        max_nodes: MAX_VALUES,
        max_documents: MAX_VALUES,
        max_depth: MAX_DEPTH,
        // One anchor may well be used in each of a hundred objects.
        enforce_alias_anchor_ratio: false,
    };
    serde_saphyr::options! {
        budget: budget,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        // In YAML 1.1, which kubectl reads, a file's mode of 0644 is an octal number.
        legacy_octal_numbers: true,
        // A long comment between a key and its list is no attack.
        emit_comments: false,
    }
}
