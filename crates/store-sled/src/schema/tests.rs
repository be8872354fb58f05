use super::*;

#[test]
fn a_layout_is_ours_newer_or_unknown() {
    assert_eq!(Layout::of(LAYOUT.as_bytes()), Layout::Ours);
    assert_eq!(layout_names().last().as_deref(), Some(LAYOUT));
    for (name, layout) in [
        ("custom-models in sled, layout 1\n", Layout::Older(1)),
        ("custom-models in sled, layout 3\n", Layout::Older(3)),
        ("custom-models in sled, layout 2\n", Layout::Older(2)),
        ("custom-models in sled, layout 4\n", Layout::Older(4)),
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
