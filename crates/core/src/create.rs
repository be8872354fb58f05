use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fields::{BodyFault, Fields, Found};
use crate::scan::scan;
use crate::{BaseModel, Description, Field, Language, Name, Violation, ViolationKind, Violations};

/// A valid request to create a model (sections 1 and 2).
///
/// There are three ways to one, from the bytes of a body, from a builder and through serde, and
/// one judge behind them. What is typed is valid: nothing downstream checks again.
///
/// ```
/// use custom_models_core::{CreateModel, Field, Language};
///
/// let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
/// assert_eq!(request.language, Language::En);
///
/// let violations = CreateModel::builder().name(" ").language("xx").build().unwrap_err();
/// assert_eq!(violations.len(), 2);
/// assert_eq!(
///     violations.get(Field::Language).unwrap().to_string(),
///     "Language 'xx' is not supported"
/// );
/// # Ok::<(), custom_models_core::Violations>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct CreateModel<'a> {
    /// The display name (NAME).
    pub name: Name<'a>,
    /// The language, fixed at creation (LANG).
    pub language: Language,
    /// The base model, fixed at creation (BASE).
    pub base_model: BaseModel,
    /// The description, if there is one (DESC).
    pub description: Option<Description<'a>>,
}

impl<'a> CreateModel<'a> {
    /// Reads a request body, or says everything that is wrong with it (BODY-1 to BODY-4).
    ///
    /// Borrows from `body`; only a text that holds an escape is copied. The cost is linear in the
    /// length of `body`, which the caller bounds (BODY-6: 64 KiB over HTTP).
    pub fn from_json(body: &'a [u8]) -> Result<Self, Violations<'a>> {
        match scan(body) {
            Ok(fields) => judge(fields),
            Err(BodyFault::NotJson) => Err(body_violation(ViolationKind::NotJson)),
            Err(BodyFault::NotAnObject) => Err(body_violation(ViolationKind::NotAnObject)),
        }
    }

    /// Starts a request in code.
    pub fn builder() -> CreateModelBuilder<'a> {
        CreateModelBuilder::default()
    }

    /// The same request, owning its texts.
    pub fn into_owned(self) -> CreateModel<'static> {
        CreateModel {
            name: self.name.into_owned(),
            language: self.language,
            base_model: self.base_model,
            description: self.description.map(Description::into_owned),
        }
    }
}

#[cold]
fn body_violation(kind: ViolationKind) -> Violations<'static> {
    Violation::new(Field::Body, kind).into()
}

/// Collects the fields of a [`CreateModel`] and judges them all at once.
///
/// A field that is set again keeps the later value.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CreateModelBuilder<'a> {
    fields: Fields<'a>,
}

impl<'a> CreateModelBuilder<'a> {
    /// Sets the name.
    #[inline]
    pub fn name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.fields.name = Found::Text(name.into());
        self
    }

    /// Sets the language, by its code or as a [`Language`].
    #[inline]
    pub fn language(mut self, language: impl Into<Cow<'a, str>>) -> Self {
        self.fields.language = Found::Text(language.into());
        self
    }

    /// Sets the base model, by its name or as a [`BaseModel`]. Without it: general (BASE-1).
    #[inline]
    pub fn base_model(mut self, base_model: impl Into<Cow<'a, str>>) -> Self {
        self.fields.base_model = Found::Text(base_model.into());
        self
    }

    /// Sets the description. Without it there is none (DESC-1).
    #[inline]
    pub fn description(mut self, description: impl Into<Cow<'a, str>>) -> Self {
        self.fields.description = Found::Text(description.into());
        self
    }

    /// Judges what was collected: a valid request, or every violation at once (BODY-4).
    #[inline]
    pub fn build(self) -> Result<CreateModel<'a>, Violations<'a>> {
        judge(self.fields)
    }
}

/// The one judge of a create request: the rules of section 2 in their order, field by field.
#[inline]
fn judge(fields: Fields<'_>) -> Result<CreateModel<'_>, Violations<'_>> {
    let name = required(Field::Name, fields.name).and_then(Name::new);
    let language = required(Field::Language, fields.language).and_then(Language::judge);
    let base_model = judge_base_model(fields.base_model);
    let description = judge_description(fields.description);
    match (name, language, base_model, description) {
        (Ok(name), Ok(language), Ok(base_model), Ok(description)) => {
            Ok(CreateModel { name, language, base_model, description })
        }
        (name, language, base_model, description) => {
            let mut violations = Violations::default();
            let found = [name.err(), language.err(), base_model.err(), description.err()];
            found.into_iter().flatten().for_each(|violation| violations.note(violation));
            Err(violations)
        }
    }
}

/// A field that must be there, where `null` counts as missing (NAME-1, LANG-1).
#[inline]
fn required(field: Field, found: Found<'_>) -> Result<Cow<'_, str>, Violation<'_>> {
    match found {
        Found::Text(text) => Ok(text),
        Found::Absent | Found::Null => Err(Violation::new(field, ViolationKind::Missing)),
        Found::Other => Err(Violation::new(field, ViolationKind::WrongType)),
        Found::Repeated => Err(Violation::new(field, ViolationKind::Repeated)),
    }
}

#[inline]
fn judge_base_model(found: Found<'_>) -> Result<BaseModel, Violation<'_>> {
    match found {
        Found::Absent => Ok(BaseModel::default()),
        Found::Text(text) => BaseModel::judge(text),
        Found::Null | Found::Other => {
            Err(Violation::new(Field::BaseModel, ViolationKind::WrongType))
        }
        Found::Repeated => Err(Violation::new(Field::BaseModel, ViolationKind::Repeated)),
    }
}

#[inline]
fn judge_description(found: Found<'_>) -> Result<Option<Description<'_>>, Violation<'_>> {
    match found {
        Found::Absent | Found::Null => Ok(None),
        Found::Text(text) => Description::new(text).map(Some),
        Found::Other => Err(Violation::new(Field::Description, ViolationKind::WrongType)),
        Found::Repeated => Err(Violation::new(Field::Description, ViolationKind::Repeated)),
    }
}

/// Reads a request out of any self-describing format; the error's text lists every violation.
///
/// What is wrong with the format itself is the deserializer's to say: `serde_json` does not look
/// into values that are ignored, so [`CreateModel::from_json`] is the one that holds BODY-1.
impl<'de> Deserialize<'de> for CreateModel<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(FieldsVisitor)?;
        judge(fields).map_err(D::Error::custom)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the fields of a custom model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match fields.named(&key) {
                Some(found) => found.note(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Found<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FoundVisitor)
    }
}

/// Takes a value of any type for what it is, so that a wrong type is a violation of its field and
/// not an error of the whole.
struct FoundVisitor;

impl<'de> Visitor<'de> for FoundVisitor {
    type Value = Found<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Owned(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Found::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Found::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }
}
