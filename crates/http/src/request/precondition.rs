//! `If-Match` and `If-None-Match`: the revisions of a model that a client knows (EDIT-4).

use axum::http::{HeaderMap, HeaderName, header};
use custom_models_core::CustomModel;
use custom_models_core::model::{Expected, Revision, TrainingStatus};

/// Returns the revisions that `If-Match` allows a write to change. A malformed header allows none.
pub(crate) fn if_match(headers: &HeaderMap) -> Expected {
    match tags(headers, &header::IF_MATCH) {
        Tags::None | Tags::Any => Expected::Anything,
        Tags::Malformed => Expected::OneOf(Vec::new()),
        Tags::Listed(tags) => {
            let strong = tags.iter().filter(|tag| !tag.is_weak);
            Expected::OneOf(strong.filter_map(|tag| tag.revision).collect())
        }
    }
}

/// Returns true if `If-None-Match` names the current revision. A running training changes the progress without the
/// revision (TRAIN-3), so such a model always counts as modified.
pub(crate) fn is_not_modified(headers: &HeaderMap, model: &CustomModel) -> bool {
    model.training_status() != TrainingStatus::Running
        && match tags(headers, &header::IF_NONE_MATCH) {
            Tags::None | Tags::Malformed => false,
            Tags::Any => true,
            Tags::Listed(tags) => tags.iter().any(|tag| tag.revision == Some(model.revision())),
        }
}

enum Tags {
    None,
    Any,
    Listed(Vec<Tag>),
    Malformed,
}

struct Tag {
    is_weak: bool,
    /// `None` for a tag that is no revision.
    revision: Option<Revision>,
}

/// Returns the tags that a header lists, over all of its lines.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Tags {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|line| line.as_bytes()).collect();
    let line = lines.join(&b',');
    match line.trim_ascii() {
        _ if lines.is_empty() => Tags::None,
        b"*" => Tags::Any,
        line => parse_list(line).map_or(Tags::Malformed, Tags::Listed),
    }
}

/// Parses a list of tags, in which elements may be empty. Returns `None` if it is malformed.
fn parse_list(mut rest: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(behind) = rest.strip_prefix(b",") {
            rest = behind;
        } else if rest.is_empty() {
            return Some(tags);
        } else {
            let (tag, behind) = parse_tag(rest)?;
            tags.push(tag);
            rest = behind.trim_ascii_start();
            if !rest.is_empty() && !rest.starts_with(b",") {
                return None;
            }
        }
    }
}

/// Parses the tag at the start of a text, and returns it with the text behind it.
fn parse_tag(text: &[u8]) -> Option<(Tag, &[u8])> {
    let (is_weak, quoted) = match text.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let inner = quoted.strip_prefix(b"\"")?;
    let (opaque, behind) = inner.split_at_checked(inner.iter().position(|&byte| byte == b'"')?)?;
    let is_allowed = |byte: &u8| *byte == 0x21 || (0x23..=0x7E).contains(byte) || *byte >= 0x80;
    if !opaque.iter().all(is_allowed) {
        return None;
    }
    Some((Tag { is_weak, revision: parse_revision(opaque) }, behind.strip_prefix(b"\"")?))
}

/// Returns the revision whose text is exactly this: `01` is none.
fn parse_revision(opaque: &[u8]) -> Option<Revision> {
    let text = str::from_utf8(opaque).ok()?;
    let revision = text.parse().ok().and_then(Revision::new)?;
    (revision.to_string() == text).then_some(revision)
}
