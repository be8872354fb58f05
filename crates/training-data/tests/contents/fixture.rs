//! The storages that the suite runs on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use custom_models_training_data::{Folder, ObjectOptions, Objects, Root};
use tempfile::TempDir;

use crate::server::Server;

/// A storage for contents, with ways to change it from outside.
pub(crate) trait Place {
    fn root(&self) -> Root;

    /// Returns a copy of everything in another place.
    fn copied(&self) -> Box<dyn Place>;

    /// Returns the names of all entries, relative to the root.
    fn names(&self) -> BTreeSet<String>;

    /// Makes an entry two hours older.
    fn age(&self, name: &str);

    /// Removes an entry.
    fn remove(&self, name: &str);

    /// Writes an entry.
    fn write(&self, name: &str, text: &str);

    /// Returns the name of the part that a process leaves if it is killed while it writes a content.
    fn half(&self, content: &str) -> String;
}

/// A folder on a disk.
pub(crate) struct OnDisk(TempDir);

impl OnDisk {
    pub(crate) fn new() -> Self {
        OnDisk(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Place for OnDisk {
    fn root(&self) -> Root {
        self.path().into()
    }

    fn copied(&self) -> Box<dyn Place> {
        let copy = OnDisk::new();
        for name in self.names() {
            copy.write(&name, &fs::read_to_string(self.path().join(&name)).unwrap());
        }
        Box::new(copy)
    }

    fn names(&self) -> BTreeSet<String> {
        fn below(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                if entry.path().is_dir() {
                    below(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.insert(name);
                }
            }
        }
        let mut names = BTreeSet::new();
        below(&self.path(), "", &mut names);
        names.remove("custom-models.lock");
        names
    }

    fn age(&self, name: &str) {
        let then = SystemTime::now() - Folder::MIN_AGE * 2;
        let file = File::options().append(true).open(self.path().join(name)).unwrap();
        file.set_modified(then).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn half(&self, content: &str) -> String {
        format!("{content}.part")
    }
}

/// A prefix in the bucket of a server.
pub(crate) struct InBucket {
    server: Arc<Server>,
    prefix: String,
}

/// The size of parts, the smallest that S3 accepts.
pub(crate) const PART: usize = 5 << 20;

impl InBucket {
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("prefix/{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        InBucket { server: Arc::clone(server), prefix }
    }

    /// Returns the objects, reached through a port.
    pub(crate) fn objects(&self, port: u16) -> Objects {
        Objects::at(&format!("s3://data/{}", self.prefix), InBucket::options(port)).unwrap()
    }

    pub(crate) fn options(port: u16) -> ObjectOptions {
        let mut options = ObjectOptions::default();
        options.part_bytes = PART;
        options.first_pause = Duration::from_millis(1);
        options.retries = 3;
        let endpoint = format!("http://127.0.0.1:{port}");
        options.settings = [
            ("aws_access_key_id", "AKIAOPENSESAME"),
            ("aws_secret_access_key", "opensesame"),
            ("aws_region", "us-east-1"),
            ("aws_endpoint", &endpoint),
            ("allow_http", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        options
    }

    /// Returns the number of unfinished multipart uploads.
    pub(crate) fn uploads(&self) -> String {
        self.server.told(&["uploads", &self.key("")]).concat()
    }

    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The key of an object.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

impl Place for InBucket {
    fn root(&self) -> Root {
        self.objects(self.server.port()).into()
    }

    fn copied(&self) -> Box<dyn Place> {
        let copy = InBucket::new(&self.server);
        self.server.told(&["copy", &self.key(""), &copy.key("")]);
        Box::new(copy)
    }

    fn names(&self) -> BTreeSet<String> {
        self.server.told(&["keys", &self.key("")]).into_iter().collect()
    }

    fn age(&self, name: &str) {
        self.server.told(&["age", &self.key(name)]);
    }

    fn remove(&self, name: &str) {
        self.server.told(&["delete", &self.key(name)]);
    }

    fn write(&self, name: &str, text: &str) {
        self.server.told(&["put", &self.key(name), text]);
    }

    fn half(&self, content: &str) -> String {
        format!("{content}.writing")
    }
}
