//! The bound that the disk sets: the bytes of a group appended to a file, then one sync, and nothing else.
//! A group is as large as there are callers, which is the most that can wait at a time.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use crate::disk::Disk;
use crate::variant::Variant;

/// The bound, as tables show it.
pub const BOUND: &str = "append + fdatasync";

/// About what a model takes.
const BYTES: usize = 270;

/// Appends and syncs in groups of `callers`.
pub fn variant(disk: &Disk, callers: usize) -> Variant<'_> {
    Variant::timed(BOUND, move |times| {
        let folder = disk.fresh();
        let mut file = File::create(folder.path().join("log")).expect("the file is made");
        let group = vec![b'x'; BYTES * callers];
        let mut left = times as usize;
        let start = Instant::now();
        while left > 0 {
            let size = left.min(callers);
            file.write_all(&group[..BYTES * size]).expect("the bytes are written");
            file.sync_data().expect("the bytes are synced");
            left -= size;
        }
        start.elapsed()
    })
}
