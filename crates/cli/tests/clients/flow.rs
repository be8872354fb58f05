//! The script of the whole life of a model.

use std::path::Path;
use std::process::Command;

pub(crate) fn is_done() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/whole-flow");
    let ended = Command::new(script).arg(env!("CARGO_BIN_EXE_custom-models")).output().unwrap();
    let said = [ended.stdout, ended.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(ended.status.success(), "{said:?}");
    assert!(said[0].ends_with("the whole flow is done\n"), "{said:?}");
}
