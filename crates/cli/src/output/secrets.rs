//! Hiding secrets in messages: keys, and passwords in URLs.

use std::borrow::Cow;
use std::ffi::OsString;

/// The longest run of hexadecimal digits that is shown. A longer one may be the secret of a key.
const LONGEST_PLAIN: usize = 31;

/// Removes the secrets of arguments from a message about them.
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

/// Returns the form in which a possible secret is shown; `None` for other texts.
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

/// Formats the URL of a server without its parameters and with `***` for its password.
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
