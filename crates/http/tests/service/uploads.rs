//! DATA over HTTP: uploads, the list of data, and the contents that uploads leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::MemoryStore;
use custom_models_core::access::{Limits, Scope};
use custom_models_core::model::DataType;
use custom_models_http::Options;
use custom_models_training_data::{ContentStore, Folder};
use tempfile::TempDir;

use crate::support::{Answer, Behaviour, MODELS, NAMED, Server, head};

pub(crate) const FLAC: &[u8] = include_bytes!("../../../training-data/tests/audio/tone.flac");
const MP3: &[u8] = include_bytes!("../../../training-data/tests/audio/tone.mp3");
pub(crate) const TYPE: &str = "multipart/form-data; boundary=b0";
pub(crate) const UPLOADED: &str = r#"{"message":"Training data uploaded","data_type":"train","filename":"a.flac","transcript_filename":"a.txt","training_status":1}"#;

/// Starts a server with a content store, a key and a model.
pub(crate) struct Uploads {
    pub(crate) server: Server,
    pub(crate) place: TempDir,
    pub(crate) key: String,
}

pub(crate) fn uploads() -> Uploads {
    uploads_with(|_| {})
}

pub(crate) fn uploads_with(change: impl FnOnce(&mut Options)) -> Uploads {
    let place = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.contents = Some(Arc::new(Folder::open(place.path(), &MemoryStore::new()).unwrap()));
    change(&mut options);
    let server = Server::start(Limits::NONE, options);
    let key = server.any_key();
    // A server of little patience may not have the model made in time.
    assert!((0..10_000).any(|_| server.create(&key, NAMED).status == 201));
    Uploads { server, place, key }
}

impl Uploads {
    fn put(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.put_by(&self.key, &format!("{MODELS}/1/data"), headers, body)
    }

    pub(crate) fn put_by(
        &self,
        key: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut all = vec![("Authorization", key)];
        all.extend(headers);
        let mut client = self.server.connect();
        client.write(head("PUT", path, &all, Some(body.len())));
        client.try_write(body);
        client.answer()
    }

    pub(crate) fn upload(&self) -> Answer {
        self.put(&[("Content-Type", TYPE)], &right())
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.place.path())
    }

    /// Uploads to a store that holds the commit back, with a short time-out.
    fn upload_late(&self) {
        self.server.store.behave(Behaviour::Holds);
        // Of those that are late already before, nothing stays.
        let late = std::iter::repeat_with(|| self.upload()).take(10_000);
        let late = { late }.find(|answer| answer.body.contains("OUTCOME_UNKNOWN")).unwrap();
        late.refuses(503, "OUTCOME_UNKNOWN");
        self.server.store.wait_for_held_writes(1);
        self.has_files(2);
    }

    /// Waits until so many files are there: contents are removed in the background.
    pub(crate) fn has_files(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.files().len() != count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", self.files());
            std::thread::yield_now();
        }
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.server.request("DELETE", path, &[("Authorization", &self.key)], "")
    }
}

fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    // The mark of the folder is no content.
    let is_content =
        |path: &PathBuf| path.extension().is_none_or(|it| it != "json" && it != "lock");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_content);
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Returns a body of parts by name, file name and content, with the boundary `b0`.
fn body(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    between("b0", parts)
}

fn between(boundary: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, filename, content) in parts {
        let filename = filename.map_or_else(String::new, |it| format!("; filename=\"{it}\""));
        let said = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n"
        );
        body.extend(said.as_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    body
}

pub(crate) fn right() -> Vec<u8> {
    body(&RIGHT)
}

const RIGHT: [(&str, Option<&str>, &[u8]); 3] = [
    ("type", None, b"train"),
    ("audio_file", Some("a.flac"), FLAC),
    ("transcript_file", Some("a.txt"), b"The rhythm is regular."),
];

#[test]
fn data_1_and_data_6_an_upload_is_confirmed_and_listed() {
    let uploads = uploads();
    uploads.upload().is(200, UPLOADED).has("etag", "\"2\"");
    let list = r#"{"count":1,"total_results":1,"result":[{"id":1,"data_type":"train","audio_millis":1000,"audio":{"filename":"a.flac","bytes":12096,"sha256":"SHA"},"transcript":{"filename":"a.txt","bytes":22,"sha256":"TEXT"},"created_at":"2023-11-14T22:13:20Z"}]}"#;
    let digest = |bytes| custom_models_core::store::NewIdempotencyRecord::digest(bytes).to_string();
    let list = list.replace("SHA", &digest(FLAC)).replace("TEXT", &digest(RIGHT[2].2));
    uploads.server.get(&uploads.key, &format!("{MODELS}/1/data")).is(200, &list);
    assert_eq!(uploads.files().len(), 2);
    assert_eq!(uploads.server.get(&uploads.key, &format!("{MODELS}/1")).status, 200);
}

#[test]
fn data_2_all_violations_of_an_upload_are_listed() {
    let uploads = uploads();
    let wrong = body(&[
        ("type", None, b"training"),
        ("audio_file", Some("a.wav"), MP3),
        ("transcript_file", Some("a.txt"), b"\xFF"),
    ]);
    uploads.put(&[("Content-Type", TYPE), ("Idempotency-Key", "a b")], &wrong).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"idempotency_key":"Idempotency key must be 1 to 255 visible ASCII characters","type":"Type must be train or test","audio_file":"Audio file is of another format than its name says: it is MP3","transcript_file":"Transcript file is not a text in UTF-8 but looks like text in Windows-1252 or the like: save it as UTF-8"}}"#,
    );
    uploads.put(&[("Content-Type", TYPE)], &body(&[])).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"type":"Type is required","audio_file":"Audio file is required","transcript_file":"Transcript file is required"}}"#,
    );
    assert!(uploads.files().is_empty());
}

#[test]
fn data_2_a_body_that_is_not_multipart_is_a_violation() {
    let uploads = uploads();
    let broken = r#"{"error":"Validation Error","message":"Invalid field values","details":{"body":"Request body is not valid multipart/form-data"}}"#;
    let mut cut = right();
    cut.truncate(cut.len() - 10);
    for wrong in [&b"no parts"[..], b"", &cut, b"--b0\r\nno header\r\n\r\n\r\n--b0--\r\n"] {
        uploads.put(&[("Content-Type", TYPE)], wrong).is(400, broken);
    }
    let endless = [b"--b0\r\nX: ".to_vec(), vec![b'x'; 3 << 20]].concat();
    uploads.put(&[("Content-Type", TYPE)], &endless).is(400, broken);
    assert!(uploads.files().is_empty());
}

#[test]
fn data_3_a_large_upload_is_refused_before_it_is_sent() {
    let uploads = uploads();
    let mut client = uploads.server.connect();
    let headers = [("Authorization", &*uploads.key), ("Content-Type", TYPE)];
    client.write(head("PUT", &format!("{MODELS}/1/data"), &headers, Some(30 << 30)));
    client.answer().is(
        413,
        r#"{"error":"Payload Too Large","message":"A file cannot exceed 10737418240 bytes","error_code":"PAYLOAD_TOO_LARGE"}"#,
    );
}

#[test]
fn data_3_an_upload_that_breaks_off_or_stalls_leaves_nothing() {
    let uploads = uploads_with(|options| options.body_timeout = Duration::from_millis(300));
    let headers = [("Authorization", &*uploads.key), ("Content-Type", TYPE)];
    let right = right();
    let begin = || {
        let mut client = uploads.server.connect();
        client.write(head("PUT", &format!("{MODELS}/1/data"), &headers, Some(right.len())));
        client.write(&right[..right.len() / 2]);
        client
    };
    let left = begin();
    uploads.has_files(1);
    drop(left);
    uploads.has_files(0);
    let mut stalled = begin();
    assert_eq!(stalled.answer().status, 408);
    uploads.has_files(0);
    uploads
        .server
        .get(&uploads.key, &format!("{MODELS}/1/data"))
        .is(200, r#"{"count":0,"total_results":0,"result":[]}"#);
}

#[test]
fn data_3_the_number_of_uploads_at_a_time_is_limited() {
    let uploads = uploads_with(|options| options.uploads_at_once = 1);
    let headers = [("Authorization", &*uploads.key), ("Content-Type", TYPE)];
    let right = right();
    let mut first = uploads.server.connect();
    first.write(head("PUT", &format!("{MODELS}/1/data"), &headers, Some(right.len())));
    first.write(&right[..right.len() / 2]);
    uploads.has_files(1);
    uploads.upload().refuses(503, "SHARE_EXCEEDED").has("retry-after", "1");
    first.write(&right[right.len() / 2..]);
    assert_eq!(first.answer().status, 200);
    assert_eq!(uploads.upload().status, 200);
}

/// Sweeps contents with a store that refers to none of them, so that all without a lock are removed.
fn unrelated_store(place: &Path) -> (MemoryStore, Folder) {
    let store = MemoryStore::new();
    let contents = Folder::open(place, &store).unwrap().with_min_age(Duration::ZERO);
    (store, contents)
}

/// A sweep leaves the contents of a pair that may still be committed, and removes those of a pair that was not.
#[test]
fn data_4_an_upload_that_timed_out_keeps_its_contents_until_it_is_done() {
    let uploads = uploads_with(|options| options.store_timeout = Duration::from_millis(1));
    let (store, contents) = unrelated_store(uploads.place.path());
    let sweep = || contents.sweep(&store).unwrap().files;
    uploads.upload_late();
    assert_eq!(sweep(), 0);
    uploads.server.store.behave(Behaviour::Works);
    let begun = std::time::Instant::now();
    while sweep() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "somebody holds them still");
        std::thread::yield_now();
    }
}

/// A pair that is committed after the service has ended, while the store still runs, refers to contents too.
#[test]
fn data_4_an_upload_that_is_undecided_at_the_shutdown_keeps_its_contents() {
    let uploads = uploads_with(|options| options.store_timeout = Duration::from_millis(1));
    uploads.upload_late();
    let Uploads { server, place, .. } = uploads;
    server.ended();
    let (store, contents) = unrelated_store(place.path());
    assert_eq!(contents.sweep(&store).unwrap().files, 0);
}

#[test]
fn data_4_the_same_upload_again_is_another_pair_and_chunks_do_not_matter() {
    let uploads = uploads();
    uploads.upload().is(200, UPLOADED);
    let mut client = uploads.server.connect();
    let headers = [
        ("Authorization", &*uploads.key),
        ("Content-Type", TYPE),
        ("Transfer-Encoding", "chunked"),
    ];
    client.write(head("PUT", &format!("{MODELS}/1/data"), &headers, None));
    for chunk in right().chunks(777) {
        client.write(format!("{:x}\r\n", chunk.len()));
        client.write(chunk);
        client.write("\r\n");
    }
    client.write("0\r\n\r\n");
    client.answer().is(200, UPLOADED).has("etag", "\"3\"");
    assert_eq!(uploads.files().len(), 4);
}

#[test]
fn data_5_the_upload_that_makes_5_hours_makes_the_model_ready() {
    let uploads = uploads();
    uploads.server.has_data("acme", 1, DataType::Train, 17_999);
    let ready = UPLOADED.replace(r#""training_status":1"#, r#""training_status":2"#);
    uploads.upload().is(200, &ready);
    let run = format!("{MODELS}/1/run");
    assert_eq!(uploads.server.post(&uploads.key, &run, "{}").status, 200);
    uploads.upload().refuses(409, "TRAINING_IN_PROGRESS");
    assert_eq!(uploads.files().len(), 2);
}

#[test]
fn edit_4_an_upload_honours_if_match() {
    let uploads = uploads();
    let with = |tag| [("Content-Type", TYPE), ("If-Match", tag)];
    uploads.put(&with("\"7\""), &right()).refuses(412, "PRECONDITION_FAILED");
    uploads.put(&with("\"1\""), &right()).is(200, UPLOADED);
    uploads.put(&with("\"1\""), &right()).refuses(412, "PRECONDITION_FAILED");
    assert_eq!(uploads.files().len(), 2);
}

#[test]
fn edit_4_of_16_uploads_at_once_all_are_made() {
    let uploads = &uploads_with(|options| options.organisation_share = 100);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| uploads.upload().status)).collect();
        let statuses = all.into_iter().map(|upload| upload.join().unwrap());
        assert_eq!(statuses.collect::<Vec<_>>(), [200; 16]);
    });
    let listed = uploads.server.get(&uploads.key, &format!("{MODELS}/1/data"));
    assert!(listed.body.starts_with(r#"{"count":16,"#), "{}", listed.body);
    assert_eq!(uploads.files().len(), 32);
}

#[test]
fn order_an_upload_is_judged_by_key_model_state_revision_type_and_body() {
    let uploads = uploads();
    let reader = uploads.server.key(2, "acme", &[Scope::Read]);
    let other = uploads.server.key(3, "other", &Scope::ALL);
    let path = format!("{MODELS}/1/data");
    assert_eq!(uploads.put_by("Bearer x", &path, &[], b"").status, 401);
    uploads.put_by(&reader, &path, &[], b"").refuses(403, "INSUFFICIENT_SCOPE");
    uploads.put_by(&other, &path, &[], b"").refuses(404, "MODEL_NOT_FOUND");
    uploads.put(&[("If-Match", "\"7\"")], b"").refuses(412, "PRECONDITION_FAILED");
    let not_parts = r#"{"error":"Unsupported Media Type","message":"Content-Type must be multipart/form-data","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#;
    for said in ["text/plain", "multipart/form-data", "multipart/mixed; boundary=b0"] {
        uploads.put(&[("Content-Type", said)], &right()).is(415, not_parts);
    }
    uploads.put(&[], &right()).is(415, not_parts);
    uploads.server.get(&reader, &path).is(200, r#"{"count":0,"total_results":0,"result":[]}"#);
    uploads.server.get(&other, &path).refuses(404, "MODEL_NOT_FOUND");
    uploads.server.request("POST", &path, &[], "").is(
        405,
        r#"{"error":"Method Not Allowed","message":"This path does not take this method","error_code":"METHOD_NOT_ALLOWED"}"#,
    );
}

#[test]
fn idem_1_a_repeated_upload_gets_the_first_response_and_is_stored_once() {
    let uploads = uploads();
    let with = |said| [("Content-Type", said), ("Idempotency-Key", "k")];
    uploads.put(&with(TYPE), &right()).is(200, UPLOADED).has_no("idempotency-replayed");
    let replayed = uploads.put(&with(TYPE), &right());
    replayed.is(200, UPLOADED).has("idempotency-replayed", "true");
    // Another boundary is the same request, another content is another.
    let other = between("b1", &RIGHT);
    let replayed = uploads.put(&with("multipart/form-data; boundary=b1"), &other);
    replayed.is(200, UPLOADED).has("idempotency-replayed", "true");
    let test = [("type", None, &b"test"[..]), RIGHT[1], RIGHT[2]];
    uploads.put(&with(TYPE), &body(&test)).refuses(422, "IDEMPOTENCY_KEY_REUSED");
    uploads.put(&with("application/json"), b"{}").refuses(422, "IDEMPOTENCY_KEY_REUSED");
    uploads.has_files(2);
}

#[test]
fn a_service_without_a_content_store_has_no_routes_for_data() {
    let server = Server::new();
    let key = server.any_key();
    assert_eq!(server.create(&key, NAMED).status, 201);
    server.get(&key, &format!("{MODELS}/1/data")).refuses(404, "ROUTE_NOT_FOUND");
}
