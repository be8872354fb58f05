//! BODY-6: the scanner's work and memory on growing hostile bodies, and its search for the end of a string
//! compared with a simple one.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

/// The most steps for a body of this length. A byte is examined as the end of the token before it, as the
/// start of each kind of token, and as a part of one.
const fn bound(length: usize) -> usize {
    8 * length + 16
}

/// Reads a body.
fn read(body: &str) -> Result<RawFields<Cow<'_, str>>, BodyFault> {
    let mut fields = RawFields::default();
    scan(body.as_bytes(), &mut fields).map(|()| fields)
}

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts work: the scanner calls it for every byte that it examines.
pub(super) fn count_steps(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

/// Reads a body and counts the steps.
fn steps(body: &str) -> usize {
    STEPS.set(0);
    // The result does not matter here.
    let _ = Scanner { text: body }.body(&mut RawFields::default());
    STEPS.get()
}

/// Families of bodies: a beginning, a part that is repeated `n` times, and an end.
const FAMILIES: [(&str, &str, &str); 42] = [
    // Nesting: closed, half open, too deep at once, in named and in unknown fields.
    ("", "[", ""),
    ("", "{\"x\":", ""),
    ("{\"x\":", "[", ""),
    ("{\"name\":", "[{\"x\":", ""),
    ("{\"x\":[", "[],", "1]}"),
    ("{\"x\":[", "{},", "{}]}"),
    ("{\"x\":[", "[[[[[[]]]]]],", "[]]}"),
    ("{\"x\":[", "{\"a\":{\"b\":[]}},", "1]}"),
    ("", "]", ""),
    ("{\"x\":1", "}", ""),
    // Many members: unknown, named, escaped, half open.
    ("{", "\"x\":1,", "\"y\":1}"),
    ("{", "\"x\":1,", ""),
    ("{", "\"name\":\"n\",", "\"name\":\"n\"}"),
    ("{", "\"language\":null,", "\"language\":null}"),
    ("{", "\"n\\u0061me\":\"n\\u0061me\",", "\"y\":1}"),
    ("{", "\"description\":[{}],", "\"y\":1}"),
    ("{", "\"\":\"\",", "\"\":\"\"}"),
    ("{\"x\":{", "\"a\":1,", "\"a\":1}}"),
    ("{", "\"x\"", ""),
    ("{", ",", "}"),
    ("{", ":", "}"),
    // Strings: plain, wide, escapes alone, surrogates, half open, in keys.
    ("{\"name\":\"", "x", "\"}"),
    ("{\"name\":\"", "x", ""),
    ("{\"x\":\"", "😀", "\"}"),
    ("{\"name\":\"", "\\n", "\"}"),
    ("{\"name\":\"", "\\u0000", "\"}"),
    ("{\"name\":\"", "\\ud83d\\ude00", "\"}"),
    ("{\"name\":\"", "\\ud83d", "\"}"),
    ("{\"x\":\"", "\\\"", ""),
    ("{\"x\":\"", "x\\\\", "\"}"),
    ("{\"", "k\\u006b", "\":1}"),
    ("{\"x\":[", "\"\",", "\"\"]}"),
    ("", "\"", ""),
    // Numbers, words and whitespace.
    ("{\"x\":", "1", "}"),
    ("{\"x\":-0.", "0", "}"),
    ("{\"name\":1e", "9", "}"),
    ("{\"x\":[", "-0.1e+2,", "1]}"),
    ("{\"x\":[", "true,false,null,", "1]}"),
    ("", " ", ""),
    ("{\"x\":[1", " \n\t\r", "]}"),
    ("{", " ", "\"name\" : 1}"),
    ("", "tru", ""),
];

#[test]
fn body_6_steps_grow_no_faster_than_the_body() {
    for (before, repeated, after) in FAMILIES {
        for power in 0..=17 {
            let count = (1 << power) / repeated.len();
            let body = [before, &repeated.repeat(count), after].concat();
            let steps = steps(&body);
            assert!(
                steps <= bound(body.len()),
                "{steps} steps for {} bytes of {before}{repeated}…{after}",
                body.len()
            );
        }
    }
}

#[test]
fn body_6_the_count_counts() {
    // A broken counter would satisfy every bound. Keys and words are compared at once, so it may lag behind
    // the bytes, by at most the length of the longest of them.
    for (before, repeated, after) in FAMILIES {
        let body = [before, &repeated.repeat(1000), after].concat();
        if read(&body).is_ok() {
            assert!(16 * steps(&body) >= body.len(), "{before}{repeated}…{after}");
        }
    }
}

/// The bytes that copied texts may take beyond twice their share of the body.
const ROOM: usize = 64;

/// Returns the number of bytes that a value owns in addition to the body.
fn owned(found: &RawValue<Cow<'_, str>>) -> usize {
    match found {
        RawValue::Text(Cow::Owned(text)) => text.capacity(),
        _ => 0,
    }
}

#[test]
fn body_6_only_a_text_with_an_escape_is_copied_and_one_a_field() {
    for (name, is_borrowed) in [("x", true), ("😀", true), ("\\n", false), ("x\\u0078", false)] {
        let body = format!("{{\"name\":\"{}\"}}", name.repeat(1000));
        let fields = read(&body).unwrap();
        let owned = owned(&fields.name);
        assert_eq!(owned == 0, is_borrowed, "{name}");
        assert!(owned <= 2 * body.len() + ROOM, "{owned} bytes for {}", body.len());
    }
    let again = "\"name\":\"\\n\",".repeat(1000);
    let body = format!("{{{again}\"x\":1}}");
    assert_eq!(read(&body).unwrap().name, RawValue::Repeated);
}

/// Parts of bodies, valid and broken.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\"name\"",
    "\"x\":",
    "\"\\u006eame\":",
    "1",
    "-0.5e3",
    "null",
    "true",
    " ",
    "\n",
    "😀",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\"a\"",
    "[]",
    "{}",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn body_6_steps_and_memory_are_bounded_whatever_the_body(
        pieces in prop::collection::vec((0..PIECES.len(), 1..12usize), 0..24),
        opened in any::<bool>(),
    ) {
        let mut body = String::from(if opened { "{\"name\":\"\\n" } else { "" });
        for (piece, count) in pieces {
            body.push_str(&PIECES[piece].repeat(count));
        }
        prop_assert!(steps(&body) <= bound(body.len()), "{} steps: {}", steps(&body), body);
        if let Ok(fields) = read(&body) {
            let kept = [&fields.name, &fields.language, &fields.base_model, &fields.description];
            let kept: usize = kept.into_iter().map(owned).sum();
            prop_assert!(kept <= 2 * body.len() + 4 * ROOM, "{} bytes: {}", kept, body);
        }
    }

    #[test]
    fn body_1_the_end_of_a_run_is_found_where_it_is(
        mut bytes in prop::collection::vec(any::<u8>(), 0..96),
        hard in any::<bool>(),
        length in 0..96usize,
    ) {
        // Values next to the ends, and the ends with their high bit set.
        const HARD: [u8; 16] = [
            0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0x9F, 0xA0, 0xA2, 0xDC, 0xFF, 0x22, 0x5C, 0x1F, 0,
        ];
        if hard {
            for byte in &mut bytes {
                *byte = HARD[usize::from(*byte) % if *byte < 240 { 12 } else { 16 }];
            }
        }
        bytes.splice(0..0, std::iter::repeat_n(b'x', length));
        let plain = bytes.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        prop_assert_eq!(plain_prefix(&bytes), plain.unwrap_or(bytes.len()));
    }
}

#[test]
fn body_1_the_end_of_a_run_is_found_at_every_place() {
    for length in 0..=100 {
        for place in 0..length {
            for byte in 0..=u8::MAX {
                let mut bytes = vec![b'x'; length];
                bytes[place] = byte;
                let is_end = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_prefix(&bytes), if is_end { place } else { length });
            }
        }
    }
}

/// Long runs are scanned in blocks. Without blocks the result is the same, and slower.
#[test]
fn body_6_whole_blocks_without_an_end_are_stepped_over() {
    for length in 0..=600 {
        let mut bytes = vec![b'x'; length];
        assert_eq!(plain_blocks(&bytes), length / 16 * 16);
        if let Some(last) = bytes.last_mut() {
            *last = b'"';
            assert_eq!(plain_blocks(&bytes), (length - 1) / 16 * 16);
        }
    }
    // Two ends in one block must not cancel out.
    assert_eq!(plain_blocks(&[b'"'; 2 * 128]), 0);
    assert_eq!(plain_blocks(&[b'"'; 2 * 16]), 0);
}
