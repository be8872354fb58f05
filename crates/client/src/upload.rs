//! Uploads: a multipart body that is read from its files while it is sent.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use custom_models_core::model::{DataType, Expected};
use custom_models_core::store::IdempotencyKey;
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::error::{Error, Transport};
use crate::received::Received;

/// The number of bytes of a file that are read at a time.
const CHUNK: usize = 1 << 16;

/// The bytes of a file, as a stream of the host's.
pub type FileBytes = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A pair of audio and transcript to upload.
///
/// ```no_run
/// use custom_models_client::{Client, Error, Upload, UploadFile};
/// use custom_models_core::ModelId;
/// use custom_models_core::model::DataType;
///
/// # async fn example(client: Client, id: ModelId) -> Result<(), Error> {
/// let audio = UploadFile::from_path("dictation.flac");
/// let transcript = UploadFile::from_bytes("dictation.txt", "One tablet a day");
/// let upload = Upload::new(DataType::Train, audio, transcript)
///     .on_progress(|progress| println!("{} of {:?} bytes", progress.sent, progress.total));
/// println!("{}", client.upload(id, &upload).await?.message);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "an upload is sent by `Client::upload`"]
pub struct Upload {
    data_type: DataType,
    audio: UploadFile,
    transcript: UploadFile,
    expected: Expected,
    key: Option<IdempotencyKey>,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

/// The progress of one attempt to send an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes of both files that were handed to the connection. A new attempt begins at zero.
    pub sent: u64,
    /// The bytes of both files; `None` if a stream does not say.
    pub total: Option<u64>,
}

/// A file of an upload, with the name that the service shows.
#[derive(Clone)]
pub struct UploadFile {
    name: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Path(PathBuf),
    Bytes(Bytes),
    /// The stream, until it is taken, and its length.
    Stream(Arc<Mutex<Option<FileBytes>>>, Option<u64>),
}

impl UploadFile {
    /// Returns a file on the disk, which is opened for each attempt.
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        UploadFile { name, source: Source::Path(path.to_owned()) }
    }

    /// Returns a file in memory.
    pub fn from_bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        UploadFile { name: name.into(), source: Source::Bytes(bytes.into()) }
    }

    /// Returns a file of which the bytes come from a stream, with their number if that is known. It can be read once, so
    /// an upload with it is sent once.
    pub fn from_stream(
        name: impl Into<String>,
        length: Option<u64>,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        let stream: FileBytes = Box::pin(bytes);
        let source = Source::Stream(Arc::new(Mutex::new(Some(stream))), length);
        UploadFile { name: name.into(), source }
    }

    /// Replaces the name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    async fn open(&self) -> Result<(FileBytes, Option<u64>), Error> {
        let failed = |source| Error::File { name: self.name.clone(), source };
        match &self.source {
            Source::Path(path) => {
                let file = File::open(path).await.map_err(failed)?;
                let found = file.metadata().await.map_err(failed)?;
                if found.is_dir() {
                    return Err(failed(io::ErrorKind::IsADirectory.into()));
                }
                let length = found.is_file().then_some(found.len());
                Ok((Box::pin(ReaderStream::with_capacity(file, CHUNK)), length))
            }
            Source::Bytes(bytes) => {
                // In pieces, for the progress.
                let mut rest = bytes.clone();
                let pieces = std::iter::from_fn(move || {
                    let piece = rest.split_to(rest.len().min(CHUNK));
                    (!piece.is_empty()).then_some(Ok(piece))
                });
                Ok((Box::pin(stream::iter(pieces)), Some(bytes.len() as u64)))
            }
            Source::Stream(stream, length) => {
                let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                let sent = || failed(io::Error::other("its stream was sent already"));
                Ok((stream.ok_or_else(sent)?, *length))
            }
        }
    }
}

impl Upload {
    /// Returns an upload of a pair.
    pub fn new(data_type: DataType, audio: UploadFile, transcript: UploadFile) -> Self {
        Upload {
            data_type,
            audio,
            transcript,
            expected: Expected::Anything,
            key: None,
            progress: Arc::new(|_| {}),
        }
    }

    /// Names the revisions at which the model may be changed.
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Names the upload with a key of the caller's, which outlives this process.
    pub fn with_key(mut self, key: IdempotencyKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Calls `progress` whenever bytes were handed to the connection.
    pub fn on_progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    pub(crate) fn expected(&self) -> &Expected {
        &self.expected
    }

    pub(crate) fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref()
    }

    pub(crate) fn can_be_sent_again(&self) -> bool {
        [&self.audio, &self.transcript].iter().all(|it| !matches!(it.source, Source::Stream(..)))
    }

    /// Sends the upload, unless it makes no progress for so long.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        stall_timeout: Duration,
    ) -> Result<Received, Error> {
        let (audio, audio_length) = self.audio.open().await?;
        let (transcript, transcript_length) = self.transcript.open().await?;
        let total = audio_length.zip(transcript_length).and_then(|(a, b)| a.checked_add(b));
        let frame = Frame::new(self);
        let length = total.and_then(|total| total.checked_add(frame.length()));
        let content_type = frame.content_type();
        let watch = Arc::new(Watch::default());
        let body = self.body(frame, audio, transcript, total, &watch);
        let request =
            request.header(CONTENT_TYPE, content_type).body(reqwest::Body::wrap_stream(body));
        let request = match length {
            Some(length) => request.header(CONTENT_LENGTH, length),
            None => request,
        };
        let response = async { Received::read(request.send().await?).await };
        tokio::select! {
            received = response => received.map_err(|error| watch.take_fault().unwrap_or(error)),
            () = watch.stalled(stall_timeout) => Err(Error::Transport(Transport::stalled())),
        }
    }

    fn body(
        &self,
        frame: Frame,
        audio: FileBytes,
        transcript: FileBytes,
        total: Option<u64>,
        watch: &Arc<Watch>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let (progress, mut sent) = (Arc::clone(&self.progress), 0_u64);
        let moved = Arc::clone(watch);
        let [first, second] =
            [(&self.audio, audio), (&self.transcript, transcript)].map(|(file, bytes)| {
                let (watch, name) = (Arc::clone(watch), file.name.clone());
                bytes.map_err(move |error| watch.keep_fault(&name, error)).boxed()
            });
        let text = |text: String| stream::once(async { Ok((Bytes::from(text), false)) });
        let content = |bytes: FileBytes| bytes.map_ok(|bytes| (bytes, true));
        text(frame.head)
            .chain(content(first))
            .chain(text(frame.middle))
            .chain(content(second))
            .chain(text(frame.end))
            .map_ok(move |(bytes, is_content)| {
                moved.has_moved.store(true, Ordering::Relaxed);
                if is_content {
                    sent = sent.saturating_add(bytes.len() as u64);
                    progress(Progress { sent, total });
                }
                bytes
            })
    }
}

/// The bytes of a body around the contents of its files.
struct Frame {
    boundary: String,
    head: String,
    middle: String,
    end: String,
}

impl Frame {
    fn new(upload: &Upload) -> Self {
        let boundary = Uuid::new_v4().simple().to_string();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\n{}\r\n{}",
            upload.data_type,
            file_head(&boundary, "audio_file", &upload.audio.name)
        );
        let transcript = file_head(&boundary, "transcript_file", &upload.transcript.name);
        let (middle, end) = (format!("\r\n{transcript}"), format!("\r\n--{boundary}--\r\n"));
        Frame { boundary, head, middle, end }
    }

    fn length(&self) -> u64 {
        (self.head.len() + self.middle.len() + self.end.len()) as u64
    }

    fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

/// Returns the head of a file's part. The name is escaped as browsers do it.
fn file_head(boundary: &str, part: &str, name: &str) -> String {
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{name}\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n"
    )
}

/// The state of a body that is being sent.
#[derive(Default)]
struct Watch {
    has_moved: AtomicBool,
    /// The reason why a file could not be read to its end.
    fault: Mutex<Option<Error>>,
}

impl Watch {
    /// Ready when nothing has moved for so long.
    async fn stalled(&self, timeout: Duration) {
        loop {
            tokio::time::sleep(timeout).await;
            if !self.has_moved.swap(false, Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Keeps the error of a file, and returns one that ends the body.
    fn keep_fault(&self, name: &str, source: io::Error) -> io::Error {
        let ended = io::Error::other("a file could not be read");
        let fault = Error::File { name: name.to_owned(), source };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        ended
    }

    fn take_fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("data_type", &self.data_type)
            .field("audio", &self.audio)
            .field("transcript", &self.transcript)
            .field("expected", &self.expected)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile").field("name", &self.name).finish_non_exhaustive()
    }
}
