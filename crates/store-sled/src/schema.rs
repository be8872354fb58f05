//! The layouts of a store, from the first release to the current one.

/// The name of the layout, in the folder's marker and in the database. Its number grows with every
/// layout that an earlier version of this crate cannot read or must not write.
pub(crate) const LAYOUT: &str = "custom-models in sled, layout 5\n";

/// The name of layout 4, which had a row for each admission.
pub(crate) const FOURTH_LAYOUT: &str = "custom-models in sled, layout 4\n";

/// The name of layout 3, which had other rows of admissions.
pub(crate) const THIRD_LAYOUT: &str = "custom-models in sled, layout 3\n";

/// The name of layout 2, which had no identity and no counts.
pub(crate) const SECOND_LAYOUT: &str = "custom-models in sled, layout 2\n";

/// The name of the layout of the first release.
pub(crate) const FIRST_LAYOUT: &str = "custom-models in sled, layout 1\n";

/// The beginning of the name of every layout.
const LAYOUT_NAME: &str = "custom-models in sled, layout ";

/// The number of [`LAYOUT`].
const LAYOUT_NUMBER: u32 = 5;

/// A layout, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The current one.
    Ours,
    /// Layout 4, migrated at opening.
    Fourth,
    /// Layout 3, migrated at opening.
    Third,
    /// Layout 2, migrated at opening.
    Second,
    /// Layout 1, of the first release, migrated at opening.
    First,
    /// The layout of a later version.
    Newer,
    /// Not the name of a layout.
    Unknown,
}

impl Layout {
    pub(crate) fn of(name: &[u8]) -> Self {
        let number = str::from_utf8(name)
            .ok()
            .and_then(|name| name.strip_prefix(LAYOUT_NAME)?.strip_suffix('\n'))
            .and_then(|number| number.parse::<u32>().ok());
        match number {
            Some(LAYOUT_NUMBER) => Layout::Ours,
            Some(4) => Layout::Fourth,
            Some(3) => Layout::Third,
            Some(2) => Layout::Second,
            Some(1) => Layout::First,
            Some(number) if number > LAYOUT_NUMBER => Layout::Newer,
            _ => Layout::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
