use crate::field::{Field, Violation, ViolationKind};
use crate::request::parameters::NamedValues;
use crate::request::violations::Violations;

/// The query parameters of a request to create a model (DRY-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreateParameters {
    /// True to validate the request without creating the model.
    pub validate_only: bool,
}

impl CreateParameters {
    /// Parses percent-decoded query parameters, or returns every violation. An unknown parameter is a
    /// violation.
    ///
    /// ```
    /// use custom_models_core::request::CreateParameters;
    ///
    /// assert!(CreateParameters::from_pairs([("validate_only", "true")])?.validate_only);
    /// # Ok::<(), custom_models_core::Violations>(())
    /// ```
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Violations> {
        let mut given = NamedValues::of_query(pairs, &[Field::ValidateOnly]);
        let validate_only = given.parse(Field::ValidateOnly, switch).unwrap_or_default();
        given.finish(Some(CreateParameters { validate_only }))
    }
}

fn switch(text: &str) -> Result<bool, Violation<'_>> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Violation::new(Field::ValidateOnly, ViolationKind::Unsupported)),
    }
}
