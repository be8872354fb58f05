//! The machine on which the numbers were measured.

use std::fs;
use std::thread::available_parallelism;

/// One line: processor, cores, kernel, compiler.
pub fn facts() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown processor");
    let cores = available_parallelism().map_or(1, usize::from);
    // What a builder appended to the version is nobody's business.
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = release.trim().split('-').next().unwrap_or_default();
    let (system, rustc) = (std::env::consts::OS, env!("RUSTC_VERSION"));
    format!("{model}, {cores} cores, {system} {kernel}, {rustc}")
}
