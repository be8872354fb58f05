use super::*;

#[test]
fn place_2_an_identity_is_read_as_it_is_shown_and_from_nothing_else() {
    for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
        let identity = StoreIdentity::from_bytes(bytes);
        assert_eq!(identity.to_string().parse(), Ok(identity));
        assert_eq!(identity.as_bytes(), &bytes);
    }
    let text = StoreIdentity::from_bytes([0xab; 16]).to_string();
    for wrong in ["", &text[1..], &text.to_uppercase(), &format!("+{}", &text[1..])] {
        assert_eq!(wrong.parse::<StoreIdentity>(), Err(InvalidStoreIdentity), "{wrong}");
    }
}

#[test]
fn place_2_a_store_is_behind_if_either_number_is() {
    let summary = |last_id, events| StoreSummary {
        identity: StoreIdentity::from_bytes([1; 16]),
        lineage: None,
        last_id,
        events,
        has_data: false,
    };
    for (store, other, is_behind) in [
        ((3, 9), (3, 9), false),
        ((4, 10), (3, 9), false),
        ((2, 10), (3, 9), true),
        ((4, 8), (3, 9), true),
    ] {
        let (store, other) = (summary(store.0, store.1), summary(other.0, other.1));
        assert_eq!(store.is_behind(&other), is_behind);
    }
}
