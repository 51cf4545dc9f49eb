//! The documents of a file, each read by itself: what is wrong with one does not hide another.

use serde_json::Value;

use super::fault::Fault;
use super::files::Source;
use super::node::{Node, Place, place_of};
use crate::cli::yaml;

/// How many documents of a file may be unreadable before the rest of it is left.
const MOST_FAULTS: usize = 20;

/// A document of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    /// How many lines of the file come before those that places are counted in.
    pub lines_before: u32,
    pub node: Node,
}

/// Reads all documents of a file; empty ones are left out.
pub(super) fn read(source: &Source, text: &str, faults: &mut Vec<Fault>) -> Vec<Document> {
    let mut documents = Vec::new();
    let (mut unreadable, mut values) = (0, 0);
    for (lines_before, part) in parts(text) {
        let nodes = match parse(part, lines_before) {
            Ok(nodes) => nodes,
            Err((place, message)) => {
                faults.push(Fault::at(&source.name, place, hinted(message, part)));
                unreadable += 1;
                if unreadable == MOST_FAULTS {
                    faults.push(Fault::of_file(&source.name, "what comes after is not read"));
                    break;
                }
                continue;
            }
        };
        for node in nodes {
            values += node.count();
            if values > yaml::MAX_VALUES {
                let message = format!("the file has more than {} values", yaml::MAX_VALUES);
                faults.push(Fault::at(&source.name, Place::START.below(lines_before), message));
                return documents;
            }
            documents.push(Document { lines_before, node });
        }
    }
    documents
}

/// Cuts a text before each line that begins a document, and says how many lines come before.
fn parts(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines_before = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut end, mut lines, mut has_content) = (0, 0, false);
        for line in rest.split_inclusive('\n') {
            let is_start = is_start(line);
            if is_start && has_content {
                break;
            }
            // What comes before a document's first line, such as `%YAML 1.2`, belongs to it.
            has_content |=
                is_start || !line.trim_start().is_empty() && !line.starts_with(['#', '%']);
            end += line.len();
            lines += 1;
        }
        let (part, left) = rest.split_at(end);
        let before = lines_before;
        rest = left;
        lines_before += lines;
        Some((before, part))
    })
}

fn is_start(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Reads YAML; or JSON, all of which is YAML but for a few escapes and what is indented by tabs.
fn parse(text: &str, lines_before: u32) -> Result<Vec<Node>, (Place, String)> {
    let error = match serde_saphyr::from_multiple_with_options(text, yaml::options()) {
        Ok(nodes) => return Ok(nodes),
        Err(error) => error,
    };
    if text.trim_start().starts_with('{') {
        let values: Result<Vec<Value>, _> =
            serde_json::Deserializer::from_str(text).into_iter().collect();
        if let Ok(values) = values {
            return Ok(values.into_iter().map(|value| Node::at(Place::START, value)).collect());
        }
    }
    let place = error.location().map_or(Place::START, place_of).below(lines_before);
    let options = serde_saphyr::render_options! {
        formatter: &serde_saphyr::UserMessageFormatter,
        snippets: serde_saphyr::SnippetMode::Off,
        line_offset: lines_before.into(),
    };
    let message = error.render_with_options(options);
    // It ends with the place, which is told before it.
    let end = format!(" at line {}, column {}", place.line, place.column);
    Err((place, message.strip_suffix(&end).map(str::to_owned).unwrap_or(message)))
}

/// With what to do where that can be guessed.
fn hinted(message: String, text: &str) -> String {
    if text.contains("{{") {
        return format!(
            "{message} (is it a template? Give what it renders: helm template CHART | portreeve check - …)"
        );
    }
    message
}

#[cfg(test)]
mod tests {
    use super::super::on_large_stack;
    use super::*;
    use std::time::{Duration, Instant};

    fn documents(text: &str) -> (Vec<(u32, Value)>, Vec<String>) {
        on_large_stack(|| read_all(text)).unwrap()
    }

    fn read_all(text: &str) -> (Vec<(u32, Value)>, Vec<String>) {
        let mut faults = Vec::new();
        let documents = read(&Source::named("a.yaml"), text, &mut faults);
        let found = documents.into_iter().map(|document| {
            (document.node.place.below(document.lines_before).line, document.node.value())
        });
        (found.collect(), faults.iter().map(ToString::to_string).collect())
    }

    fn lines(text: &str) -> Vec<u32> {
        let (documents, faults) = documents(text);
        assert_eq!(faults, [] as [String; 0], "{text:?}");
        documents.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn documents_are_found_where_they_begin_and_empty_ones_are_none() {
        for (text, expected) in [
            ("", vec![]),
            ("# nothing\n", vec![]),
            ("---\n---\n# Source: a\n---\n\n", vec![]),
            ("a: 1", vec![1]),
            ("\u{feff}---\na: 1\n---\nb: 2\n", vec![2, 4]),
            ("---\n# Source: c/t.yaml\n\na: 1\n--- # next\n\n---\nb: 2\n...\n", vec![4, 8]),
            ("%YAML 1.2\n---\na: 1\n---\nb: |\n  text\n  ---\n", vec![3, 5]),
            ("a: 1\r\n---\r\nb: 2\r\n", vec![1, 3]),
            ("{\"a\": 1}\n---\n{\"b\": 2}\n", vec![1, 3]),
            ("--- {a: 1}\n", vec![1]),
            ("---x: 1\n---y: 2\n", vec![1]),
        ] {
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_one_document_does_not_hide_another() {
        let (found, faults) = documents("a: [1\n---\nb: 2\n---\nc: 1\nc: 2\n---\nd: \"\\z\"\n");
        assert_eq!(found, [(3, serde_json::json!({"b": 2}))]);
        assert_eq!(faults.len(), 3);
        for (fault, begin) in
            faults.iter().zip(["a.yaml:1: error: ", "a.yaml:6: error: ", "a.yaml:8: error: "])
        {
            assert!(fault.starts_with(begin), "{fault}");
        }
        assert!(faults[1].contains("duplicate"), "{}", faults[1]);
    }

    #[test]
    fn json_is_read_with_what_yaml_does_not_have() {
        let (found, faults) = documents("{\n\t\"a\": \"\\ud83d\\ude00\\/\"\n}\n{\"b\": 1}\n");
        assert_eq!(faults, [] as [String; 0]);
        assert_eq!(found[0].1["a"], "😀/");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_template_is_told_from_a_slip() {
        let (_, faults) = documents("a:\n  {{- include \"x\" . | nindent 4 }}\n");
        assert!(faults[0].contains("helm template"), "{}", faults[0]);
    }

    #[test]
    fn hostile_documents_are_refused_before_they_take_the_machine() {
        let began = Instant::now();
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let item = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", [item.as_str(); 10].join(",")));
        }
        for hostile in [
            bomb,
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            "a: &a [*a]\n".to_owned(),
            "a: \u{0}\u{1}\n".to_owned(),
            "---\na: [\n".repeat(10_000),
            "? ".repeat(50_000),
            "!!binary x".repeat(1_000),
        ] {
            let (found, faults) = documents(&hostile);
            let start: String = hostile.chars().take(20).collect();
            assert_eq!(found, [], "{start}");
            assert!(!faults.is_empty() && faults.len() <= MOST_FAULTS + 1, "{start}");
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }
}
