use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::field::{Description, Name, ViolationKind};
use crate::model::Edit;
use crate::request::create::validate_description;
use crate::request::deserialize::RawFieldsVisitor;
use crate::request::json::scan;
use crate::request::optional_text::OptionalText;
use crate::request::raw::{RawFields, RawValue};
use crate::request::violations::Violations;

/// A valid request to change the name or the description of a model, or both (EDIT-1, EDIT-2).
///
/// ```
/// use custom_models_core::field::Field;
/// use custom_models_core::UpdateModel;
///
/// let request = UpdateModel::from_json(br#"{"name":"Cardiology","description":null}"#)?;
/// assert_eq!(request.name.unwrap().as_str(), "Cardiology");
/// assert_eq!(request.description, Some(None));
///
/// let violations = UpdateModel::from_json(br#"{"language":"nl"}"#).unwrap_err();
/// assert_eq!(
///     violations.get(Field::Language).unwrap().to_string(),
///     "Language cannot be changed after creation"
/// );
/// # Ok::<(), custom_models_core::Violations>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct UpdateModel<'a> {
    /// The new name; `None` keeps the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name<'a>>,
    /// The new description, where `Some(None)` removes it; `None` keeps the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<Description<'a>>>,
}

impl<'a> UpdateModel<'a> {
    /// Parses a request body, or returns every violation, as
    /// [`CreateModel::from_json`](crate::request::CreateModel::from_json) does.
    pub fn from_json(body: &'a [u8]) -> Result<Self, Violations> {
        let mut fields = RawFields::default();
        match scan(body, &mut fields) {
            Ok(()) => validate(fields),
            Err(fault) => Err(fault.violations()),
        }
    }

    /// Starts a builder.
    pub fn builder() -> UpdateModelBuilder<'a> {
        UpdateModelBuilder::default()
    }

    /// Returns the same request with owned texts.
    pub fn into_owned(self) -> UpdateModel<'static> {
        UpdateModel {
            name: self.name.map(Name::into_owned),
            description: self.description.map(|it| it.map(Description::into_owned)),
        }
    }
}

/// Converts the request into its edit.
impl From<UpdateModel<'_>> for Edit {
    fn from(request: UpdateModel<'_>) -> Self {
        let UpdateModel { name, description } = request.into_owned();
        Edit::Update { name, description }
    }
}

/// A builder of an [`UpdateModel`], which validates all fields at the end.
///
/// A field that is set twice keeps the later value; `None` leaves the model's value.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UpdateModelBuilder<'a> {
    fields: RawFields<Cow<'a, str>>,
}

impl<'a> UpdateModelBuilder<'a> {
    /// Changes the name.
    pub fn name(mut self, name: impl OptionalText<'a>) -> Self {
        self.fields.name = name.into_text().into();
        self
    }

    /// Changes the description.
    pub fn description(mut self, description: impl OptionalText<'a>) -> Self {
        self.fields.description = description.into_text().into();
        self
    }

    /// Removes the description.
    pub fn no_description(mut self) -> Self {
        self.fields.description = RawValue::Null;
        self
    }

    /// Validates the fields, and returns the request or every violation.
    pub fn build(self) -> Result<UpdateModel<'a>, Violations> {
        validate(self.fields)
    }
}

/// Validates an update.
fn validate<'a, T>(fields: RawFields<T>) -> Result<UpdateModel<'a>, Violations>
where
    T: AsRef<str> + Into<Cow<'a, str>>,
{
    let RawFields { name, language, base_model, description } = fields;
    let changes_nothing =
        matches!(name, RawValue::Absent) && matches!(description, RawValue::Absent);
    let faults = [
        changes_nothing.then_some(ViolationKind::NothingToChange),
        validate_name(&name).err(),
        validate_fixed(&language).err(),
        validate_fixed(&base_model).err(),
        validate_description(&description).err(),
    ];
    if faults.iter().any(Option::is_some) {
        return Err(Violations::of_update(faults));
    }
    Ok(UpdateModel {
        name: name.into_text().map(Name::from_validated),
        description: match description {
            RawValue::Text(text) => Some(Some(Description::from_validated(text.into()))),
            RawValue::Null => Some(None),
            _ => None,
        },
    })
}

/// Validates the name as for a create, except that it may be absent and that `null` is a wrong type (EDIT-1).
fn validate_name(found: &RawValue<impl AsRef<str>>) -> Result<(), ViolationKind> {
    match found {
        RawValue::Absent => Ok(()),
        RawValue::Text(text) => Name::validate(text.as_ref()),
        RawValue::Null | RawValue::Other => Err(ViolationKind::WrongType),
        RawValue::Repeated => Err(ViolationKind::Repeated),
    }
}

/// Refuses a field that is fixed at creation, whatever its value (EDIT-2).
fn validate_fixed<T>(found: &RawValue<T>) -> Result<(), ViolationKind> {
    match found {
        RawValue::Absent => Ok(()),
        RawValue::Null | RawValue::Text(_) | RawValue::Other => Err(ViolationKind::Fixed),
        RawValue::Repeated => Err(ViolationKind::Repeated),
    }
}

/// Deserialises from any self-describing format, as [`CreateModel`](crate::request::CreateModel) does.
impl<'de> Deserialize<'de> for UpdateModel<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(RawFieldsVisitor)?;
        validate(fields).map_err(serde::de::Error::custom)
    }
}
