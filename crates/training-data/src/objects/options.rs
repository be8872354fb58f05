//! The options of object storage.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The options of object storage.
#[derive(Clone)]
#[non_exhaustive]
pub struct ObjectOptions {
    /// The folder for uploads until they are validated; `None` is the system's. If the system allows it, the
    /// files there have no name and end with the process.
    pub temporary_folder: Option<PathBuf>,
    /// The size of a part in bytes. A smaller content is sent with one request. Services require at least 5
    /// MiB, and allow at most 10 000 parts.
    pub part_bytes: usize,
    /// The number of concurrent parts of one upload.
    pub parts_of_an_upload: usize,
    /// The number of concurrent parts of all uploads. Each is in memory.
    pub parts: usize,
    /// The time-out of a connection.
    pub connect_timeout: Duration,
    /// The time-out of a request, including its response.
    pub request_timeout: Duration,
    /// The number of retries of a request, if they are safe.
    pub retries: usize,
    /// The pause before the first retry; it grows from one to the next.
    pub first_pause: Duration,
    /// The time after which there are no further retries.
    pub retry_timeout: Duration,
    /// Settings of the service in addition to the environment, under the same names, such as `aws_endpoint`.
    /// An unknown setting is an error.
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
