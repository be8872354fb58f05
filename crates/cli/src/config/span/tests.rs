use super::*;

#[test]
fn a_span_is_a_number_and_a_unit() {
    let start = Timestamp::from_unix_seconds(1000).unwrap();
    for (text, seconds) in [("1s", 1), ("2m", 120), ("3h", 10_800), ("90d", 7_776_000)] {
        let end = text.parse::<Span>().unwrap().after(start);
        assert_eq!(end.unix_seconds(), 1000 + seconds, "{text}");
    }
    for text in ["", "d", "0d", "-1d", "+1d", "1", "1w", "1.5h", "99999999999999999999d", "36501d"]
    {
        assert_eq!(text.parse::<Span>(), Err(InvalidSpan), "{text}");
    }
}
