use std::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::field::{BaseModel, Description, Language, Name, ViolationKind};
use crate::model::NewModel;
use crate::request::deserialize::RawFieldsVisitor;
use crate::request::json::scan;
use crate::request::optional_text::OptionalText;
use crate::request::raw::{RawFields, RawValue};
use crate::request::violations::Violations;
use crate::time::Timestamp;

/// A valid request to create a model (BODY, NAME, DESC, LANG, BASE).
///
/// It is read from a JSON body, built in code, or deserialised with serde; all three run the same validation.
/// Nothing downstream validates it again.
///
/// ```
/// use custom_models_core::field::Field;
/// use custom_models_core::{CreateModel, Language};
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
///
/// Not `#[non_exhaustive]`: a host takes the four fields of a create apart.
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
    /// The most bytes of a body that a host reads: 64 KiB. A longer one is refused with a 413, unread
    /// (BODY-6).
    pub const MAX_BODY_BYTES: usize = 64 * 1024;

    /// Parses a request body, or returns every violation (BODY-1 to BODY-4).
    ///
    /// Borrows from `body` and copies only texts with escapes. The cost is linear in the length of `body`,
    /// which the caller bounds by [`Self::MAX_BODY_BYTES`]. Violations own their texts:
    ///
    /// ```
    /// use custom_models_core::CreateModel;
    ///
    /// fn name_of(body: &[u8]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    ///     Ok(CreateModel::from_json(body)?.name.to_string())
    /// }
    ///
    /// let body = String::from(r#"{"name":"Cardiology","language":"xx"}"#);
    /// let error = name_of(body.as_bytes()).unwrap_err();
    /// assert_eq!(error.to_string(), "language: Language 'xx' is not supported");
    /// ```
    pub fn from_json(body: &'a [u8]) -> Result<Self, Violations> {
        let mut fields = RawFields::default();
        match scan(body, &mut fields) {
            Ok(()) => validate(fields),
            Err(fault) => Err(fault.violations()),
        }
    }

    /// Starts a builder.
    pub fn builder() -> CreateModelBuilder<'a> {
        CreateModelBuilder::default()
    }

    /// Returns the model to create, with the time of its creation.
    pub fn into_new_model(self, created_at: Timestamp) -> NewModel {
        let CreateModel { name, language, base_model, description } = self.into_owned();
        NewModel { name, description, language, base_model, created_at }
    }

    /// Returns the same request with owned texts.
    pub fn into_owned(self) -> CreateModel<'static> {
        CreateModel {
            name: self.name.into_owned(),
            language: self.language,
            base_model: self.base_model,
            description: self.description.map(Description::into_owned),
        }
    }
}

/// A builder of a [`CreateModel`], which validates all fields at the end.
///
/// A field that is set twice keeps the later value; `None` leaves it out. Texts are borrowed or owned:
///
/// ```
/// use custom_models_core::{CreateModel, Language};
///
/// let (name, description) = (String::from("Cardiology"), None::<&str>);
/// let request =
///     CreateModel::builder().name(&name).language(Language::En).description(description).build()?;
/// assert_eq!(request, CreateModel::builder().name(name.clone()).language("en").build()?);
/// # Ok::<(), custom_models_core::Violations>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CreateModelBuilder<'a> {
    fields: RawFields<Cow<'a, str>>,
}

impl<'a> CreateModelBuilder<'a> {
    /// Sets the name.
    #[inline]
    pub fn name(mut self, name: impl OptionalText<'a>) -> Self {
        self.fields.name = name.into_text().into();
        self
    }

    /// Sets the language, by its code or as a [`Language`].
    #[inline]
    pub fn language(mut self, language: impl OptionalText<'a>) -> Self {
        self.fields.language = language.into_text().into();
        self
    }

    /// Sets the base model, by its name or as a [`BaseModel`]. The default is general (BASE-1).
    #[inline]
    pub fn base_model(mut self, base_model: impl OptionalText<'a>) -> Self {
        self.fields.base_model = base_model.into_text().into();
        self
    }

    /// Sets the description. The default is none (DESC-1).
    #[inline]
    pub fn description(mut self, description: impl OptionalText<'a>) -> Self {
        self.fields.description = description.into_text().into();
        self
    }

    /// Validates the fields, and returns the request or every violation (BODY-4).
    #[inline]
    pub fn build(self) -> Result<CreateModel<'a>, Violations> {
        validate(self.fields)
    }
}

/// Validates a create request: NAME, DESC, LANG and BASE, field by field.
///
/// Each field yields a result of a byte or two; the texts are moved once, after all fields are validated.
#[inline(always)]
fn validate<'a, T>(fields: RawFields<T>) -> Result<CreateModel<'a>, Violations>
where
    T: AsRef<str> + Into<Cow<'a, str>>,
{
    let name_fault = validate_name(&fields.name).err();
    let language = validate_language(&fields.language);
    let base_model = validate_base_model(&fields.base_model);
    let description_fault = validate_description(&fields.description).err();
    match (fields, language, base_model) {
        (
            RawFields { name: RawValue::Text(name), description, .. },
            Ok(language),
            Ok(base_model),
        ) if name_fault.is_none() && description_fault.is_none() => {
            let name = Name::from_validated(name.into());
            let description = match description {
                RawValue::Text(text) => Some(Description::from_validated(text.into())),
                _ => None,
            };
            Ok(CreateModel { name, language, base_model, description })
        }
        (fields, language, base_model) => {
            Err(refuse(fields, [name_fault, language.err(), base_model.err(), description_fault]))
        }
    }
}

#[inline]
fn refuse<'a, T: Into<Cow<'a, str>>>(
    fields: RawFields<T>,
    faults: [Option<ViolationKind>; 4],
) -> Violations {
    let [_, language, base_model, _] = faults;
    Violations::of_create(
        faults,
        language.and(fields.language.into_text()),
        base_model.and(fields.base_model.into_text()),
    )
}

/// Returns the text of a required field, or the kind of its violation; `null` counts as missing (NAME-1,
/// LANG-1).
#[inline]
fn required(found: &RawValue<impl AsRef<str>>) -> Result<&str, ViolationKind> {
    match found {
        RawValue::Text(text) => Ok(text.as_ref()),
        RawValue::Absent | RawValue::Null => Err(ViolationKind::Missing),
        RawValue::Other => Err(ViolationKind::WrongType),
        RawValue::Repeated => Err(ViolationKind::Repeated),
    }
}

#[inline]
fn validate_name(found: &RawValue<impl AsRef<str>>) -> Result<(), ViolationKind> {
    required(found).and_then(Name::validate)
}

#[inline]
fn validate_language(found: &RawValue<impl AsRef<str>>) -> Result<Language, ViolationKind> {
    Language::from_code(required(found)?).ok_or(ViolationKind::Unsupported)
}

#[inline]
fn validate_base_model(found: &RawValue<impl AsRef<str>>) -> Result<BaseModel, ViolationKind> {
    match found {
        RawValue::Absent => Ok(BaseModel::default()),
        RawValue::Text(name) => {
            BaseModel::from_name(name.as_ref()).ok_or(ViolationKind::Unsupported)
        }
        RawValue::Null | RawValue::Other => Err(ViolationKind::WrongType),
        RawValue::Repeated => Err(ViolationKind::Repeated),
    }
}

#[inline]
pub(crate) fn validate_description(found: &RawValue<impl AsRef<str>>) -> Result<(), ViolationKind> {
    match found {
        RawValue::Absent | RawValue::Null => Ok(()),
        RawValue::Text(text) => Description::validate(text.as_ref()),
        RawValue::Other => Err(ViolationKind::WrongType),
        RawValue::Repeated => Err(ViolationKind::Repeated),
    }
}

/// Deserialises from any self-describing format; the text of the error lists every violation.
///
/// Syntax errors are those of the deserializer. `serde_json` does not check ignored values, so only
/// [`CreateModel::from_json`] enforces BODY-1.
impl<'de> Deserialize<'de> for CreateModel<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(RawFieldsVisitor)?;
        validate(fields).map_err(D::Error::custom)
    }
}
