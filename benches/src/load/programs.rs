//! The programs that are asked, built or installed before anything is measured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::load::server::Driver;

/// The command line, built as a user builds it.
pub fn service() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", "custom-models-cli"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the command line was not built"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("release/custom-models").canonicalize()
}

/// A peer in Rust, built beside this program.
pub fn axum_peer(driver: Driver) -> io::Result<PathBuf> {
    let package = driver.package();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(driver.folder());
    let target = std::env::current_exe()?.with_file_name("axum-peers");
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", package, "--target-dir"])
        .arg(&target)
        .current_dir(&folder)
        .status()?;
    if !built.success() {
        return Err(io::Error::other(format!("{package} was not built")));
    }
    target.join("release").join(package).canonicalize()
}

/// A Python with what the peer needs, installed beside this program the first time.
pub fn python() -> io::Result<PathBuf> {
    let place = std::env::current_exe()?.with_file_name("fastapi-peer");
    let (python, ready) = (place.join("bin/python"), place.join("is-ready"));
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/fastapi/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("installing for the peer: {}", wanted.lines().collect::<Vec<_>>().join(", "));
    let made = Command::new("python3").args(["-m", "venv"]).arg(&place).status()?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements);
    if !made.success() || !pip.status()?.success() {
        return Err(io::Error::other("what the peer needs was not installed"));
    }
    std::fs::write(ready, wanted)?;
    Ok(python)
}
