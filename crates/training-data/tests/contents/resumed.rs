//! The suite for every storage: files that are sent bit by bit.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use custom_models_core::Organisation;
use custom_models_core::store::ArchiveStore;
use custom_models_training_data::{
    Checksum, ContentStore, Folder, MAX_PIECE_BYTES, Metadata, ResumableError, ResumableUploads,
    UploadId,
};
use sha2::{Digest, Sha256};

use crate::fixture::Place;
use crate::stores::{acme, store};
use crate::suite::Case;

pub(crate) const CASES: [Case; 8] = [
    ("data_3_an_upload_goes_on_where_it_broke_off", resumed),
    ("data_3_an_upload_that_is_not_finished_is_not_read", unfinished),
    ("data_3_of_two_senders_at_one_offset_one_is_told", two_senders),
    ("data_3_bytes_with_another_checksum_are_not_kept", checked),
    ("data_3_nothing_is_kept_beyond_the_announced_length", too_long),
    ("place_4_unfinished_uploads_announce_no_more_than_their_limit", limited),
    ("place_2_an_upload_without_new_bytes_is_swept", swept),
    ("edit_5_the_uploads_of_an_erased_organisation_are_removed", erased),
];

const NO_LIMIT: u64 = u64::MAX;

fn uploads(folder: &Folder) -> ResumableUploads {
    ResumableUploads::of(folder.pieces().unwrap())
}

fn opened(place: &dyn Place) -> ResumableUploads {
    uploads(&Folder::open(place.root(), &store(1)).unwrap())
}

fn begun(uploads: &ResumableUploads, length: usize) -> UploadId {
    uploads.begin(&acme(), length as u64, &Metadata::default(), NO_LIMIT).unwrap().id
}

fn append(
    uploads: &ResumableUploads,
    id: &UploadId,
    offset: usize,
    bytes: &[u8],
    checksum: Option<Checksum>,
) -> Result<u64, ResumableError> {
    let mut append = uploads.append(&acme(), id, offset as u64, checksum)?;
    append.write(bytes)?;
    append.finish().map(|upload| upload.offset)
}

fn sha256(bytes: &[u8]) -> Option<Checksum> {
    Checksum::parse(&format!("sha256 {}", BASE64_STANDARD.encode(Sha256::digest(bytes))))
}

fn whole(uploads: &ResumableUploads, id: &UploadId) -> Result<Vec<u8>, ResumableError> {
    let mut bytes = Vec::new();
    uploads.open(&acme(), id)?.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

fn offset(uploads: &ResumableUploads, id: &UploadId) -> u64 {
    uploads.get(&acme(), id).unwrap().offset
}

/// Bytes of more than two pieces.
fn bytes() -> Vec<u8> {
    (0_u8..251).cycle().take(2 * MAX_PIECE_BYTES + 1000).collect()
}

fn resumed(place: &dyn Place) {
    let (bytes, one) = (bytes(), opened(place));
    let metadata = Metadata::parse("filename YS5mbGFj,language ZW4=").unwrap();
    let id = one.begin(&acme(), bytes.len() as u64, &metadata, NO_LIMIT).unwrap().id;
    let mut append = one.append(&acme(), &id, 0, None).unwrap();
    append.write(&bytes[..MAX_PIECE_BYTES + 7]).unwrap();
    // Another process sees what is a whole piece, even if this one dies now.
    assert_eq!(offset(&opened(place), &id), MAX_PIECE_BYTES as u64);
    drop(append);
    let other = opened(place);
    let upload = other.get(&acme(), &id).unwrap();
    assert_eq!((upload.offset, &upload.metadata), (MAX_PIECE_BYTES as u64 + 7, &metadata));
    assert_eq!(upload.metadata.filename(), Some("a.flac"));
    let mut append = other.append(&acme(), &id, upload.offset, None).unwrap();
    bytes[MAX_PIECE_BYTES + 7..].chunks(99_999).for_each(|bytes| append.write(bytes).unwrap());
    assert_eq!(append.finish().unwrap().offset, bytes.len() as u64);
    assert!(whole(&one, &id).unwrap() == bytes);
    one.remove(&acme(), &id).unwrap();
    assert!(matches!(other.get(&acme(), &id), Err(ResumableError::NotFound)));
    assert_eq!(place.names().into_iter().collect::<Vec<_>>(), ["custom-models.json"]);
}

fn unfinished(place: &dyn Place) {
    let uploads = opened(place);
    let id = begun(&uploads, 3);
    append(&uploads, &id, 0, b"ab", None).unwrap();
    assert!(matches!(whole(&uploads, &id), Err(ResumableError::Unfinished { offset: 2 })));
    append(&uploads, &id, 2, b"c", None).unwrap();
    assert_eq!(whole(&uploads, &id).unwrap(), b"abc");
    let empty = begun(&uploads, 0);
    assert_eq!(whole(&uploads, &empty).unwrap(), b"");
    // Neither another organisation's, nor one that never was.
    let other: Organisation = "acme-2".parse().unwrap();
    assert!(matches!(uploads.open(&other, &id), Err(ResumableError::NotFound)));
    assert!(matches!(uploads.remove(&other, &id), Err(ResumableError::NotFound)));
    let never = UploadId::new(3);
    assert!(matches!(uploads.append(&acme(), &never, 0, None), Err(ResumableError::NotFound)));
    assert_eq!(whole(&uploads, &id).unwrap(), b"abc");
}

fn two_senders(place: &dyn Place) {
    let (one, other) = (opened(place), opened(place));
    let id = begun(&one, 4);
    let mut first = one.append(&acme(), &id, 0, None).unwrap();
    let mut second = other.append(&acme(), &id, 0, None).unwrap();
    first.write(b"ab").unwrap();
    second.write(b"xyz").unwrap();
    assert_eq!(first.finish().unwrap().offset, 2);
    assert!(matches!(second.finish(), Err(ResumableError::OffsetMismatch { offset: 2 })));
    let stale = append(&other, &id, 0, b"x", None);
    assert!(matches!(stale, Err(ResumableError::OffsetMismatch { offset: 2 })));
    append(&other, &id, 2, b"cd", None).unwrap();
    assert_eq!(whole(&one, &id).unwrap(), b"abcd");
}

fn checked(place: &dyn Place) {
    let (bytes, uploads) = (bytes(), opened(place));
    let id = begun(&uploads, bytes.len());
    let wrong = append(&uploads, &id, 0, &bytes, sha256(b"other"));
    assert!(matches!(wrong, Err(ResumableError::ChecksumMismatch)));
    assert_eq!(offset(&uploads, &id), 0);
    let mut cut = uploads.append(&acme(), &id, 0, sha256(&bytes)).unwrap();
    cut.write(&bytes[..MAX_PIECE_BYTES + 1]).unwrap();
    drop(cut);
    assert_eq!(offset(&uploads, &id), 0);
    append(&uploads, &id, 0, &bytes, sha256(&bytes)).unwrap();
    assert!(whole(&uploads, &id).unwrap() == bytes);
}

fn too_long(place: &dyn Place) {
    let uploads = opened(place);
    let id = begun(&uploads, 3);
    let long = append(&uploads, &id, 0, b"abcd", None);
    assert!(matches!(long, Err(ResumableError::TooLarge)));
    let long = append(&uploads, &id, 0, b"abcd", sha256(b"abcd"));
    assert!(matches!(long, Err(ResumableError::TooLarge)));
    assert_eq!(offset(&uploads, &id), 0);
    append(&uploads, &id, 0, b"abc", None).unwrap();
    let long = append(&uploads, &id, 3, b"d", None);
    assert!(matches!(long, Err(ResumableError::TooLarge)));
    let huge = uploads.begin(&acme(), (10 << 30) + 1, &Metadata::default(), NO_LIMIT);
    assert!(matches!(huge, Err(ResumableError::TooLarge)));
}

fn limited(place: &dyn Place) {
    let uploads = opened(place);
    let begin = |length| uploads.begin(&acme(), length, &Metadata::default(), 10);
    let first = begin(6).unwrap().id;
    assert!(matches!(begin(5), Err(ResumableError::TooManyBytes { limit: 10 })));
    begin(4).unwrap();
    assert!(matches!(begin(1), Err(ResumableError::TooManyBytes { limit: 10 })));
    // Finished bytes count until they are used or removed.
    append(&uploads, &first, 0, b"abcdef", None).unwrap();
    assert!(begin(1).is_err());
    let other = "acme-2".parse().unwrap();
    uploads.begin(&other, 10, &Metadata::default(), 10).unwrap();
    uploads.remove(&acme(), &first).unwrap();
    begin(6).unwrap();
}

fn swept(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let id = begun(&uploads(&folder), 3);
    append(&uploads(&folder), &id, 0, b"ab", None).unwrap();
    assert_eq!(folder.sweep(&own).unwrap().files, 0);
    assert_eq!(offset(&uploads(&folder), &id), 2);
    let expired = Folder::open(place.root(), &own).unwrap().with_upload_lifetime(Duration::ZERO);
    let gone = uploads(&expired).get(&acme(), &id).map(|upload| upload.expires_in);
    assert!(matches!(gone, Err(ResumableError::NotFound) | Ok(Duration::ZERO)));
    let swept = expired.sweep(&own).unwrap();
    assert_eq!((swept.files, swept.bytes), (2, 2), "the description and a piece");
    assert_eq!(place.names().into_iter().collect::<Vec<_>>(), ["custom-models.json"]);
}

fn erased(place: &dyn Place) {
    let own: Arc<dyn ArchiveStore> = Arc::new(store(1));
    let folder = Folder::open(place.root(), &*own).unwrap();
    let id = begun(&uploads(&folder), 3);
    let other: Organisation = "acme-2".parse().unwrap();
    let others = uploads(&folder).begin(&other, 3, &Metadata::default(), NO_LIMIT).unwrap().id;
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 1);
    assert!(matches!(uploads(&folder).get(&acme(), &id), Err(ResumableError::NotFound)));
    assert!(uploads(&folder).get(&other, &others).is_ok());
}
