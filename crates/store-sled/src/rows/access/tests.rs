use custom_models_core::access::Scope;

use super::*;

#[test]
fn a_key_comes_back_and_what_is_cut_short_does_not() {
    let second = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
    for (scopes, expires_at, revoked_at) in [
        (&[][..], None, None),
        (&[Scope::Read], Some(second(-1)), None),
        (&Scope::ALL, Some(Timestamp::MAX), Some(Timestamp::MIN)),
    ] {
        let key = KeyRecord {
            id: KeyId::from_bytes([1, 2, 3, 4, 5, 6]),
            digest: KeyDigest::from_bytes([9; 32]),
            organisation: "acme".parse().unwrap(),
            scopes: scopes.iter().copied().collect(),
            created_at: second(1_700_000_000),
            expires_at,
            revoked_at,
        };
        let row = key_to_bytes(&key).unwrap();
        assert_eq!(decode_key(&key_key(&key.digest), &row).unwrap(), key);
        for length in 0..row.len() - key.scopes.to_string().len() {
            assert!(decode_key(&key_key(&key.digest), &row[..length]).is_err(), "{length}");
        }
        let other_form = [&[2], &row[1..]].concat();
        assert!(decode_key(&key_key(&key.digest), &other_form).is_err());
    }
}
