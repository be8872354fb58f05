//! Valid transcripts, and the kinds of others.

use super::*;

/// Returns the violation of a file. Asserts that it does not depend on the size of the chunks.
fn fault(bytes: &[u8]) -> Option<(ViolationKind, String)> {
    let in_pieces = |size: usize| {
        let mut transcript = Transcript::default();
        bytes.chunks(size).for_each(|piece| transcript.write(piece));
        transcript.fault().map(|(kind, found)| (kind, found.into_owned()))
    };
    let whole = in_pieces(bytes.len().max(1));
    assert_eq!([1, 2, 3, 7].map(in_pieces), [(); 4].map(|()| whole.clone()));
    whole
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn utf_32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|it| bytes(it.into())).collect()
}

#[test]
fn data_1_a_transcript_is_utf_8_with_or_without_a_mark() {
    for text in
        ["a", "\u{FEFF}The rhythm.\r\n", "\t1\u{C}\n", "日本語", "\u{200B}a", "e\u{301}", "\u{301}"]
    {
        assert_eq!(fault(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn data_1_a_transcript_in_another_encoding_is_told_what_it_looks_like() {
    for text in
        ["The rhythm is regular.", "Le rythme est régulier.", "Ритм, ритм и ещё раз ритм.", "x"]
    {
        let is_short = text.len() == 1;
        for mark in ["", "\u{FEFF}"] {
            let text = &format!("{mark}{text}");
            for (bytes, name) in [
                (utf_16(text, u16::to_le_bytes), "UTF-16"),
                (utf_16(text, u16::to_be_bytes), "UTF-16"),
                (utf_32(text, u32::to_le_bytes), "UTF-32"),
                (utf_32(text, u32::to_be_bytes), "UTF-32"),
            ] {
                let (kind, found) =
                    fault(&bytes).unwrap_or((ViolationKind::Missing, String::new()));
                assert_eq!(kind, ViolationKind::NotText);
                assert!(found == name || is_short && found.starts_with("UTF"), "{text} {found}");
            }
        }
    }
}

#[test]
fn data_1_a_transcript_that_is_no_text_is_told_what_it_looks_like() {
    for (bytes, name) in [
        (&b"caf\xE9"[..], "text in Windows-1252 or the like"),
        (b"caf\xE9 is coffee", "text in Windows-1252 or the like"),
        (b"PK\x03\x04\x14\0\x06\0", "a ZIP archive or an office document"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an office document"),
        (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3", "a PDF"),
        (b"A long text with one \0 in it", "text with U+0000"),
        (b"A bell \x07", "text with U+0007"),
        (b"Next\xC2\x85line", "text with U+0085"),
        (b"Gone\x7F", "text with U+007F"),
        (b"\x1B[0m\x07 \xFF", "a binary file"),
    ] {
        let found = Some((ViolationKind::NotText, name.to_owned()));
        assert_eq!(fault(bytes), found, "{}", bytes.escape_ascii());
    }
}

#[test]
fn data_1_a_transcript_of_spaces_and_invisible_characters_is_empty() {
    for (text, looks) in [
        ("", ""),
        (" \n\t\r\u{C}\u{A0}\u{2003}\u{3000}", ""),
        ("\u{FEFF}", "invisible characters"),
        ("\u{FEFF}\u{FEFF}\n", "invisible characters"),
        ("\u{200B}\u{200D} \u{2060}\u{AD}", "invisible characters"),
        ("\u{202A}\u{E0001}", "invisible characters"),
    ] {
        let found = Some((ViolationKind::Blank, looks.to_owned()));
        assert_eq!(fault(text.as_bytes()), found, "{text:?}");
    }
}
