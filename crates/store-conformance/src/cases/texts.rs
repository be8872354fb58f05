//! Round trips of values: every text, time, language and base model, before and after reopening.

use custom_models_core::field::{Description, Name};
use custom_models_core::model::NewModel;
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, Language};

use crate::Builder;
use crate::client::fresh;
use crate::sample::{description, model, moment, name, organisation};
use crate::verdict::Checked;

/// Texts that some layer below a store might change, truncate or misinterpret.
const HOSTILE: &[&str] = &[
    "\0",
    "a\0b",
    "ends in \0",
    "e\u{301}",
    "\u{e9}",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{d55c}",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦 🇳🇱 👍🏽",
    "نموذج القلب",
    "מודל \u{202e}desrever\u{202c}",
    "\u{feff}begins with a byte-order mark",
    " spaces around ",
    "\ttab, line\r\nand\nline\u{2028}and line\u{85}",
    "x\u{3000}\u{a0}",
    "'; DROP TABLE models; --",
    "\"quoted\" \\ back\\slash \\0 \\u0000 %s %00 ${x}",
    "{\"name\":null}",
    "NULL",
    "null",
    "123",
    "0123",
    "1e3",
    "-0.0",
    "true",
    "_%*?",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "\u{1}\u{7f}\u{80}\u{9f}",
    "ß ẞ ı İ ǆ",
];

/// Creates every model, and checks that all are stored as sent, before and after reopening.
fn survive(builder: &dyn Builder, models: &[NewModel]) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let created = store.create_all(&acme, models)?;
    store.expect(&acme, &created)?;
    store.reopen(&*place)?.expect(&acme, &created)
}

pub(crate) fn name_5_every_name_comes_back_as_it_was_sent(builder: &dyn Builder) -> Checked {
    let longest = ["a", "é", "語", "𐍈"].map(|character| character.repeat(Name::MAX_CHARACTERS));
    let models: Checked<Vec<_>> = HOSTILE
        .iter()
        .copied()
        .chain(longest.iter().map(String::as_str))
        .map(|text| Ok(NewModel { name: name(text)?, ..model(0)? }))
        .collect();
    survive(builder, &models?)
}

pub(crate) fn desc_4_every_description_comes_back_and_empty_is_not_none(
    builder: &dyn Builder,
) -> Checked {
    let longest =
        ["a", "é", "語", "𐍈", "\0"].map(|character| character.repeat(Description::MAX_CHARACTERS));
    let texts = HOSTILE
        .iter()
        .copied()
        .chain(["", " ", "\u{2003}"])
        .chain(longest.iter().map(String::as_str));
    let models: Checked<Vec<_>> = [None]
        .into_iter()
        .chain(texts.map(Some))
        .map(|text| Ok(NewModel { description: text.map(description).transpose()?, ..model(0)? }))
        .collect();
    survive(builder, &models?)
}

pub(crate) fn model_4_every_moment_comes_back(builder: &dyn Builder) -> Checked {
    let seconds = [
        -1,
        0,
        1,
        i64::from(i32::MAX),
        i64::from(i32::MAX) + 1,
        i64::from(u32::MAX) + 1,
        951_782_400,
    ];
    let mut moments = vec![Timestamp::MIN, Timestamp::MAX];
    for second in seconds {
        moments.push(moment(second)?);
    }
    let models: Checked<Vec<_>> =
        moments.into_iter().map(|created_at| Ok(NewModel { created_at, ..model(0)? })).collect();
    survive(builder, &models?)
}

pub(crate) fn lang_4_base_4_every_language_and_base_model_comes_back(
    builder: &dyn Builder,
) -> Checked {
    let mut models = Vec::new();
    for &language in Language::ALL {
        for base_model in BaseModel::ALL {
            models.push(NewModel { language, base_model, ..model(0)? });
        }
    }
    survive(builder, &models)
}
