use super::*;

#[test]
fn a_line_that_never_ends_takes_no_memory_and_the_next_one_counts() {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    let mut take = |line: Line<'_>| match line {
        Line::Whole(line) => found.push(String::from_utf8(line.to_vec()).unwrap()),
        Line::Cut(line) => found.push(format!("cut at {}", line.len())),
    };
    for _ in 0..1000 {
        lines.push(&[b'x'; 1000], &mut take);
    }
    assert!(lines.kept.capacity() <= 2 * LONGEST);
    lines.push(b"\nshort\n\nin ", &mut take);
    lines.push(b"parts\nlast", &mut take);
    lines.push(b"", &mut take);
    lines.finish(&mut take);
    lines.finish(&mut take);
    assert_eq!(found, ["cut at 65536", "short", "in parts", "last"]);
    let longest = [&[b'y'; LONGEST][..], b"\n"].concat();
    let mut is_whole = false;
    lines.push(&longest, &mut |line| is_whole = matches!(line, Line::Whole(_)));
    assert!(is_whole);
}
