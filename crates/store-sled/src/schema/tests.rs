use super::*;

#[test]
fn a_layout_is_ours_newer_or_unknown() {
    assert_eq!(Layout::of(LAYOUT.as_bytes()), Layout::Ours);
    for (name, layout) in [
        ("custom-models in sled, layout 1\n", Layout::First),
        ("custom-models in sled, layout 3\n", Layout::Third),
        ("custom-models in sled, layout 2\n", Layout::Second),
        ("custom-models in sled, layout 4\n", Layout::Fourth),
        ("custom-models in sled, layout 6\n", Layout::Newer),
        ("custom-models in sled, layout 4294967295\n", Layout::Newer),
        ("custom-models in sled, layout 0\n", Layout::Unknown),
        ("custom-models in sled, layout 2", Layout::Unknown),
        ("custom-models in sled, layout \n", Layout::Unknown),
        ("", Layout::Unknown),
        ("something else", Layout::Unknown),
    ] {
        assert_eq!(Layout::of(name.as_bytes()), layout, "{name:?}");
    }
    assert_eq!(Layout::of(b"\xFF"), Layout::Unknown);
}
