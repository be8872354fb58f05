//! The settings of a place for objects.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The settings of a place for objects.
#[derive(Clone)]
#[non_exhaustive]
pub struct ObjectOptions {
    /// The folder that uploads are written to until they are judged; `None` is that of the system. They have no name
    /// there where the system can do that, and go with the process.
    pub temporary_folder: Option<PathBuf>,
    /// The size of a part in bytes. What is not larger is sent as a whole. Services take 5 MiB at least, and 10 000
    /// parts at most.
    pub part_bytes: usize,
    /// The number of parts of an upload that are sent at a time.
    pub parts_of_an_upload: usize,
    /// The number of parts of all uploads that are sent at a time. Each is in memory.
    pub parts: usize,
    /// The time that a connection may take.
    pub connect_timeout: Duration,
    /// The time that a request may take, with its answer.
    pub request_timeout: Duration,
    /// The number of times that a request is made again, where that is safe.
    pub retries: usize,
    /// The time before the first of them; it grows from one to the next.
    pub first_pause: Duration,
    /// The time after which none is made any more.
    pub retry_timeout: Duration,
    /// Settings of the service beside those of the environment, under the names that they have there, such as
    /// `aws_endpoint`. An unknown one is an error.
    pub settings: Vec<(String, String)>,
}

impl Default for ObjectOptions {
    fn default() -> Self {
        ObjectOptions {
            temporary_folder: None,
            part_bytes: 8 << 20,
            parts_of_an_upload: 4,
            parts: 16,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(120),
            retries: 5,
            first_pause: Duration::from_millis(100),
            retry_timeout: Duration::from_secs(180),
            settings: Vec::new(),
        }
    }
}

/// Shows no values of settings, which may be secrets.
impl fmt::Debug for ObjectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectOptions").finish_non_exhaustive()
    }
}
