//! AUTH-1, AUTH-2 and IDEM-1: API keys, their digests and scopes, and idempotency keys.

use std::collections::{BTreeSet, HashSet};

use custom_models_core::access::{
    ApiKey, InvalidKeyId, KeyDigest, KeyId, KeyRecord, Scope, Scopes, WindowKey,
};
use custom_models_core::field::ViolationKind;
use custom_models_core::store::IdempotencyKey;
use custom_models_core::time::Timestamp;
use proptest::prelude::*;

fn keys() -> impl Strategy<Value = ApiKey> {
    any::<([u8; 6], [u8; 32])>().prop_map(|(id, secret)| ApiKey::new(KeyId::from_bytes(id), secret))
}

proptest! {
    #[test]
    fn auth_1_a_key_shows_its_id_and_is_found_by_the_digest_of_all_of_it(key in keys()) {
        let secret = key.expose().strip_prefix(&format!("cm_{}_", key.id())).unwrap();
        prop_assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
        prop_assert_eq!(KeyDigest::of(key.expose()), key.digest());
        prop_assert_eq!(KeyDigest::from_bytes(*key.digest().as_bytes()), key.digest());
        prop_assert_ne!(KeyDigest::of(secret), key.digest());
    }

    #[test]
    fn auth_1_nothing_but_expose_shows_the_secret(key in keys()) {
        let (_, secret) = key.expose().rsplit_once('_').unwrap();
        for shown in [
            format!("{key:?}"),
            format!("{key:#?}"),
            format!("{:?}", key.digest()),
            key.id().to_string(),
        ] {
            prop_assert!(!shown.contains(&secret[..16]), "{}", shown);
        }
    }

    #[test]
    fn auth_1_debug_shows_the_id_in_hexadecimal_digits(key in keys()) {
        let id = key.id();
        prop_assert_eq!(format!("{key:?}"), format!("ApiKey {{ id: {id}, .. }}"));
        prop_assert_eq!(format!("{id:?}"), id.to_string());
        prop_assert_eq!(format!("{:?}", key.digest()), "KeyDigest(..)");
        let window = WindowKey::from(id);
        prop_assert_eq!(window.as_bytes(), id.to_bytes());
        prop_assert_eq!(format!("{window:?}"), format!("WindowKey({id})"));
    }

    #[test]
    fn auth_1_the_scheme_is_bearer_in_any_case(key in keys(), upper in any::<[bool; 6]>()) {
        let scheme: String = "bearer".chars().zip(upper).map(|(letter, is_upper)| {
            if is_upper { letter.to_ascii_uppercase() } else { letter }
        }).collect();
        for header in [
            format!("{scheme} {}", key.expose()),
            format!("{scheme}   {}", key.expose()),
            format!(" {scheme} {}\t", key.expose()),
        ] {
            prop_assert_eq!(KeyDigest::of_authorization(&header), Some(key.digest()));
        }
        for header in [
            key.expose().to_owned(),
            scheme.clone(),
            format!("{scheme} "),
            format!("{scheme}{}", key.expose()),
            format!("{scheme}\t{}", key.expose()),
            format!("Basic {}", key.expose()),
            format!("{scheme} {} x", key.expose()),
            format!("{scheme} {0} {0}", key.expose()),
        ] {
            prop_assert_eq!(KeyDigest::of_authorization(&header), None, "{}", header);
        }
    }

    #[test]
    fn auth_1_any_header_is_a_key_or_none(header in any::<String>()) {
        KeyDigest::of_authorization(&header);
    }

    #[test]
    fn auth_1_an_id_is_read_as_it_is_written(bytes in any::<[u8; 6]>()) {
        let id = KeyId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_bytes(), bytes);
        prop_assert_eq!(id.to_string().len(), 12);
    }

    #[test]
    fn auth_1_a_key_is_valid_until_it_expires_or_is_revoked(
        key in keys(),
        expires_at in prop::option::of(-5..5_i64),
        revoked_at in prop::option::of(-5..5_i64),
        now in -5..5_i64,
    ) {
        let moment = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        let record = KeyRecord {
            id: key.id(),
            digest: key.digest(),
            organisation: "acme".parse().unwrap(),
            scopes: Scopes::default(),
            created_at: moment(-5),
            expires_at: expires_at.map(moment),
            revoked_at: revoked_at.map(moment),
        };
        let is_valid = revoked_at.is_none() && expires_at.is_none_or(|expires_at| now < expires_at);
        prop_assert_eq!(record.is_valid_at(moment(now)), is_valid);
    }

    #[test]
    fn auth_2_a_set_has_the_scopes_that_were_put_into_it(
        scopes in prop::collection::vec(prop::sample::select(&Scope::ALL[..]), 0..6),
    ) {
        let set: Scopes = scopes.iter().copied().collect();
        for scope in Scope::ALL {
            prop_assert_eq!(set.contains(scope), scopes.contains(&scope), "{}", scope);
        }
        prop_assert_eq!(set.is_empty(), scopes.is_empty());
        prop_assert_eq!(set.iter().collect::<HashSet<_>>(), scopes.into_iter().collect());
        prop_assert_eq!(set.to_string().parse(), Ok(set));
        let names: Vec<_> = set.iter().map(Scope::as_str).collect();
        prop_assert_eq!(set.to_string(), names.join(" "));
        prop_assert_eq!(format!("{set:?}"), format!("{:?}", BTreeSet::from_iter(set.iter())));
    }
}

/// The digest is SHA-256, by the example of FIPS 180.
#[test]
fn auth_1_the_digest_is_sha_256() {
    let digest = KeyDigest::of("abc");
    assert_eq!(digest.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(digest.as_bytes()[28..], [0xf2, 0x00, 0x15, 0xad]);
}

#[test]
fn auth_1_texts_that_are_no_id() {
    for text in ["", "0123456789a", "0123456789abc", "0123456789AB", "+12345678901", "0123456789é"]
    {
        assert_eq!(text.parse::<KeyId>(), Err(InvalidKeyId), "{text:?}");
    }
}

#[test]
fn auth_2_the_scopes_have_the_names_of_the_specification() {
    let names = ["custom_models:write", "custom_models:read", "training:work"];
    assert_eq!(Scope::ALL.map(Scope::as_str), names);
    for scope in Scope::ALL {
        assert_eq!(scope.as_str().parse(), Ok(scope));
        assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
    }
    for text in
        ["", "custom_models", "CUSTOM_MODELS:READ", "custom_models:read ", "custom_models:*"]
    {
        assert!(text.parse::<Scope>().is_err(), "{text:?}");
    }
}

#[test]
fn idem_1_a_request_carries_one_idempotency_key_that_is_no_api_key() {
    let of = |values: &[&str]| {
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let key = IdempotencyKey::from_values(values);
        key.map(|key| key.map(|key| key.as_str().to_owned())).map_err(|violation| violation.kind())
    };
    assert_eq!(of(&[]), Ok(None));
    assert_eq!(of(&["k-1"]), Ok(Some("k-1".to_owned())));
    assert_eq!(of(&["k-1", "k-1"]), Err(ViolationKind::Repeated));
    assert_eq!(of(&["k 1"]), Err(ViolationKind::Unsupported));
    let secret = "cm_0123456789ab_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_eq!(of(&[secret]), Err(ViolationKind::ApiKey));
    // An id and more than half of a secret are one, a digest is none.
    let hex = "0123456789abcdef".repeat(4);
    for (digits, more, is_secret) in [(12, 33, true), (12, 32, false), (11, 33, false)] {
        let text = format!("{}_{}", &hex[..digits], &hex[..more]);
        let kept = if is_secret { Err(ViolationKind::ApiKey) } else { Ok(Some(text.clone())) };
        assert_eq!(of(&[&text]), kept, "{text}");
    }
    assert_eq!(of(&[&hex]), Ok(Some(hex.clone())));
}
