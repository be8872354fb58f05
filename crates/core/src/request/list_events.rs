use std::time::Duration;

use crate::field::{Field, Violation, ViolationKind};
use crate::request::parameters::{NamedValues, number, saturating_number};
use crate::request::violations::Violations;

/// A valid request for a part of the history (LOG-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListEvents {
    /// The position after which the part begins; 0 is the beginning.
    pub after: u64,
    /// The most events in the part.
    pub limit: u32,
    /// The time to wait for an event if there is none yet.
    pub wait: Duration,
}

impl ListEvents {
    /// The most events in a part.
    pub const MAX_LIMIT: u32 = 100;

    /// The longest wait, in seconds.
    pub const MAX_WAIT: u64 = 30;

    /// Parses percent-decoded query parameters, or returns every violation. An unknown parameter is a
    /// violation.
    ///
    /// ```
    /// use custom_models_core::field::Field;
    /// use custom_models_core::request::ListEvents;
    ///
    /// let violations = ListEvents::from_pairs([("after", "-1"), ("wait", "30")]).unwrap_err();
    /// assert_eq!(
    ///     violations.get(Field::After).unwrap().to_string(),
    ///     "After must be an integer of at least 0"
    /// );
    /// ```
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Violations> {
        let mut given = NamedValues::of_query(pairs, &[Field::After, Field::Limit, Field::Wait]);
        let default = ListEvents::default();
        let up_to = |field, from, to| move |text| in_range(field, text, from, to);
        let request = ListEvents {
            after: given.parse(Field::After, position).unwrap_or(default.after),
            limit: given
                .parse(Field::Limit, up_to(Field::Limit, 1, Self::MAX_LIMIT.into()))
                .and_then(|limit| u32::try_from(limit).ok())
                .unwrap_or(default.limit),
            wait: given
                .parse(Field::Wait, up_to(Field::Wait, 0, Self::MAX_WAIT))
                .map_or(default.wait, Duration::from_secs),
        };
        given.finish(Some(request))
    }
}

/// The first 25 events, without waiting.
impl Default for ListEvents {
    fn default() -> Self {
        ListEvents { after: 0, limit: 25, wait: Duration::ZERO }
    }
}

fn in_range(field: Field, text: &str, from: u64, to: u64) -> Result<u64, Violation<'_>> {
    number(text)
        .filter(|number| (from..=to).contains(number))
        .ok_or(Violation::new(field, ViolationKind::Unsupported))
}

/// Parses a position. A number that overflows becomes the largest one, which is after every event.
fn position(text: &str) -> Result<u64, Violation<'_>> {
    saturating_number(text).ok_or(Violation::new(Field::After, ViolationKind::Unsupported))
}

#[cfg(test)]
mod tests;
