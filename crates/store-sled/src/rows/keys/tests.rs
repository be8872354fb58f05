use super::*;

#[test]
fn the_models_of_organisations_never_mix() {
    let names = ["a", "a-", "a0", "aA", "a_", "aa", "ab", "b"];
    for name in names {
        let organisation: Organisation = name.parse().unwrap();
        let keys = model_keys(&organisation, None);
        for other in names {
            for id in [1, 255, 256, ModelId::MAX] {
                let key = model_key(&other.parse().unwrap(), id);
                assert_eq!(keys.contains(&key), name == other, "{name} {other} {id}");
            }
        }
    }
}

#[test]
fn keys_sort_as_ids_do_and_begin_behind_the_cursor() {
    let acme: Organisation = "acme".parse().unwrap();
    let after = model_keys(&acme, Some(ModelId::new(255).unwrap()));
    assert!(!after.contains(&model_key(&acme, 255)));
    assert!(after.contains(&model_key(&acme, 256)));
    assert!(model_keys(&acme, Some(ModelId::new(ModelId::MAX).unwrap())).start < after.end);
    assert_eq!(id_of(&model_key(&acme, 256)).map(ModelId::get), Some(256));
    assert_eq!(id_of(b"short"), None);
    // The second row of a model's, which is none.
    assert_eq!(id_of(&[&model_key(&acme, 256)[..], &[1]].concat()), None);
    assert_eq!(organisation_of(&model_key(&acme, 256)), Some(&b"acme"[..]));
    assert_eq!(organisation_of(b"macme\x01\0\0\0\0\0\0\0\x01"), None);
}
