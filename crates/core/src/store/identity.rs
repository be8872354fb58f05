//! Opening of a store, and the identity by which a folder of training data recognises its store (PLACE-1,
//! PLACE-2).

use std::fmt;
use std::str::FromStr;

/// The permission to create a store or to migrate its layout, given when it is opened (PLACE-1).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Creates a store if there is none, and migrates an older layout.
    Create,
    /// Opens an existing store, and migrates an older layout.
    ///
    /// Fails with [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing) if there is none.
    Existing,
    /// Opens an existing store in the current layout.
    ///
    /// Fails with [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing) if there is none, and
    /// with [`StoreErrorKind::Older`](crate::store::StoreErrorKind::Older) if its layout is older.
    Current,
    /// Opens an existing store for reading only. An older layout is read as it is. Every write fails with
    /// [`StoreErrorKind::ReadOnly`](crate::store::StoreErrorKind::ReadOnly).
    ///
    /// Fails with [`StoreErrorKind::Missing`](crate::store::StoreErrorKind::Missing) if there is none.
    ReadOnly,
}

/// The identity of a store: 16 random bytes, drawn when the store is created, and again when it takes over a
/// folder of training data (PLACE-2).
///
/// A backup and a store restored from it have the same identity. A store filled by an import has its own.
/// Displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreIdentity([u8; 16]);

impl StoreIdentity {
    /// Creates an identity from bytes that the caller drew at random.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        StoreIdentity(bytes)
    }

    /// Returns the bytes.
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

/// The error for a text that is not a store identity.
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

/// The lineage of a store: a random number that distinguishes it from its copies (PLACE-2).
///
/// Whenever a folder of training data records that the store has advanced, it draws a new lineage and writes
/// it to the store. A copy made earlier keeps its old lineage, however long it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lineage(u64);

impl Lineage {
    /// Creates a lineage from a number that the caller drew at random.
    pub const fn new(number: u64) -> Self {
        Lineage(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The facts about a store that its folder of training data compares (PLACE-2).
///
/// `last_id` and `events` never decrease. An older copy of the store has a lower value in one of them, or
/// another lineage.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSummary {
    /// The identity of the store.
    pub identity: StoreIdentity,
    /// The lineage of the store, `None` until a folder gives it one.
    pub lineage: Option<Lineage>,
    /// The highest id that was assigned, 0 if none was (MODEL-1).
    pub last_id: u64,
    /// The number of events ever appended, including purged and erased ones (LOG-1).
    pub events: u64,
    /// True if the store holds a data pair.
    pub has_data: bool,
}

impl StoreSummary {
    /// Returns true if the store lacks something that the other summary counts.
    pub const fn is_behind(&self, other: &StoreSummary) -> bool {
        self.last_id < other.last_id || self.events < other.events
    }
}

#[cfg(test)]
mod tests;
