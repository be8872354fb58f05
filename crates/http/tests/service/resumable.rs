//! Files that are sent in several requests (tus 1.0), and the training data that they become.

use std::time::Duration;

use custom_models_core::access::Scope;

use crate::support::{Answer, MODELS, head};
use crate::uploads::{FLAC, UPLOADED, Uploads, uploads, uploads_with};

const RESUMABLE: (&str, &str) = ("Tus-Resumable", "1.0.0");
const BYTES: (&str, &str) = ("Content-Type", "application/offset+octet-stream");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// `a.flac` and `a.txt`, as `Upload-Metadata`.
const AUDIO: &str = "filename YS5mbGFj,filetype YXVkaW8vZmxhYw==";
const TEXT: &str = "filename YS50eHQ=";

const WORDS: &[u8] = b"The rhythm is regular.";

impl Uploads {
    fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.tus_by(&self.key, method, path, headers, body)
    }

    fn tus_by(
        &self,
        key: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let all = [&[("Authorization", key), RESUMABLE], headers].concat();
        let mut client = self.server.connect();
        client.write(head(method, path, &all, Some(body.len())));
        client.try_write(body);
        let answer = client.answer_to(method);
        answer.has("tus-resumable", "1.0.0");
        answer
    }

    /// Begins an upload, and returns its path.
    fn begin(&self, length: usize, metadata: &str) -> String {
        let headers = [("Upload-Length", &*length.to_string()), ("Upload-Metadata", metadata)];
        let answer = self.tus("POST", "/api/v3/uploads", &headers, b"");
        assert_eq!((answer.status, &*answer.body), (201, ""), "{answer:?}");
        assert!(answer.headers.contains_key("upload-expires"));
        answer.headers["location"].clone()
    }

    fn append(&self, path: &str, offset: usize, bytes: &[u8]) -> Answer {
        self.tus("PATCH", path, &[BYTES, ("Upload-Offset", &offset.to_string())], bytes)
    }

    fn offset(&self, path: &str) -> String {
        let answer = self.tus("HEAD", path, &[], b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.has("cache-control", "no-store");
        answer.headers["upload-offset"].clone()
    }

    /// Sends a whole file, and returns its id.
    fn sent(&self, metadata: &str, bytes: &[u8]) -> String {
        let path = self.begin(bytes.len(), metadata);
        assert_eq!(self.append(&path, 0, bytes).status, 204);
        path.rsplit('/').next().unwrap().to_owned()
    }

    fn name(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let all = [&[("Authorization", &*self.key), JSON], headers].concat();
        self.server.request("PUT", &format!("{MODELS}/1/data"), &all, body)
    }
}

fn named(audio: &str, transcript: &str) -> String {
    format!(r#"{{"type":"train","audio_file":"{audio}","transcript_file":"{transcript}"}}"#)
}

#[test]
fn data_3_a_file_sent_in_several_requests_becomes_training_data() {
    let uploads = uploads();
    let path = uploads.begin(FLAC.len(), AUDIO);
    assert!(path.starts_with("/api/v3/uploads/"), "{path}");
    uploads.append(&path, 0, &FLAC[..5000]).is(204, "").has("upload-offset", "5000");
    assert_eq!(uploads.offset(&path), "5000");
    let shown = uploads.tus("HEAD", &path, &[], b"");
    shown.has("upload-length", &FLAC.len().to_string()).has("upload-metadata", AUDIO);
    let id = path.rsplit('/').next().unwrap().to_owned();
    let transcript = uploads.sent(TEXT, WORDS);
    // Not before it is whole.
    let early = uploads.name(&[], &named(&id, &transcript));
    early.refuses(409, "UPLOAD_UNFINISHED");
    assert!(early.body.contains(r#""details":{"offset":5000}"#), "{early:?}");
    uploads.append(&path, 5000, &FLAC[5000..]).is(204, "");
    let key = ("Idempotency-Key", "once");
    uploads.name(&[key], &named(&id, &transcript)).is(200, UPLOADED).has("etag", "\"2\"");
    // The contents alone are left, and a repeat needs no more.
    uploads.has_files(2);
    uploads.tus("HEAD", &path, &[], b"").has_no("upload-offset");
    let again = uploads.name(&[key], &named(&id, &transcript));
    again.is(200, UPLOADED).has("idempotency-replayed", "true");
    uploads.name(&[], &named(&id, &transcript)).refuses(404, "UPLOAD_NOT_FOUND");
    uploads.name(&[key], &named(&id, &id)).refuses(422, "IDEMPOTENCY_KEY_REUSED");
}

#[test]
fn data_3_what_arrives_before_a_connection_breaks_is_kept() {
    let uploads = uploads_with(|options| options.body_timeout = Duration::from_millis(300));
    let path = uploads.begin(FLAC.len(), AUDIO);
    let headers = [("Authorization", &*uploads.key), RESUMABLE, BYTES, ("Upload-Offset", "0")];
    let mut stalled = uploads.server.connect();
    stalled.write(head("PATCH", &path, &headers, Some(FLAC.len())));
    stalled.write(&FLAC[..3000]);
    assert_eq!(stalled.answer().status, 408);
    assert_eq!(uploads.offset(&path), "3000");
    let headers = [("Authorization", &*uploads.key), RESUMABLE, BYTES, ("Upload-Offset", "3000")];
    let mut cut = uploads.server.connect();
    cut.write(head("PATCH", &path, &headers, Some(FLAC.len() - 3000)));
    cut.write(&FLAC[3000..4000]);
    drop(cut);
    // The service may notice it only later.
    assert!((0..100_000).any(|_| uploads.offset(&path) == "4000"));
    let stale = uploads.append(&path, 3000, b"x");
    stale.refuses(409, "UPLOAD_OFFSET_MISMATCH");
    assert!(stale.body.contains(r#""details":{"offset":4000}"#), "{stale:?}");
    uploads.append(&path, 4000, &FLAC[4000..]).is(204, "");
}

#[test]
fn data_3_the_headers_of_an_upload_are_checked() {
    let uploads = uploads();
    let path = uploads.begin(3, AUDIO);
    for length in ["", "-1", "+1", "x", "99999999999999999999"] {
        let refused = uploads.tus("POST", "/api/v3/uploads", &[("Upload-Length", length)], b"");
        refused.refuses(400, "INVALID_UPLOAD_HEADER");
    }
    let beyond = uploads.tus("POST", "/api/v3/uploads", &[("Upload-Length", "10737418241")], b"");
    beyond.refuses(413, "PAYLOAD_TOO_LARGE");
    let metadata = [("Upload-Length", "1"), ("Upload-Metadata", "a a")];
    let refused = uploads.tus("POST", "/api/v3/uploads", &metadata, b"");
    refused.refuses(400, "INVALID_UPLOAD_HEADER");
    assert!(refused.body.contains(r#""details":{"header":"Upload-Metadata"}"#), "{refused:?}");
    uploads.tus("PATCH", &path, &[BYTES], b"abc").refuses(400, "INVALID_UPLOAD_HEADER");
    let offset = ("Upload-Offset", "0");
    uploads.tus("PATCH", &path, &[JSON, offset], b"abc").refuses(415, "UNSUPPORTED_MEDIA_TYPE");
    uploads.append(&path, 0, b"abcd").refuses(413, "PAYLOAD_TOO_LARGE");
    let unknown = [BYTES, offset, ("Upload-Checksum", "crc32 AAAAAA==")];
    uploads.tus("PATCH", &path, &unknown, b"abc").refuses(400, "INVALID_UPLOAD_HEADER");
    let wrong = [BYTES, offset, ("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    uploads.tus("PATCH", &path, &wrong, b"abc").refuses(460, "CHECKSUM_MISMATCH");
    assert_eq!(uploads.offset(&path), "0");
    let right = [BYTES, offset, ("Upload-Checksum", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=")];
    uploads.tus("PATCH", &path, &right, b"abc").is(204, "").has("upload-offset", "3");
}

#[test]
fn data_3_a_client_finds_out_about_the_protocol() {
    let uploads = uploads();
    let told = uploads.server.request("OPTIONS", "/api/v3/uploads", &[], "");
    told.is(204, "").has("tus-resumable", "1.0.0").has("tus-version", "1.0.0");
    told.has("tus-extension", "creation,termination,checksum,expiration");
    told.has("tus-checksum-algorithm", "sha1,sha256").has("tus-max-size", "10737418240");
    let headers = [("Authorization", &*uploads.key), ("Tus-Resumable", "0.2.2")];
    let other = uploads.server.request("POST", "/api/v3/uploads", &headers, "");
    other.refuses(412, "UNSUPPORTED_TUS_VERSION").has("tus-version", "1.0.0");
    // Around a proxy that takes no other method than POST.
    let path = uploads.begin(3, AUDIO);
    let patch = [BYTES, ("Upload-Offset", "0"), ("X-HTTP-Method-Override", "PATCH")];
    uploads.tus("POST", &path, &patch, b"abc").is(204, "").has("upload-offset", "3");
    let delete = [("X-HTTP-Method-Override", "DELETE")];
    uploads.tus("POST", &path, &delete, b"").is(204, "");
    let refused = uploads.tus("POST", &path, &[], b"");
    refused.refuses(405, "METHOD_NOT_ALLOWED").has("allow", "DELETE,HEAD,OPTIONS,PATCH");
    uploads.tus("DELETE", &path, &[], b"").refuses(404, "UPLOAD_NOT_FOUND");
}

#[test]
fn auth_2_an_upload_belongs_to_its_organisation() {
    let uploads = uploads();
    let path = uploads.begin(3, AUDIO);
    let other = uploads.server.key(7, "acme-2", &Scope::ALL);
    let by = |method, headers: &[(&str, &str)], body: &[u8]| {
        uploads.tus_by(&other, method, &path, headers, body)
    };
    assert_eq!(by("HEAD", &[], b"").status, 404);
    by("DELETE", &[], b"").refuses(404, "UPLOAD_NOT_FOUND");
    by("PATCH", &[BYTES, ("Upload-Offset", "0")], b"abc").refuses(404, "UPLOAD_NOT_FOUND");
    let reader = uploads.server.key(8, "acme", &[Scope::Read]);
    uploads.tus_by(&reader, "DELETE", &path, &[], b"").refuses(403, "INSUFFICIENT_SCOPE");
    assert_eq!(uploads.tus_by("Bearer x", "DELETE", &path, &[], b"").status, 401);
    assert_eq!(uploads.offset(&path), "0");
    let elsewhere = format!("{path}/..%2F..");
    assert_eq!(uploads.server.get(&uploads.key, &elsewhere).status, 404);
}

#[test]
fn place_4_unfinished_bytes_have_a_limit_over_http() {
    let uploads = uploads_with(|options| options.unfinished_bytes = 10);
    let path = uploads.begin(6, AUDIO);
    let begin = |length| uploads.tus("POST", "/api/v3/uploads", &[("Upload-Length", length)], b"");
    let refused = begin("5");
    refused.refuses(413, "UNFINISHED_UPLOADS_TOO_LARGE");
    assert!(refused.body.contains(r#""details":{"limit_bytes":10}"#), "{refused:?}");
    uploads.tus("DELETE", &path, &[], b"").is(204, "");
    assert_eq!(begin("5").status, 201);
}

#[test]
fn data_2_all_violations_of_named_files_are_listed() {
    let uploads = uploads();
    let transcript = uploads.sent(TEXT, b"\xFF");
    let audio = uploads.sent("", FLAC);
    uploads.name(&[], &named(&audio, &transcript)).is(
        400,
        r#"{"error":"Validation Error","message":"Invalid field values","details":{"audio_file":"Audio file must be a file with a name","transcript_file":"Transcript file is not a text in UTF-8 but looks like text in Windows-1252 or the like: save it as UTF-8"}}"#,
    );
    let details = |body: &str, details: &str| {
        let error = r#"{"error":"Validation Error","message":"Invalid field values","details":"#;
        uploads.name(&[("Idempotency-Key", "a b")], body).is(400, &format!("{error}{details}}}"));
    };
    let of_key = r#""idempotency_key":"Idempotency key must be 1 to 255 visible ASCII characters""#;
    details("[]", &format!(r#"{{"body":"Request body must be a JSON object",{of_key}}}"#));
    details("{", &format!(r#"{{"body":"Request body is not valid JSON",{of_key}}}"#));
    details(
        r#"{"type":"exam","audio_file":1,"audio_file":"a"}"#,
        &format!(
            r#"{{{of_key},"type":"Type must be train or test","audio_file":"Audio file is given more than once","transcript_file":"Transcript file is required"}}"#
        ),
    );
    // They stay, so that the other one is sent again alone.
    assert!(uploads.offset(&format!("/api/v3/uploads/{audio}")) == FLAC.len().to_string());
}
