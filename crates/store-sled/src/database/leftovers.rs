//! The removal of incomplete files that a kill or a full disk left behind, and that sled would take
//! for complete ones.
//!
//! When sled is opened, it writes a snapshot to `snap.*.generating` and renames it. It takes every
//! file whose name begins with `snap.` for a snapshot, so an incomplete one makes it fail for good.
//! The file can be removed without loss: the previous snapshot is kept until after the renaming,
//! and a snapshot is only an index of the log.
//!
//! Sled writes `conf` of a new folder in two steps, the checksum last. It accepts a file without
//! the checksum, and then drops the last bytes.

use std::fs;
use std::io;

use crate::database::folder::Folder;

/// The file with sled's settings, the same for every store.
const CONF: &str = "conf";

/// Removes incomplete files from a locked folder that sled is about to open.
pub(crate) fn remove(folder: &Folder) -> io::Result<()> {
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        let name = entry.file_name();
        let is_leftover = match name.to_str() {
            Some(CONF) => folder.is_unfinished() && !has_checksum(&fs::read(entry.path())?),
            Some(name) => name.starts_with("snap.") && name.ends_with(".generating"),
            None => false,
        };
        if is_leftover {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Returns true if `conf` ends with the checksum of the bytes before it.
fn has_checksum(conf: &[u8]) -> bool {
    conf.split_last_chunk()
        .is_some_and(|(text, checksum)| crc32fast::hash(text) == u32::from_le_bytes(*checksum))
}
