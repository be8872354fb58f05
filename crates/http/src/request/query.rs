//! The parameters of a query.

use axum::http::Uri;
use custom_models_core::Violations;

/// Has the parameters of a query judged, percent-decoded.
pub(crate) fn judged<T>(
    uri: &Uri,
    judge: impl for<'a> FnOnce(Vec<(&'a str, &'a str)>) -> Result<T, Violations<'a>>,
) -> Result<T, Violations<'static>> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    judge(pairs).map_err(Violations::into_owned)
}

/// Names every parameter of an operation that has none.
pub(crate) fn none(uri: &Uri) -> Result<(), Violations<'static>> {
    judged(uri, |pairs| {
        let unknown = Violations::of_unknown_parameters(pairs.into_iter().map(|(name, _)| name));
        if unknown.is_empty() { Ok(()) } else { Err(unknown) }
    })
}
