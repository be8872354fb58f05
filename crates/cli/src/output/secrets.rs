//! Secrets that must not be shown: keys, and passwords in URLs.

use std::borrow::Cow;
use std::ffi::OsString;

/// A run of so many hexadecimal digits may be the secret of a key.
const LONGEST_PLAIN: usize = 31;

/// A message about arguments, without the secrets that stand in them.
pub(crate) fn without_secrets<'a>(message: &'a str, arguments: &[OsString]) -> Cow<'a, str> {
    let mut message = Cow::Borrowed(message);
    for argument in arguments {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').filter(|_| argument.starts_with('-'));
        for text in value.map(|(_, value)| value).into_iter().chain([&*argument]) {
            if let Some(shown) = hidden(text) {
                message = Cow::Owned(message.replace(text, &shown));
            }
        }
    }
    message
}

/// Something that may be a secret, as it may be shown; `None` of all else.
fn hidden(text: &str) -> Option<String> {
    if has_credentials(text) || text.to_ascii_lowercase().contains("password=") {
        return Some(without_password(text));
    }
    let digits = text.split(|character: char| !character.is_ascii_hexdigit());
    let is_secret =
        text.starts_with("cm_") || digits.into_iter().any(|it| it.len() > LONGEST_PLAIN);
    is_secret.then(|| "***".to_owned())
}

fn has_credentials(text: &str) -> bool {
    let user = text.rsplit_once('@').map(|(user, _)| user.split_once("//").map_or(user, |it| it.1));
    user.is_some_and(|user| user.contains(':'))
}

/// A URL of a server, to be shown: without its parameters and with `***` for a password.
pub(crate) fn without_password(url: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    // A password may have a question mark in it.
    let (place, parameters) = match url.rsplit_once('@') {
        Some((_, behind)) if parameters.contains('@') => {
            let end = url.len() - behind.len() + behind.find('?').unwrap_or(behind.len());
            (url.get(..end).unwrap_or(url), behind.split_once('?').map_or("", |it| it.1))
        }
        _ => (place, parameters),
    };
    let shown = match place.rsplit_once('@') {
        Some((user, host)) => {
            let (scheme, user) = match user.split_once("//") {
                Some((scheme, user)) => (format!("{scheme}//"), user),
                None => (String::new(), user),
            };
            match user.split_once(':') {
                Some((name, _)) => format!("{scheme}{name}:***@{host}"),
                None => place.to_owned(),
            }
        }
        None if place.to_ascii_lowercase().contains("password=") => "***".to_owned(),
        None => place.to_owned(),
    };
    if parameters.is_empty() { shown } else { format!("{shown}?…") }
}

#[cfg(test)]
mod tests;
