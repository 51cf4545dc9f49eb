//! Instructions, as valgrind's callgrind counts them: the same in every run, whatever else the
//! machine does.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Whether they can be counted here.
pub fn can_be_counted() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The instructions of one run, where this program, called with `arguments` and a number, does
/// that many runs: the difference that more of them make, so that what comes before is left out.
pub fn of_one_run(arguments: &[&str], runs: u64) -> Result<u64> {
    let few = of_program(arguments, 1)?;
    let many = of_program(arguments, 1 + runs)?;
    Ok((many - few) / runs)
}

fn of_program(arguments: &[&str], runs: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(arguments)
        .arg(runs.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?} under valgrind: {text}");
    let line = text.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = line.with_context(|| format!("valgrind tells no count: {text}"))?;
    Ok(count.trim().parse()?)
}
