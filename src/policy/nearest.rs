//! The allowed value that somebody most likely meant.

/// The longest value that is compared, in bytes: the comparison takes the square of it.
const LONGEST: usize = 253;

/// The candidate nearest to a value, if one is near enough to be meant: at most one slip in three
/// characters. Of two that are as near, the first. What is longer than any name is nobody's slip.
pub fn nearest<'a>(value: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if value.len() > LONGEST {
        return None;
    }
    let lower = value.to_lowercase();
    let length = lower.chars().count();
    let bound = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| {
            candidate.len() <= LONGEST && candidate.len().abs_diff(lower.len()) <= bound * 4
        })
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= bound && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised() {
        assert_eq!(nearest("appp1", ["app2", "app1"]), Some("app1"));
        assert_eq!(nearest("paymnets", ["cart", "payments"]), Some("payments"));
        assert_eq!(nearest("APP1", ["app1"]), Some("app1"));
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        assert_eq!(nearest("billing", ["cart", "payments"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
