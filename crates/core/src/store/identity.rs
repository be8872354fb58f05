//! The place where a store is kept: how it is opened there, and how a folder of training data knows the
//! store that it belongs to (PLACE-1, PLACE-2).

use std::fmt;
use std::str::FromStr;

/// The right to make a store or to change its layout, given when it is opened (PLACE-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Makes a store where there is none, and migrates an older layout.
    Create,
    /// Opens a store that is there, and migrates an older layout.
    ///
    /// Where there is none: [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing).
    Existing,
    /// Opens a store that is there in the current layout.
    ///
    /// Where there is none: [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing). In an older layout:
    /// [`StoreErrorKind::Older`](crate::store::StoreErrorKind::Older).
    Current,
    /// Opens a store that is there for reading alone; an older layout is read as it is. Every write answers
    /// [`StoreErrorKind::ReadOnly`](crate::store::StoreErrorKind::ReadOnly).
    ///
    /// Where there is none: [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing).
    ReadOnly,
}

/// The identity of a store: 16 random bytes that are made with it, and made anew when it takes a folder of
/// training data over (PLACE-2).
///
/// A backup and what is restored of it have the same identity. A store that is filled by an import has one
/// of its own. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreIdentity([u8; 16]);

impl StoreIdentity {
    /// The identity of these bytes, which a store draws at random when it is made.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        StoreIdentity(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreIdentity({self})")
    }
}

/// A text is not the identity of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity of a store is 32 hexadecimal digits in lower case")]
pub struct InvalidStoreIdentity;

impl FromStr for StoreIdentity {
    type Err = InvalidStoreIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(InvalidStoreIdentity);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| InvalidStoreIdentity)?;
        Ok(StoreIdentity(number.to_be_bytes()))
    }
}

/// The lineage of a store: a random number that tells it from its copies (PLACE-2).
///
/// A folder of training data draws a new one whenever it records that the store has gone on, and gives it to the
/// store. A copy from before keeps the one that it was made with, however far it is used on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lineage(u64);

impl Lineage {
    /// The lineage of this number, which is drawn at random.
    pub const fn new(number: u64) -> Self {
        Lineage(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The facts about a store that its folder of training data has to know (PLACE-2).
///
/// `last_id` and `events` never fall while a store lives. An older copy of it is behind in one of them, or has
/// another lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSummary {
    /// The identity of the store.
    pub identity: StoreIdentity,
    /// The lineage of the store, `None` until a folder gives it one.
    pub lineage: Option<Lineage>,
    /// The highest id that was given away, 0 if none was (MODEL-1).
    pub last_id: u64,
    /// The number of events that were ever appended, purged and erased ones included (LOG-1).
    pub events: u64,
    /// True if a pair of training data is stored.
    pub has_data: bool,
}

impl StoreSummary {
    /// True if the store has not seen all that the other summary tells of it.
    pub const fn is_behind(&self, other: &StoreSummary) -> bool {
        self.last_id < other.last_id || self.events < other.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_2_an_identity_is_read_as_it_is_shown_and_from_nothing_else() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let identity = StoreIdentity::from_bytes(bytes);
            assert_eq!(identity.to_string().parse(), Ok(identity));
            assert_eq!(identity.as_bytes(), &bytes);
        }
        let text = StoreIdentity::from_bytes([0xab; 16]).to_string();
        for wrong in ["", &text[1..], &text.to_uppercase(), &format!("+{}", &text[1..])] {
            assert_eq!(wrong.parse::<StoreIdentity>(), Err(InvalidStoreIdentity), "{wrong}");
        }
    }

    #[test]
    fn place_2_a_store_is_behind_if_either_number_is() {
        let summary = |last_id, events| StoreSummary {
            identity: StoreIdentity::from_bytes([1; 16]),
            lineage: None,
            last_id,
            events,
            has_data: false,
        };
        for (store, other, is_behind) in [
            ((3, 9), (3, 9), false),
            ((4, 10), (3, 9), false),
            ((2, 10), (3, 9), true),
            ((4, 8), (3, 9), true),
        ] {
            let (store, other) = (summary(store.0, store.1), summary(other.0, other.1));
            assert_eq!(store.is_behind(&other), is_behind);
        }
    }
}
