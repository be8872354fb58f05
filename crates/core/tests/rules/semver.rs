//! Types that may grow are `#[non_exhaustive]`; the others say why they are not.

use std::fs;
use std::path::{Path, PathBuf};

/// The names of the public enums, and structs with public fields alone, whose docs and attributes do not
/// say whether they may grow.
fn undecided(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for item in source.split("\n\n") {
        let Some(start) = item
            .lines()
            .position(|line| line.starts_with("pub enum ") || line.starts_with("pub struct "))
        else {
            continue;
        };
        let head: Vec<_> = item.lines().take(start + 1).collect();
        let declared = head[start];
        let fields = item.lines().skip(start + 1).filter(|line| {
            line.starts_with("    ")
                && line.contains(": ")
                && !line.trim_start().starts_with(['/', '#'])
        });
        let is_open = declared.starts_with("pub enum")
            || declared.contains("(pub ")
            || declared.ends_with('{') && fields.clone().all(|line| line.starts_with("    pub "));
        if is_open && !head.iter().any(|line| line.contains("#[non_exhaustive]")) {
            found.push(declared);
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| !path.ends_with("tests.rs"))
        .collect()
}

#[test]
fn what_cannot_grow_says_why() {
    assert_eq!(undecided("/// A.\npub enum A {\n    B,\n}"), ["pub enum A {"]);
    assert_eq!(undecided("pub struct A {\n    pub b: u8,\n}"), ["pub struct A {"]);
    assert!(
        undecided("pub struct A {\n    b: u8,\n}\n\n#[non_exhaustive]\npub enum C {}").is_empty()
    );
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let found = fs::read_to_string(&path).unwrap();
        assert_eq!(undecided(&found), [""; 0], "{}", path.display());
    }
}
