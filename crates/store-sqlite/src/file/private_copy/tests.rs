use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use custom_models_core::store::OpenMode;

use super::*;

#[test]
fn place_5_a_private_copy_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let file = StoreFile { path, busy_timeout: Duration::ZERO, is_read_only: false };
    let (writer, _watch) = file.open_for_writing(OpenMode::Create).unwrap();
    writer.execute_batch("UPDATE sequence SET last_id = 7").unwrap();
    for ending in ["", "-wal", "-shm"] {
        let open = fs::Permissions::from_mode(0o666);
        fs::set_permissions(sidecar(&file.path, ending), open).unwrap();
    }
    let (copy, private) = private_copy(&file).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(private.path()), 0o700);
    for ending in ["", "-wal"] {
        assert_eq!(mode(&sidecar(&copy.path, ending)), 0o600, "{ending}");
    }
    let copy = copy.open_for_reading().unwrap();
    let last_id = copy.query_row("SELECT last_id FROM sequence", [], |row| row.get(0));
    assert_eq!(last_id, Ok(7_u64));
}
