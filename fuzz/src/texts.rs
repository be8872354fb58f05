//! Target `texts`: every type that is parsed from a text.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use custom_models_core::field::{Description, Name, Violation};
use custom_models_core::request::Start;
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, Language, ListModels, ModelId, ModelKey, Organisation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::judge::{echo, is_base_model, is_blank, is_language};

/// Parses a text as every type, and compares each result with a simple implementation of the rule.
pub fn check(text: &str) {
    check_fields(text);
    check_ids(text);
    check_organisation(text);
    check_timestamps(text);
    check_list(text);
}

fn check_fields(text: &str) {
    let length = text.chars().count();
    let name = if is_blank(text) {
        Err("Name cannot be empty".to_owned())
    } else if length > 200 {
        Err("Name cannot exceed 200 characters".to_owned())
    } else {
        Ok(())
    };
    let description = if length > 1000 {
        Err("Description cannot exceed 1000 characters".to_owned())
    } else {
        Ok(())
    };
    let language = if is_language(text) {
        Ok(())
    } else {
        Err(format!("Language '{}' is not supported", echo(text)))
    };
    let base_model = if is_base_model(text) {
        Ok(())
    } else {
        let known = "general, medical, legal, technical";
        Err(format!("Base model '{}' is not one of {known}", echo(text)))
    };
    check_field(text, &name, Name::new(text));
    check_field(text, &description, Description::new(text));
    check_field(text, &language, Language::try_from(text));
    check_field(text, &base_model, BaseModel::try_from(text));
    check_text::<Name<'static>>(text, &name);
    check_text::<Description<'static>>(text, &description);
    check_text::<Language>(text, &language);
    check_text::<BaseModel>(text, &base_model);
    check_serde::<Name<'static>>(text, &name);
    check_serde::<Description<'static>>(text, &description);
    check_serde::<Language>(text, &language);
    check_serde::<BaseModel>(text, &base_model);
}

/// Checks a borrowed field: the result, the message, and the unchanged text.
fn check_field<T: Display>(
    text: &str,
    expected: &Result<(), String>,
    found: Result<T, Violation<'_>>,
) {
    let told = found.map(|value| value.to_string()).map_err(|violation| violation.to_string());
    assert_eq!(told, expected.clone().map(|()| text.to_owned()));
}

/// Checks parsing, formatting and parsing again.
fn check_text<T>(text: &str, expected: &Result<(), String>)
where
    T: FromStr<Err: Display> + Display + Debug + PartialEq,
{
    match text.parse::<T>() {
        Err(error) => assert_eq!(Err(error.to_string()), *expected, "{text:?}"),
        Ok(value) => {
            assert_eq!(Ok(()), *expected, "{text:?}");
            assert_eq!(value.to_string(), text);
            assert_eq!(value.to_string().parse::<T>().ok(), Some(value));
        }
    }
}

/// Checks that JSON strings are parsed by the same rule, and written as one.
fn check_serde<T>(text: &str, expected: &Result<(), String>)
where
    T: Serialize + DeserializeOwned + FromStr<Err: Debug> + Debug + PartialEq,
{
    let quoted = serde_json::to_string(text).unwrap();
    match serde_json::from_str::<T>(&quoted) {
        // The deserializer may append the position at which it stopped.
        Err(error) => assert!(
            expected.as_ref().is_err_and(|message| error.to_string().starts_with(message)),
            "{text:?}: {error}"
        ),
        Ok(value) => {
            assert_eq!(Ok(()), *expected, "{text:?}");
            assert_eq!(serde_json::to_string(&value).unwrap(), quoted);
            assert_eq!(value, text.parse::<T>().unwrap());
        }
    }
}

const LARGEST_ID: u128 = (1 << 53) - 1;

/// Returns the value of decimal digits of any size; `None` for anything else.
fn number(text: &str) -> Option<u128> {
    let digit = |character: char| character.to_digit(10).map(u128::from);
    let add = |sum: u128, digit| sum.saturating_mul(10).saturating_add(digit);
    (!text.is_empty())
        .then(|| text.chars().try_fold(0, |sum, each| Some(add(sum, digit(each)?))))?
}

fn check_ids(text: &str) {
    const NO_ID: &str = "not the id of a model: an integer from 1 to 2^53 - 1";
    let verdict = |text: &str| {
        let in_range = number(text).is_some_and(|id| (1..=LARGEST_ID).contains(&id));
        if in_range && !text.starts_with('0') { Ok(()) } else { Err(NO_ID.to_owned()) }
    };
    let id = verdict(text);
    check_text::<ModelId>(text, &id);
    // With the prefix, more texts are valid keys.
    for key in [text, &format!("custom_model_{text}")] {
        let expected = match key.split_once("custom_model_") {
            Some(("", id)) => verdict(id),
            _ => Err(NO_ID.to_owned()),
        };
        check_text::<ModelKey>(key, &expected);
        check_serde::<ModelKey>(key, &expected);
    }
    if let Ok(id) = text.parse::<ModelId>() {
        assert_eq!(Some(u128::from(id.get())), number(text));
        assert_eq!(ModelId::new(id.get()), Ok(id));
        assert_eq!(ModelId::try_from(i64::from(id)), Ok(id));
        assert_eq!(id.key().to_string(), format!("custom_model_{text}"));
        assert_eq!(id.key().id(), id);
    }
    // In JSON an id is a number; another text that parses as JSON is not an id.
    let read = serde_json::from_str::<ModelId>(text);
    match serde_json::from_str::<u64>(text) {
        Ok(number) if (1..=LARGEST_ID).contains(&number.into()) => {
            let id = read.unwrap();
            assert_eq!(id.get(), number);
            assert_eq!(serde_json::to_string(&id).unwrap(), number.to_string());
        }
        _ => assert!(read.is_err(), "{text:?}"),
    }
}

fn check_organisation(text: &str) {
    let is_allowed = |character| matches!(character, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-');
    let expected = if (1..=64).contains(&text.chars().count()) && text.chars().all(is_allowed) {
        Ok(())
    } else {
        Err("an organisation is named by 1 to 64 characters of A-Z a-z 0-9 _ -".to_owned())
    };
    check_text::<Organisation>(text, &expected);
}

fn check_timestamps(text: &str) {
    let expected = match seconds(text) {
        Some(_) => Ok(()),
        None => Err(text.parse::<Timestamp>().unwrap_err().to_string()),
    };
    check_text::<Timestamp>(text, &expected);
    check_serde::<Timestamp>(text, &expected);
    if let Ok(moment) = text.parse::<Timestamp>() {
        assert_eq!(Some(moment.unix_seconds()), seconds(text));
    }
    // The text's first bytes as a number: any timestamp, and mostly none.
    let Some((bytes, _)) = text.as_bytes().split_first_chunk::<8>() else {
        return;
    };
    let number = i64::from_le_bytes(*bytes);
    let in_range = |number| (-62_167_219_200..=253_402_300_799).contains(&number);
    for number in [number, number % (1 << 39), number % (1 << 32)] {
        let moment = Timestamp::from_unix_seconds(number);
        assert_eq!(moment.is_ok(), in_range(number), "{number}");
        if let Ok(moment) = moment {
            assert_eq!(moment.unix_seconds(), number);
            assert_eq!(seconds(&moment.to_string()), Some(number));
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }
}

/// Returns the seconds since 1970 of a text like `2025-01-15T10:00:00Z`, by counting days; `None` for another
/// form.
fn seconds(text: &str) -> Option<i64> {
    let form: String =
        text.chars().map(|each| if each.is_ascii_digit() { '0' } else { each }).collect();
    if form != "0000-00-00T00:00:00Z" {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    let is_leap = |year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (before, rest) = months.split_at_checked(usize::try_from(month - 1).ok()?)?;
    let in_day = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !in_day || !(1..=*rest.first()?).contains(&day) {
        return None;
    }
    let leap_years = |year: i64| {
        // The number of leap years from 1 to `year`, or minus the number from `year` to 0.
        year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
    };
    let years = (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969);
    let days = years + before.iter().sum::<i64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn is_within(text: &str, largest: u128) -> bool {
    number(text).is_some_and(|number| (1..=largest).contains(&number))
}

/// Checks the text as the parameters of a list: `key=value&key=value`.
fn check_list(text: &str) {
    let pairs: Vec<(&str, &str)> =
        text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let mut expected = Vec::new();
    let mut judge = |field: &'static str, is_right: fn(&str) -> bool| {
        let mut values = pairs.iter().filter(|(key, _)| *key == field).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => expected.push((field, "repeated")),
            (Some(value), None) if !is_right(value) => expected.push((field, "unsupported")),
            (value, _) => return value,
        }
        None
    };
    let language = judge("language", is_language);
    let base_model = judge("base_model", is_base_model);
    let page = judge("page", |value| {
        let digits = value.trim_start_matches('0');
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let per_page = judge("per_page", |value| is_within(value, 100));
    let status = judge("status", |value| is_within(value, 5));
    match ListModels::from_pairs(pairs.iter().copied()) {
        Err(violations) => {
            let told: Vec<_> = violations
                .iter()
                .map(|each| (each.field().as_str(), each.kind().as_str()))
                .collect();
            assert_eq!(told, expected, "{text:?}");
        }
        Ok(ListModels { filter, start, per_page: size }) => {
            assert!(expected.is_empty(), "{text:?}: {expected:?}");
            assert_eq!(filter.language.map(Language::as_str), language);
            assert_eq!(filter.base_model.map(BaseModel::as_str), base_model);
            let told = filter.status.map(|status| status.number().into());
            assert_eq!(told, status.and_then(number));
            assert_eq!(u128::from(size.get()), per_page.and_then(number).unwrap_or(25));
            let Start::Page(number_of_page) = start else {
                panic!("a query begins at a page");
            };
            // A number larger than any page is past the end too.
            let page = page.map_or(1, |page| page.parse().unwrap_or(u64::MAX));
            assert_eq!(number_of_page.get(), page);
        }
    }
}
