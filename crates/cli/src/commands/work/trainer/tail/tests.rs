use super::*;

fn tail(parts: &[&str]) -> Tail {
    let mut tail = Tail::default();
    parts.iter().for_each(|part| tail.push(part.as_bytes()));
    tail
}

#[test]
fn a_short_text_is_shown_whole() {
    assert_eq!(tail(&[" a\nb ", "c\n"]).end(5), "a\nb c");
    assert_eq!(tail(&[]).end(5), "");
    assert_eq!(tail(&["語語語語語"]).end(5), "語語語語語");
    let invalid = Tail { bytes: VecDeque::from([0xff, b'x']), is_cut: false };
    assert_eq!(invalid.end(5), "\u{FFFD}x");
}

#[test]
fn of_a_long_text_the_end_is_shown_from_a_line_on() {
    let lines = "0123456789\n".repeat(1000) + "the reason\n";
    for parts in [vec![lines.as_str()], lines.split_inclusive('\n').collect()] {
        let end = tail(&parts).end(100);
        assert!(end.starts_with("[beginning cut off] 0123456789\n"), "{end}");
        assert!(end.ends_with("\nthe reason") && end.chars().count() <= 100, "{end}");
    }
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let line = "語".repeat(10_000) + "!";
    let end = tail(&[&line]).end(1000);
    let shown = "語".repeat(1000 - CUT.len() - 1);
    assert_eq!(end, format!("{CUT}{shown}!"));
    // Most of what is kept may be space.
    let mostly_space = format!("{}{}", "語".repeat(2000), " ".repeat(MOST - 10));
    assert_eq!(tail(&[&mostly_space]).end(1000), format!("{CUT}語語語"));
    assert_eq!(tail(&[&line]).end(3), "");
}

#[test]
fn a_stream_without_end_takes_no_memory() {
    let mut tail = Tail::default();
    (0..10_000).for_each(|_| tail.push(&[b'x'; 1000]));
    assert!(tail.bytes.len() == MOST && tail.bytes.capacity() <= 4 * MOST);
}
