use std::time::SystemTime;

use super::*;

#[test]
fn a_marker_that_is_cut_short_behind_the_layout_is_of_a_store_left_open() {
    let layout = b"custom-models in sled, layout 1\n".as_slice();
    assert_eq!(parse_marker(layout), (layout, false));
    for length in 1..=IN_USE.len() {
        let text = [layout, &IN_USE[..length]].concat();
        assert_eq!(parse_marker(&text), (layout, true));
    }
    for text in ["", "custom-models", "a\nb", "a\nin use\n\n", "\n"] {
        assert_eq!(parse_marker(text.as_bytes()), (text.as_bytes(), false));
    }
}

#[test]
fn model_6_a_log_is_written_over_itself_to_the_last_byte() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open(temporary.path(), OpenMode::Create).unwrap();
    let path = temporary.path().join(LOG);
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|place| place.to_be_bytes()[2]).collect();
    fs::write(&path, &bytes).unwrap();
    let log = folder.open_log().unwrap();
    log.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    folder.rewrite_log().unwrap();
    assert!(log.metadata().unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH);
    assert!(fs::read(&path).unwrap() == bytes);
}
