//! The header of a frame of MPEG audio or of AAC in ADTS.

use super::nanos;

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Layer1,
    Layer2,
    Layer3,
    Adts,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The length in bytes, including the header.
    pub(super) length: usize,
    pub(super) samples: u32,
    pub(super) rate: u32,
    pub(super) channels: u8,
    /// The number of bytes before the payload.
    pub(super) head: usize,
    /// True if a decoder supports its profile.
    pub(super) is_plain: bool,
}

impl Frame {
    /// Returns true if the other frame may follow this one in the same recording.
    pub(super) const fn goes_on_as(&self, other: &Frame) -> bool {
        self.kind as u8 == other.kind as u8 && self.rate == other.rate
    }

    pub(super) const fn nanos(&self, samples: u64) -> u128 {
        nanos(samples as u128, self.rate)
    }
}
