//! The layouts of a store, from the first release to the current one.

/// The name of the layout, in the folder's marker and in the database. Its number grows with every
/// layout that an earlier version of this crate cannot read or must not write.
pub(crate) const LAYOUT: &str = "custom-models in sled, layout 5\n";

/// The beginning of the name of every layout.
const LAYOUT_NAME: &str = "custom-models in sled, layout ";

/// The number of [`LAYOUT`].
const LAYOUT_NUMBER: u32 = 5;

/// A layout, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The current one.
    Ours,
    /// An earlier one, by its number, migrated at opening. 1 is that of the first release, 2 had no identity and no
    /// counts, 3 had other rows of admissions, and 4 had a row for each admission.
    Older(u32),
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
            Some(number @ 1..LAYOUT_NUMBER) => Layout::Older(number),
            Some(number) if number > LAYOUT_NUMBER => Layout::Newer,
            _ => Layout::Unknown,
        }
    }
}

/// Returns the names of the current layout and of all earlier ones.
pub(crate) fn layout_names() -> impl Iterator<Item = String> {
    (1..=LAYOUT_NUMBER).map(|number| format!("{LAYOUT_NAME}{number}\n"))
}

#[cfg(test)]
mod tests;
