//! Headers of MPEG audio frames, and the tags that encoders put into the first frame.

use super::frame::{Frame, Kind};

/// The bit rates in kbit/s by layer, of MPEG-1 and of later versions.
const RATES_1: [[u32; 14]; 3] = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
];
const RATES_2: [[u32; 14]; 3] = [
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The samples that an MP3 decoder itself adds before the audio.
const OF_DECODER: u32 = 529;

/// Parses the header of a frame.
pub(super) fn frame(bytes: &[u8]) -> Option<Frame> {
    let head = Head::parse(bytes)?;
    let (bit_rate, rate) = (head.bit_rate()?, head.rate()?);
    let (kind, samples) = match (head.layer, head.version) {
        (1, _) => (Kind::Layer1, 384),
        (2, _) => (Kind::Layer2, 1152),
        (_, 3) => (Kind::Layer3, 1152),
        _ => (Kind::Layer3, 576),
    };
    let padding = head.bits >> 9 & 1;
    let length = match kind {
        Kind::Layer1 => (12 * bit_rate / rate + padding) * 4,
        _ => samples / 8 * bit_rate / rate + padding,
    };
    Some(Frame {
        kind,
        length: usize::try_from(length).ok()?,
        samples,
        rate,
        channels: if head.is_mono() { 1 } else { 2 },
        head: 4,
        is_plain: true,
    })
}

/// Returns true if these bytes are a header without a bit rate ("free format").
pub(super) fn is_free_format(bytes: &[u8]) -> bool {
    Head::parse(bytes).is_some_and(|head| head.bits >> 12 & 0xF == 0 && head.rate().is_some())
}

struct Head {
    bits: u32,
    /// 3 for MPEG-1, 2 for MPEG-2, 0 for MPEG-2.5.
    version: u32,
    layer: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bits = u32::from_be_bytes(*bytes.first_chunk()?);
        let version = bits >> 19 & 3;
        let layer = match bits >> 17 & 3 {
            1 => 3,
            2 => 2,
            3 => 1,
            _ => return None,
        };
        (bits >> 21 == 0x7FF && version != 1).then_some(Head { bits, version, layer })
    }

    const fn is_mono(&self) -> bool {
        self.bits >> 6 & 3 == 3
    }

    /// Returns the bit rate in bit/s.
    fn bit_rate(&self) -> Option<u32> {
        let table = if self.version == 3 { &RATES_1 } else { &RATES_2 };
        let index = usize::try_from(self.bits >> 12 & 0xF).ok()?.checked_sub(1)?;
        Some(table.get(self.layer - 1)?.get(index)? * 1000)
    }

    fn rate(&self) -> Option<u32> {
        let rate = [44_100, 48_000, 32_000].get(usize::try_from(self.bits >> 10 & 3).ok()?)?;
        Some(match self.version {
            3 => *rate,
            2 => rate / 2,
            _ => rate / 4,
        })
    }
}

/// The samples that an encoder adds before and after an audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    before: u32,
    behind: u32,
    /// The number of samples up to the end of the gap after the audio; 0 if unknown.
    samples: u64,
}

impl Gaps {
    /// Returns the number of the first `samples` samples that belong to a gap. A truncated audio does not
    /// reach the gap after it.
    pub(super) fn within(&self, samples: u64) -> u64 {
        let end = self.samples.saturating_sub(self.behind.into());
        let behind = samples.saturating_sub(end).min(self.behind.into());
        u64::from(self.before).min(samples) + if self.samples == 0 { 0 } else { behind }
    }
}

/// Parses the gaps from a first frame that is a tag instead of audio: Xing's, LAME's or Fraunhofer's.
pub(super) fn gaps(frame: &Frame, bytes: &[u8]) -> Option<Gaps> {
    let head = Head::parse(bytes)?;
    if bytes.get(36..40) == Some(b"VBRI") {
        return Some(Gaps::default());
    }
    let side = match (head.version == 3, head.is_mono()) {
        (true, false) => 32,
        (false, true) => 9,
        _ => 17,
    };
    let tag = bytes.get(4 + side..)?;
    if !matches!(tag.first_chunk(), Some(b"Xing" | b"Info")) {
        return None;
    }
    let number = |at: usize| Some(u32::from_be_bytes(*tag.get(at..)?.first_chunk()?));
    let flags = number(4)?;
    let frames = number(8).filter(|_| flags & 1 != 0).unwrap_or(0);
    let lengths = [4, 4, 100, 4].into_iter().enumerate();
    let of_fields: usize = lengths.filter(|(bit, _)| flags >> bit & 1 != 0).map(|it| it.1).sum();
    let lame = tag.get(8 + of_fields..).unwrap_or_default();
    let is_known = matches!(lame.first_chunk(), Some(b"LAME" | b"Lavf" | b"Lavc" | b"L3.9"));
    Some(match lame.get(21..).and_then(<[u8]>::first_chunk) {
        Some([a, b, c]) if is_known => {
            let before = u32::from(*a) << 4 | u32::from(*b) >> 4;
            let behind = (u32::from(*b) & 0xF) << 8 | u32::from(*c);
            Gaps {
                before: before + OF_DECODER,
                behind: behind.saturating_sub(OF_DECODER),
                samples: u64::from(frames) * u64::from(frame.samples),
            }
        }
        _ => Gaps::default(),
    })
}
