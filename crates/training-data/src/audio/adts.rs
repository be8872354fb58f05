//! Headers of AAC frames in ADTS.

use super::frame::{Frame, Kind};

const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
    7350,
];

/// The profile that most encoders write: low complexity.
const LOW_COMPLEXITY: u8 = 1;

/// Parses the header of a frame.
pub(super) fn frame(bytes: &[u8]) -> Option<Frame> {
    let [a, b, c, d, e, f, g] = *bytes.first_chunk()?;
    if a != 0xFF || b & 0xF6 != 0xF0 {
        return None;
    }
    let has_crc = b & 1 == 0;
    let head = if has_crc { 9 } else { 7 };
    let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f) >> 5;
    let blocks = u32::from(g & 3) + 1;
    // Number 7 means eight channels.
    let channels = match c << 2 & 4 | d >> 6 {
        7 => 8,
        channels => channels,
    };
    Some(Frame {
        kind: Kind::Adts,
        length: Some(length).filter(|length| *length > head)?,
        samples: blocks * 1024,
        rate: *RATES.get(usize::from(c >> 2 & 0xF))?,
        channels,
        head,
        is_plain: c >> 6 == LOW_COMPLEXITY && blocks == 1,
    })
}
