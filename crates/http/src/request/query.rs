//! The query of a request.

use axum::http::Uri;
use custom_models_core::Violations;

/// Parses the percent-decoded pairs of a query.
pub(crate) fn parse<T>(
    uri: &Uri,
    parse: impl for<'a> FnOnce(Vec<(&'a str, &'a str)>) -> Result<T, Violations<'a>>,
) -> Result<T, Violations<'static>> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    parse(pairs).map_err(Violations::into_owned)
}

/// Refuses every parameter, for an operation that has none.
pub(crate) fn reject_all(uri: &Uri) -> Result<(), Violations<'static>> {
    parse(uri, |pairs| {
        let unknown = Violations::of_unknown_parameters(pairs.into_iter().map(|(name, _)| name));
        if unknown.is_empty() { Ok(()) } else { Err(unknown) }
    })
}
