//! Uploads from disk, memory and streams, and their progress.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_models_client::{Error, Progress, Upload, UploadFile};
use custom_models_core::model::DataType;
use custom_models_core::store::StoreErrorKind;
use custom_models_http::Rejection;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::support::{Service, named};

const FLAC: &[u8] = include_bytes!("../../../training-data/tests/audio/tone.flac");

pub(crate) fn upload() -> Upload {
    let audio = UploadFile::from_bytes("a.flac", FLAC);
    Upload::new(DataType::Train, audio, UploadFile::from_bytes("a.txt", "One tablet"))
}

/// Returns the audio of 100 000 samples and more, as a WAV file.
fn wav() -> Vec<u8> {
    let samples = 200_000_u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend(32_000_u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(samples.to_le_bytes());
    bytes.resize(bytes.len() + samples as usize, 1);
    bytes
}

/// Keeps what an upload reports.
fn watched(upload: Upload) -> (Upload, Arc<Mutex<Vec<Progress>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reports);
    (upload.on_progress(move |progress| kept.lock().unwrap().push(progress)), reports)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_from_disk_with_their_names_and_progress() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    let folder = tempfile::tempdir().unwrap();
    let (audio, text) = (folder.path().join("größe 1.wav"), folder.path().join("b.txt"));
    std::fs::write(&audio, wav()).unwrap();
    std::fs::write(&text, "Zwei Tabletten").unwrap();
    let total = (wav().len() + 14) as u64;
    let files = (UploadFile::from_path(&audio), UploadFile::from_path(&text));
    let (upload, reports) = watched(Upload::new(DataType::Test, files.0, files.1));
    let uploaded = client.upload(id, &upload).await.unwrap();
    assert_eq!((&*uploaded.filename, uploaded.data_type), ("größe 1.wav", DataType::Test));
    let pairs: Vec<_> = client.pairs(id).try_collect().await.unwrap();
    assert_eq!((pairs[0].audio.bytes, pairs[0].transcript.bytes), (wav().len() as u64, 14));

    let reports = reports.lock().unwrap();
    assert!(reports.len() > 3, "{reports:?}");
    assert!(reports.iter().all(|report| report.total == Some(total)));
    assert!(reports.is_sorted_by(|a, b| a.sent < b.sent));
    assert_eq!(reports.last().unwrap().sent, total);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_sent_again_from_its_beginning() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    service.fails(1, || Rejection::from(StoreErrorKind::Busy));
    let (upload, reports) = watched(upload());
    client.upload(id, &upload).await.unwrap();
    assert_eq!(service.waits().len(), 1);
    let sent = reports.lock().unwrap().last().unwrap().sent;
    assert_eq!(sent, (FLAC.len() + 10) as u64);
    assert_eq!(client.pairs(id).count().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_sent_once() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    let streamed = |length| {
        let chunks = FLAC.chunks(100).map(|it| Ok(it.into()));
        let audio = UploadFile::from_stream("a.flac", length, stream::iter(chunks));
        Upload::new(DataType::Train, audio, UploadFile::from_bytes("a.txt", "One tablet"))
    };
    client.upload(id, &streamed(None)).await.unwrap();
    let known = streamed(Some(FLAC.len() as u64));
    client.upload(id, &known).await.unwrap();
    assert!(matches!(client.upload(id, &known).await, Err(Error::File { .. })));
    service.fails(1, || Rejection::from(StoreErrorKind::Busy));
    assert!(matches!(client.upload(id, &streamed(None)).await, Err(Error::Refused(_))));
    assert_eq!((service.waits(), client.pairs(id).count().await), (vec![], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_named() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    let folder = tempfile::tempdir().unwrap();
    let text = UploadFile::from_bytes("a.txt", "One tablet");
    let broken = stream::iter([Ok(FLAC.into()), Err(io::Error::other("torn cable"))]);
    for (audio, named) in [
        (UploadFile::from_path(folder.path().join("none.wav")), "none.wav"),
        (UploadFile::from_path(folder.path()).named("folder"), "folder"),
        (UploadFile::from_stream("torn.flac", None, broken), "torn.flac"),
    ] {
        let failed = client.upload(id, &Upload::new(DataType::Train, audio, text.clone())).await;
        let Err(Error::File { name, .. }) = failed else { panic!("{failed:?}") };
        assert_eq!(name, named);
    }
    assert_eq!(client.pairs(id).count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stalls_ends() {
    let service = Service::start().await;
    let client = service.builder().stall_timeout(Duration::from_millis(50)).build().unwrap();
    let id = client.create(&named("n")).await.unwrap().id;
    let silent = stream::iter([Ok(FLAC.into())]).chain(stream::pending());
    let audio = UploadFile::from_stream("a.flac", None, silent);
    let text = UploadFile::from_bytes("a.txt", "One tablet");
    let stalled = client.upload(id, &Upload::new(DataType::Train, audio, text)).await;
    let Err(Error::Transport(fault)) = stalled else { panic!("{stalled:?}") };
    assert!(fault.is_timeout());
}
