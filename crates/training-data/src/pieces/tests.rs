use proptest::prelude::*;

use super::UploadId;

proptest! {
    #[test]
    fn an_id_is_read_from_its_text_alone(length: u64, text in "[0-9a-fA-F]{31,33}-\\+?[0-9]{0,21}") {
        let id = UploadId::new(length);
        prop_assert_eq!(id.to_string().parse(), Ok(id.clone()));
        prop_assert_eq!(id.length(), length);
        if let Ok(read) = text.parse::<UploadId>() {
            prop_assert_eq!(read.to_string(), text);
        }
        for other in [format!("{id}0x"), format!("../{id}"), format!("{id}/"), id.to_string().replace('-', "-0")] {
            prop_assert!(other.parse::<UploadId>().is_err(), "{}", other);
        }
    }
}
