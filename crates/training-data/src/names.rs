//! Names of files: those given by senders, which are data and never paths (DATA-4), and those of contents.

use custom_models_core::field::ViolationKind;

use crate::AudioFormat;

/// The longest name in bytes, which most file systems accept.
pub(crate) const LONGEST: usize = 255;

/// Returns the format that the name of an audio file implies.
pub(crate) fn audio(name: &str) -> Result<AudioFormat, ViolationKind> {
    not_too_long(name)?;
    AudioFormat::of_name(name).ok_or(ViolationKind::Unsupported)
}

/// Checks that a name is that of a transcript.
pub(crate) fn transcript(name: &str) -> Result<(), ViolationKind> {
    not_too_long(name)?;
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    let is_text = extension.is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("txt"));
    if is_text { Ok(()) } else { Err(ViolationKind::Unsupported) }
}

const fn not_too_long(name: &str) -> Result<(), ViolationKind> {
    if name.len() > LONGEST { Err(ViolationKind::TooLong) } else { Ok(()) }
}

/// Returns true if a text is a name that a [`Folder`](crate::Folder) assigns: 32 hexadecimal digits in lower
/// case, so no name leads out of its folder.
pub fn is_name(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.len() == 32 && name.bytes().all(is_digit)
}
