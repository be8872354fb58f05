use super::*;

#[test]
fn what_steers_a_terminal_is_escaped() {
    for (text, shown) in [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\u{1b}[31m", r"\u{1b}[31m"),
        ("\u{9b}2J\0\u{7f}", r"\u{9b}2J\0\u{7f}"),
        ("\u{202e}gnp.exe\u{2066}", r"\u{202e}gnp.exe\u{2066}"),
        ("\u{2028}", r"\u{2028}"),
    ] {
        assert_eq!(Escaped(text).to_string(), shown);
    }
}

#[test]
fn what_prints_is_shown_as_it_is() {
    let text = r#"C:\models "new" o'clock 語 é 🎧.db"#;
    assert_eq!(Escaped(text).to_string(), text);
}
