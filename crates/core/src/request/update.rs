use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::field::{Description, Name, ViolationKind};
use crate::model::Edit;
use crate::request::create::{FieldsVisitor, judge_description};
use crate::request::json::scan;
use crate::request::raw::{Fields, Found};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UpdateModel<'a> {
    /// The new name; `None` leaves it as it is.
    pub name: Option<Name<'a>>,
    /// The new description, or none of it from now on; `None` leaves it as it is.
    pub description: Option<Option<Description<'a>>>,
}

impl<'a> UpdateModel<'a> {
    /// Reads a request body, or says everything that is wrong with it, as
    /// [`CreateModel::from_json`](crate::request::CreateModel::from_json) does.
    pub fn from_json(body: &'a [u8]) -> Result<Self, Violations<'a>> {
        let mut fields = Fields::default();
        match scan(body, &mut fields) {
            Ok(()) => judge(fields),
            Err(fault) => Err(fault.violations()),
        }
    }

    /// Starts a request in code.
    pub fn builder() -> UpdateModelBuilder<'a> {
        UpdateModelBuilder::default()
    }

    /// The same request, owning its texts.
    pub fn into_owned(self) -> UpdateModel<'static> {
        UpdateModel {
            name: self.name.map(Name::into_owned),
            description: self.description.map(|it| it.map(Description::into_owned)),
        }
    }
}

/// The edit that the request asks for.
impl From<UpdateModel<'_>> for Edit {
    fn from(request: UpdateModel<'_>) -> Self {
        let UpdateModel { name, description } = request.into_owned();
        Edit::Update { name, description }
    }
}

/// Collects what an [`UpdateModel`] changes and judges it all at once.
///
/// A field that is set again keeps the later value.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UpdateModelBuilder<'a> {
    fields: Fields<&'a str>,
}

impl<'a> UpdateModelBuilder<'a> {
    /// Changes the name.
    pub fn name(mut self, name: &'a (impl AsRef<str> + ?Sized)) -> Self {
        self.fields.name = Found::Text(name.as_ref());
        self
    }

    /// Changes the description.
    pub fn description(mut self, description: &'a (impl AsRef<str> + ?Sized)) -> Self {
        self.fields.description = Found::Text(description.as_ref());
        self
    }

    /// Leaves the model without a description.
    pub fn no_description(mut self) -> Self {
        self.fields.description = Found::Null;
        self
    }

    /// Judges what was collected: a valid request, or every violation at once.
    pub fn build(self) -> Result<UpdateModel<'a>, Violations<'a>> {
        judge(self.fields)
    }
}

/// The one judge of an update.
fn judge<'a, T>(fields: Fields<T>) -> Result<UpdateModel<'a>, Violations<'a>>
where
    T: AsRef<str> + Into<Cow<'a, str>>,
{
    let Fields { name, language, base_model, description } = fields;
    let changes_nothing = matches!(name, Found::Absent) && matches!(description, Found::Absent);
    let faults = [
        changes_nothing.then_some(ViolationKind::NothingToChange),
        judge_name(&name).err(),
        judge_fixed(&language).err(),
        judge_fixed(&base_model).err(),
        judge_description(&description).err(),
    ];
    if faults.iter().any(Option::is_some) {
        return Err(Violations::of_update(faults));
    }
    Ok(UpdateModel {
        name: name.into_text().map(Name::judged),
        description: match description {
            Found::Text(text) => Some(Some(Description::judged(text.into()))),
            Found::Null => Some(None),
            _ => None,
        },
    })
}

/// As on creation, but that it may be absent, and that `null` is a wrong type (EDIT-1).
fn judge_name(found: &Found<impl AsRef<str>>) -> Result<(), ViolationKind> {
    match found {
        Found::Absent => Ok(()),
        Found::Text(text) => Name::judge(text.as_ref()),
        Found::Null | Found::Other => Err(ViolationKind::WrongType),
        Found::Repeated => Err(ViolationKind::Repeated),
    }
}

/// Refuses a field that is fixed at creation, whatever its value is (EDIT-2).
fn judge_fixed<T>(found: &Found<T>) -> Result<(), ViolationKind> {
    match found {
        Found::Absent => Ok(()),
        Found::Null | Found::Text(_) | Found::Other => Err(ViolationKind::Fixed),
        Found::Repeated => Err(ViolationKind::Repeated),
    }
}

/// Reads a request out of any self-describing format, as
/// [`CreateModel`](crate::request::CreateModel) does.
impl<'de> Deserialize<'de> for UpdateModel<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(FieldsVisitor)?;
        judge(fields).map_err(serde::de::Error::custom)
    }
}
