use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::Metadata;

#[test]
fn a_name_occurs_once_and_a_value_is_base64() {
    for text in ["", "a", "a,b YQ==", "filename YS5mbGFj, is_private", "filename"] {
        assert_eq!(Metadata::parse(text).unwrap().as_str(), text);
    }
    for text in ["a,a", ",", "a,", " ", "a YQ", "a YQ== YQ==", "ä YQ==", "filename /w==", "a\u{7f}"]
    {
        assert!(Metadata::parse(text).is_err(), "{text:?}");
    }
    let long = "a".repeat(Metadata::MAX_BYTES);
    assert!(Metadata::parse(&long).is_ok());
    assert!(Metadata::parse(&(long + "a")).is_err());
}

proptest! {
    #[test]
    fn a_file_name_is_read_from_anywhere(before in "[a-e]{1,5}", name in ".{0,40}") {
        let value = BASE64_STANDARD.encode(&name);
        let metadata = Metadata::parse(&format!("{before},filename {value},z")).unwrap();
        prop_assert_eq!(metadata.filename(), Some(&*name));
    }
}
