//! The query of a request.

use axum::http::Uri;
use custom_models_core::Violations;

/// The percent-decoded pairs of a query.
pub(crate) type Pairs<'p, 'a> = &'p mut dyn Iterator<Item = (&'a str, &'a str)>;

/// Parses the pairs of a query.
pub(crate) fn parse<T>(
    uri: &Uri,
    parse: impl for<'a> FnOnce(Pairs<'_, 'a>) -> Result<T, Violations>,
) -> Result<T, Violations> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let mut pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
    parse(&mut pairs)
}

/// Refuses every parameter, for an operation that has none.
pub(crate) fn reject_all(uri: &Uri) -> Result<(), Violations> {
    parse(uri, |pairs| {
        let unknown = Violations::of_unknown_parameters(pairs.map(|(name, _)| name));
        if unknown.is_empty() { Ok(()) } else { Err(unknown) }
    })
}
