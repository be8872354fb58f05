use super::*;

#[test]
fn body_6_the_refusal_of_a_long_body_names_the_limit() {
    let message = ErrorBody::from(&Refusal::BodyTooLarge).message;
    assert!(message.contains(&format!(" {} bytes", CreateModel::MAX_BODY_BYTES)), "{message}");
    assert_eq!(Refusal::BodyTooLarge.status(), 413);
}

#[test]
fn data_3_the_refusal_of_a_large_file_names_the_limit() {
    let message = ErrorBody::from(&Refusal::FileTooLarge).message;
    assert!(message.ends_with(&format!(" {} bytes", DataFile::MAX_BYTES)), "{message}");
    assert_eq!(Refusal::FileTooLarge.status(), 413);
}

#[test]
fn every_rendering_is_the_same_whatever_was_sent() {
    for sent in
        ["", "xx", "\"", "\\", "\\u{7}", "a\"b\\c", "\u{7}\n\0", "\u{202E}", "é語😀", "</x>"]
    {
        let long = sent.repeat(50);
        for sent in [sent, &long] {
            let request = CreateModel::builder().language(sent).base_model(sent).build();
            let refusal = Refusal::from(request.unwrap_err());
            let error = ErrorBody::from(&refusal);
            assert_eq!(refusal.to_json(), error.to_json());
            assert_eq!(error.to_json(), serde_json::to_string(&error).unwrap());
        }
    }
}
