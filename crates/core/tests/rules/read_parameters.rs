//! READ-1: the parameters of a list.

use std::num::NonZeroU64;

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::TrainingStatus;
use custom_models_core::request::{CreateParameters, PerPage, Start};
use custom_models_core::{BaseModel, Language, ListModels};
use proptest::prelude::*;

use crate::support::{config, is_language, kinds, tape};

const PARAMETERS: [(&str, Field); 5] = [
    ("language", Field::Language),
    ("base_model", Field::BaseModel),
    ("page", Field::Page),
    ("per_page", Field::PerPage),
    ("status", Field::Status),
];

/// Returns true if the rules allow this value of a parameter.
fn is_allowed(field: Field, value: &str) -> bool {
    let in_range = |range: std::ops::RangeInclusive<u128>| {
        let is_decimal = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        is_decimal && value.parse().is_ok_and(|number| range.contains(&number))
    };
    match field {
        // There is no last page: pages past the end are empty.
        Field::Page => {
            let digits = value.trim_start_matches('0');
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Field::PerPage => in_range(1..=100),
        Field::Status => in_range(1..=5),
        Field::Language => is_language(value),
        _ => ["general", "medical", "legal", "technical"].contains(&value),
    }
}

const KEYS: [&str; 7] = ["page", "per_page", "status", "language", "base_model", "Page", "sort"];

const VALUES: [&str; 26] = [
    "1",
    "2",
    "5",
    "6",
    "25",
    "99",
    "100",
    "101",
    "0",
    "-1",
    "+1",
    "1.0",
    "",
    " 1",
    "1e1",
    "abc",
    "18446744073709551615",
    "18446744073709551616",
    "4294967297",
    "257",
    "en",
    "xx",
    "legal",
    "Legal",
    "١",
    "0x1",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn read_1_every_parameter_that_is_wrong_is_named(mut tape in tape()) {
        let mut pairs = Vec::new();
        for _ in 0..tape.below(8) {
            let key = tape.of(&KEYS);
            pairs.push((key, tape.of(&VALUES)));
        }
        let mut expected: Vec<_> = PARAMETERS
            .into_iter()
            .filter_map(|(key, field)| {
                let values: Vec<_> = pairs.iter().filter(|(name, _)| *name == key).collect();
                match values[..] {
                    [] => None,
                    [(_, value)] if is_allowed(field, value) => None,
                    [_] => Some((field, ViolationKind::Unsupported)),
                    _ => Some((field, ViolationKind::Repeated)),
                }
            })
            .collect();
        expected.sort();
        let is_unknown = |key: &&str| pairs.iter().any(|(name, _)| name == key);
        let unknown: Vec<_> = ["Page", "sort"].into_iter().filter(is_unknown).collect();
        match ListModels::from_pairs(pairs.clone()) {
            Ok(request) => {
                prop_assert_eq!(expected, []);
                prop_assert_eq!(unknown, [""; 0]);
                let given = |key| {
                    let pair = pairs.iter().find(|(name, _)| *name == key);
                    pair.map(|(_, value)| *value)
                };
                let number = |key| given(key).map(|value| value.parse::<u64>().unwrap());
                let page = given("page").map(|page| page.parse().unwrap_or(u64::MAX));
                let page = NonZeroU64::new(page.unwrap_or(1)).unwrap();
                prop_assert_eq!(request.start, Start::Page(page));
                let per_page = u64::from(request.per_page.get());
                prop_assert_eq!(per_page, number("per_page").unwrap_or(25));
                let filter = request.filter;
                let status = filter.status.map(|status| u64::from(status.number()));
                prop_assert_eq!(status, number("status"));
                prop_assert_eq!(filter.language.map(Language::as_str), given("language"));
                let base_model = filter.base_model.map(BaseModel::as_str);
                prop_assert_eq!(base_model, given("base_model"));
            }
            Err(violations) => {
                prop_assert_eq!(kinds(&violations), expected);
                let mut told: Vec<_> = violations.unknown_parameters().collect();
                told.sort_unstable();
                prop_assert_eq!(told, unknown);
            }
        }
    }
}

#[test]
fn read_1_the_parameters_have_their_ranges() {
    for number in 0..=300u32 {
        assert_eq!(PerPage::new(number).is_ok(), (1..=100).contains(&number), "{number}");
        let text = number.to_string();
        let per_page = ListModels::from_pairs([("per_page", &*text)]);
        assert_eq!(per_page.is_ok(), (1..=100).contains(&number), "{number}");
        let status = ListModels::from_pairs([("status", &*text)]);
        assert_eq!(status.is_ok(), (1..=5).contains(&number), "{number}");
        let page = ListModels::from_pairs([("page", &*text)]);
        assert_eq!(page.is_ok(), number > 0, "{number}");
    }
    let read = ListModels::from_pairs([("status", "4"), ("language", "nl")]).unwrap();
    assert_eq!(read.filter.status, Some(TrainingStatus::Success));
    assert_eq!(read.filter.language, Some(Language::Nl));
}

#[test]
fn read_1_says_what_is_wrong_with_a_parameter() {
    let pairs = [
        ("page", "0"),
        ("per_page", "101"),
        ("status", "6"),
        ("language", "EN"),
        ("base_model", "x\n"),
    ];
    let violations = ListModels::from_pairs(pairs).unwrap_err();
    assert_eq!(
        serde_json::to_string(&violations).unwrap(),
        concat!(
            r#"{"language":"Language 'EN' is not supported","#,
            r#""base_model":"Base model 'x\\u{a}' is not one of general, medical, legal, technical","#,
            r#""page":"Page must be an integer of at least 1","#,
            r#""per_page":"Per page must be an integer from 1 to 100","#,
            r#""status":"Status must be an integer from 1 to 5"}"#
        )
    );
    let twice = ListModels::from_pairs([("page", "1"), ("page", "1")]).unwrap_err();
    assert_eq!(twice.to_string(), "page: Page is given more than once");
}

#[test]
fn dry_1_validate_only_is_true_or_false() {
    let of = |pairs: &[(&'static str, &'static str)]| {
        let parameters = CreateParameters::from_pairs(pairs.iter().copied());
        parameters.map(|it| it.validate_only).map_err(|violations| kinds(&violations))
    };
    let is_violated = |kind| Err(vec![(Field::ValidateOnly, kind)]);
    let (yes, no) = (("validate_only", "true"), ("validate_only", "false"));
    assert_eq!([of(&[]), of(&[yes]), of(&[no])], [Ok(false), Ok(true), Ok(false)]);
    for text in ["", "TRUE", "1", "true "] {
        let found = of(&[("validate_only", text)]);
        assert_eq!(found, is_violated(ViolationKind::Unsupported), "{text:?}");
    }
    assert_eq!(of(&[yes, yes]), is_violated(ViolationKind::Repeated));
}
