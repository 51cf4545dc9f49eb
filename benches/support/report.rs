//! The table, and `target/bench/results.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// What was found.
    pub value: f64,
    /// What it is counted in.
    pub unit: String,
    /// The same of what it is compared with.
    pub against: Option<f64>,
    /// `value` as a share of `against`.
    pub ratio: Option<f64>,
}

impl Figure {
    /// A figure beside the one that it is compared with.
    pub fn compared(name: &str, unit: &str, value: f64, against: f64) -> Self {
        Self {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            against: Some(against),
            ratio: Some(value / against),
        }
    }
}

/// Prints figures, and puts them into the file, where they replace those of their names.
pub fn publish(figures: &[Figure], against: &str) -> Result<()> {
    print!("{}", table(figures, against));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    let file = folder.join("results.json");
    let mut all: Vec<Figure> = match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} holds other than figures", file.display()))?,
        Err(_) => Vec::new(),
    };
    all.retain(|old| figures.iter().all(|new| new.name != old.name));
    all.extend_from_slice(figures);
    fs::create_dir_all(&folder)?;
    fs::write(&file, serde_json::to_string_pretty(&all)? + "\n")?;
    println!("{}", file.display());
    Ok(())
}

fn table(figures: &[Figure], against: &str) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), readable);
    let mut table = format!("{:<38}{:>12} {:<14}{:>12}{:>8}\n", "", "", "", "against", "ratio");
    for figure in figures {
        table += &format!(
            "{:<38}{:>12} {:<14}{:>12}{:>8}\n",
            figure.name,
            readable(figure.value),
            figure.unit,
            number(figure.against),
            figure.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}")),
        );
    }
    table + "against: " + against + "\n"
}

/// Two places of small numbers, none of large ones.
fn readable(value: f64) -> String {
    if value < 1_000.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}
