//! Kernel events about the names in the folder of a database.

#[cfg(target_os = "linux")]
pub(crate) use linux::FolderEvents;
#[cfg(not(target_os = "linux"))]
pub(crate) use none::FolderEvents;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::canonicalize;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
    use rustix::fs::statfs;
    use rustix::io::ioctl_fionread;

    /// An inotify queue: files in one folder that lost their names, and moves of that folder or of
    /// a folder above it.
    ///
    /// The kernel queues an event before the call that causes it returns. So the result of a check
    /// stays valid as long as nothing was queued since the check began. Not reported: mounts over a
    /// folder, and moves of folders that this user may not read.
    pub(crate) struct FolderEvents {
        queue: OwnedFd,
        /// True once a folder was moved or its watch ended. Another folder may have its name since.
        is_stale: AtomicBool,
    }

    /// The events by which a file can lose its name. Creating a new name is not one.
    const NAME_LOST: WatchFlags =
        WatchFlags::MOVED_FROM.union(WatchFlags::MOVED_TO).union(WatchFlags::DELETE);

    impl FolderEvents {
        /// Starts to watch the folder of a file. Returns `None` if events could be missed (network
        /// file systems, symbolic links) or the system has no watch left.
        pub(crate) fn of(file: &Path) -> Option<Self> {
            let folder = file.parent()?;
            if canonicalize(file).ok()? != file || !is_local(folder) {
                return None;
            }
            let queue = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            add_watch(&queue, folder, NAME_LOST | WatchFlags::MOVE_SELF).ok()?;
            for above in folder.ancestors().skip(1) {
                let _ = add_watch(&queue, above, WatchFlags::MOVE_SELF);
            }
            Some(FolderEvents { queue, is_stale: AtomicBool::new(false) })
        }

        /// Returns true if an event is queued, or may have been missed.
        pub(crate) fn has_pending(&self) -> bool {
            self.is_stale.load(Ordering::SeqCst) || ioctl_fionread(&self.queue) != Ok(0)
        }

        /// Takes one buffer of events from the queue.
        pub(crate) fn drain(&self) {
            const END: ReadFlags =
                ReadFlags::MOVE_SELF.union(ReadFlags::IGNORED).union(ReadFlags::UNMOUNT);
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = Reader::new(&self.queue, &mut buffer);
            while let Ok(event) = events.next() {
                if event.events().intersects(END) {
                    self.is_stale.store(true, Ordering::SeqCst);
                }
                if events.is_buffer_empty() {
                    break;
                }
            }
        }
    }

    /// Returns true if the file system is one that only this kernel changes.
    fn is_local(folder: &Path) -> bool {
        // ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, tmpfs and overlayfs.
        const LOCAL: [u32; 8] = [
            0x0000_EF53,
            0x5846_5342,
            0x9123_683E,
            0xF2F5_2010,
            0x2FC1_2FC1,
            0xCA45_1A4E,
            0x0102_1994,
            0x794C_7630,
        ];
        // The type of `f_type` depends on the platform.
        let magic = statfs(folder).ok().and_then(|found| u32::try_from(found.f_type).ok());
        magic.is_some_and(|magic| LOCAL.contains(&magic))
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::path::Path;

    /// A system without such events.
    pub(crate) enum FolderEvents {}

    impl FolderEvents {
        pub(crate) fn of(_: &Path) -> Option<Self> {
            None
        }

        pub(crate) fn has_pending(&self) -> bool {
            match *self {}
        }

        pub(crate) fn drain(&self) {
            match *self {}
        }
    }
}
