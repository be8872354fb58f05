//! Files of sled's that a kill or a full disk left half-made, which sled takes for whole ones the next time.
//!
//! When sled is opened, it writes a snapshot beside its place, `snap.*.generating`, and renames it. It takes
//! whatever begins with `snap.` for a snapshot, so a half-made one is damage to it, for good. Nothing is lost
//! with that file: the snapshot before is removed only after the renaming, and a snapshot says no more than
//! where in the log things are, which sled finds out again from the one before or from the whole log.
//!
//! A new folder gets `conf` in two writes, the second one its checksum. Sled reads it with a wrong checksum too,
//! and then without its last bytes.

use std::fs;
use std::io;

use crate::database::folder::Folder;

/// The file with sled's settings, which are the same for every store.
const CONF: &str = "conf";

/// Removes what is half-made from a folder that sled is about to open. The folder must be locked.
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
