//! Warnings: the lines that kubectl prints after `Warning:`.
//!
//! They travel to the client as HTTP headers. The API server drops one that has a control
//! character whole, drops repetitions, and, once all together pass 4,096 characters, cuts each
//! at 256 and drops what comes after. So they are made to fit before they are sent.

use std::collections::HashSet;

/// The longest line, in characters, as the API server counts them.
pub const LINE_CHARACTERS: usize = 256;

/// The most that all lines may have together, in bytes of UTF-8. The API server counts
/// characters, of which there are never more; a proxy before it counts bytes.
pub const TOTAL_BYTES: usize = 4096;

/// What stands where a line was cut.
const CUT: char = '…';

/// Makes of these texts, worst first, lines that reach the client as they are.
///
/// Each becomes one line of at most [`LINE_CHARACTERS`]; empty ones and repetitions are left
/// out. If they do not all fit into [`TOTAL_BYTES`], the last line is `+N more: {more_hint}`.
pub fn warning_headers(lines: impl Iterator<Item = String>, more_hint: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut kept: Vec<String> = lines
        .map(|line| one_line(&line))
        .filter(|line| !line.is_empty() && seen.insert(line.clone()))
        .collect();
    let all = kept.len();
    let mut size: usize = kept.iter().map(String::len).sum();
    if size <= TOTAL_BYTES {
        return kept;
    }
    while let Some(dropped) = kept.pop() {
        size -= dropped.len();
        let more = one_line(&format!("+{} more: {more_hint}", all - kept.len()));
        if size + more.len() <= TOTAL_BYTES {
            kept.push(more);
            break;
        }
    }
    kept
}

fn one_line(text: &str) -> String {
    let text = text.replace(breaks_the_line, " ");
    let text = text.trim();
    if text.chars().nth(LINE_CHARACTERS).is_none() {
        return text.to_owned();
    }
    let mut line: String = text.chars().take(LINE_CHARACTERS - 1).collect();
    line.push(CUT);
    line
}

/// Control characters, the two separators that Unicode has for lines and paragraphs, and the
/// marks that turn the direction of writing, with which a value could disguise a whole line.
fn breaks_the_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> Vec<String> {
        warning_headers(lines.iter().map(ToString::to_string), "kubectl describe pki/app1")
    }

    #[test]
    fn short_lines_pass_as_they_are() {
        assert_eq!(
            headers(&["spec.serviceName: \"appp1\"", "é"]),
            ["spec.serviceName: \"appp1\"", "é"]
        );
    }

    #[test]
    fn a_control_character_becomes_a_space() {
        assert_eq!(headers(&["a\nb\tc\u{0}d\u{85}e\u{2028}f\u{202e}g"]), ["a b c d e f g"]);
    }

    #[test]
    fn an_empty_line_and_a_repetition_are_left_out() {
        assert_eq!(headers(&["a", "\n", "b", "a", ""]), ["a", "b"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_marked() {
        let lines = headers(&[&"é".repeat(LINE_CHARACTERS), &"é".repeat(LINE_CHARACTERS + 1)]);
        assert_eq!(lines[0], "é".repeat(LINE_CHARACTERS));
        assert_eq!(lines[1], "é".repeat(LINE_CHARACTERS - 1) + "…");
    }

    #[test]
    fn what_does_not_fit_is_counted_in_the_last_line() {
        let lines: Vec<String> = (0..20).map(|i| format!("{i:0>256}")).collect();
        let kept = warning_headers(lines.clone().into_iter(), "kubectl describe pki/app1");
        assert_eq!(kept.len(), 16);
        assert_eq!(kept[..15], lines[..15]);
        assert_eq!(kept[15], "+5 more: kubectl describe pki/app1");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_set_of_lines_survives_the_api_server(
            lines in prop::collection::vec("(.|\n){0,300}", 0..30),
            hint in "(.|\n){0,300}",
        ) {
            let kept = warning_headers(lines.iter().cloned(), &hint);
            prop_assert!(kept.iter().map(String::len).sum::<usize>() <= TOTAL_BYTES);
            for line in &kept {
                prop_assert!(!line.is_empty());
                prop_assert!(line.chars().count() <= LINE_CHARACTERS);
                prop_assert!(!line.contains(char::is_control));
            }
            let distinct: HashSet<String> =
                lines.iter().map(|line| one_line(line)).filter(|line| !line.is_empty()).collect();
            let told = match kept.last().and_then(|last| last.strip_prefix('+')?.split_once(" more:")) {
                Some((n, _)) if kept.len() - 1 < distinct.len() => {
                    n.parse::<usize>().unwrap() + kept.len() - 1
                }
                _ => kept.len(),
            };
            prop_assert_eq!(told, distinct.len());
        }
    }
}
