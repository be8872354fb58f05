//! NAME-4 and DESC-3 at their limits, exhaustively: characters of every width, raw and escaped, in every way
//! to a request.

use std::time::Duration;

use custom_models_core::access::RateLimit;
use custom_models_core::field::{Description, Field, Name, ViolationKind};
use custom_models_core::model::{DataFile, DataTotals, LeaseTime};
use custom_models_core::store::NewIdempotencyRecord;
use custom_models_core::{CreateModel, ModelId};

/// A character of one, two, three and four bytes, with its escape.
const WIDTHS: [(&str, &str); 4] =
    [("x", r"\u0078"), ("é", r"\u00e9"), ("語", r"\u8A9E"), ("😀", r"\ud83d\uDE00")];

fn kind_of(body: &str, field: Field) -> Option<ViolationKind> {
    let violations = CreateModel::from_json(body.as_bytes()).err()?;
    violations.get(field).map(|violation| violation.kind())
}

/// Checks the validation of a text that is `before` and `count` times each of `WIDTHS`.
fn assert_judged(
    field: Field,
    before: &str,
    count: usize,
    expected: Option<ViolationKind>,
    new: impl Fn(&str) -> Option<ViolationKind>,
) {
    for (raw, escaped) in WIDTHS {
        let text = format!("{before}{}", raw.repeat(count));
        assert_eq!(new(&text), expected, "{count} times {raw}");
        let half = count / 2;
        let mixed = format!("{}{}", raw.repeat(half), escaped.repeat(count - half));
        for written in [raw.repeat(count), escaped.repeat(count), mixed] {
            let body = match field {
                Field::Name => format!(r#"{{"name":"{before}{written}","language":"en"}}"#),
                _ => format!(r#"{{"name":"n","language":"en","description":"{before}{written}"}}"#),
            };
            assert_eq!(kind_of(&body, field), expected, "{count} times {raw}");
        }
    }
}

#[test]
fn name_4_accepts_200_characters_and_refuses_201() {
    for count in [0, 1, 2, 49, 50, 51, 99, 100, 101, 198, 199, 200, 201, 202, 400, 800, 801, 5000] {
        let expected = match count {
            0 => Some(ViolationKind::Blank),
            1..=200 => None,
            _ => Some(ViolationKind::TooLong),
        };
        let new = |text: &str| Name::new(text).err().map(|violation| violation.kind());
        assert_judged(Field::Name, "", count, expected, new);
        // One more byte shifts every character within the blocks in which they are counted.
        let expected = (count > 199).then_some(ViolationKind::TooLong);
        assert_judged(Field::Name, "n", count, expected, new);
    }
}

#[test]
fn desc_3_accepts_1000_characters_and_refuses_1001() {
    for count in [0, 1, 249, 250, 251, 499, 500, 501, 998, 999, 1000, 1001, 1002, 4000, 4001] {
        let new = |text: &str| Description::new(text).err().map(|violation| violation.kind());
        let expected = (count > 1000).then_some(ViolationKind::TooLong);
        assert_judged(Field::Description, "", count, expected, new);
        let expected = (count > 999).then_some(ViolationKind::TooLong);
        assert_judged(Field::Description, "d", count, expected, new);
    }
}

#[test]
fn the_bounds_are_the_figures_of_the_rules() {
    assert_eq!(CreateModel::MAX_BODY_BYTES, 65_536, "BODY-6");
    assert_eq!(ModelId::MAX, 9_007_199_254_740_991, "MODEL-1");
    assert_eq!(DataFile::MAX_BYTES, 10_737_418_240, "DATA-3");
    for (span, seconds, rule) in [
        (DataTotals::ENOUGH, 18_000, "DATA-5"),
        (LeaseTime::MAX, 86_400, "TRAIN-3"),
        (NewIdempotencyRecord::KEPT_FOR, 86_400, "IDEM-1"),
        (RateLimit::MAX_WINDOW, 2_678_400, "RATE-1"),
    ] {
        assert_eq!(span, Duration::from_secs(seconds), "{rule}");
    }
}
