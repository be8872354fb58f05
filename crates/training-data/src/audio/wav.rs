//! RIFF, RF64 and BW64: the chunks of a WAV file as recorders, telephone exchanges and pipes write them
//! (DATA-2).
//!
//! The sizes of the file and of its data are ignored where they contradict the file: a writer that streams or
//! dies before the end leaves 0, 36 or the largest number.

use std::io::{self, Read, Seek};

use super::bytes::Bytes;

/// The most chunks to examine.
const MOST_CHUNKS: usize = 1 << 16;

/// The size of a chunk header: its name and its size.
const HEAD: u64 = 8;

/// The format tag for a codec given in an extension.
const EXTENSIBLE: u16 = 0xFFFE;

/// The end of the GUID of every sub-format that is a format tag.
const SUBFORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

/// The content of a WAV.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wav {
    /// Samples, whose number follows from the number of bytes.
    Samples { rate: u32, samples: u64 },
    /// MPEG audio frames within the file.
    Mpeg { start: u64, end: u64 },
    /// An unsupported codec, with its name.
    Other(String),
    /// No format or no data.
    Nothing,
}

/// Returns true if a file begins like a WAV file.
pub(super) fn is_wav(head: &[u8]) -> bool {
    matches!(head.first_chunk(), Some(b"RIFF" | b"RIFX" | b"RF64" | b"BW64"))
        && head.get(8..12) == Some(b"WAVE")
}

/// Reads the chunks of a WAV file that begins at a position.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn read<T: Read + Seek>(bytes: &mut Bytes<'_, T>, start: u64) -> io::Result<Wav> {
    let is_big = bytes.at(start, 4)? == b"RIFX";
    let mut chunks = Chunks { bytes, is_big, long_data: None };
    let (mut format, mut data, mut at) = (None, Vec::new(), start + 12);
    for _ in 0..MOST_CHUNKS {
        let Some(chunk) = chunks.head(at)? else { break };
        match &chunk.name {
            b"ds64" => chunks.long_data = chunks.long_size(&chunk)?,
            b"fmt " if format.is_none() => format = chunks.format(&chunk)?,
            b"data" => data.push((chunk.start, chunk.end)),
            _ => {}
        }
        at = chunks.behind(&chunk)?;
    }
    let Some(format) = format else { return Ok(Wav::Nothing) };
    Ok(format.of(&data))
}

/// A chunk: its name, and the position of its body.
struct Chunk {
    name: [u8; 4],
    start: u64,
    end: u64,
}

struct Chunks<'a, 'b, T> {
    bytes: &'a mut Bytes<'b, T>,
    is_big: bool,
    /// The size of the data of an RF64.
    long_data: Option<u64>,
}

impl<T: Read + Seek> Chunks<'_, '_, T> {
    /// Reads the header of the chunk at a position; `None` at the end.
    fn head(&mut self, at: u64) -> io::Result<Option<Chunk>> {
        let Some([a, b, c, d, size @ ..]) = self.bytes.exactly::<8>(at)? else { return Ok(None) };
        let (name, length) = ([a, b, c, d], self.bytes.length());
        let size = u64::from(self.number(size));
        let start = at + HEAD;
        let end = match (&name, size) {
            (b"data", 0xFFFF_FFFF) => {
                self.long_data.map_or(length, |size| start.saturating_add(size))
            }
            // The writer never set the size, unless other chunks follow.
            (b"data", 0) if !self.is_chunk(start)? => length,
            _ => start + size,
        };
        Ok(Some(Chunk { name, start, end: end.min(length) }))
    }

    /// Returns the position of the next chunk. A chunk of odd size is followed by a byte of padding, which
    /// some writers omit, and others add after an even size.
    fn behind(&mut self, chunk: &Chunk) -> io::Result<u64> {
        let padded = chunk.end + (chunk.end - chunk.start) % 2;
        for at in [padded, chunk.end, chunk.end + 1, chunk.end + 2] {
            if self.is_chunk(at)? {
                return Ok(at);
            }
        }
        Ok(padded)
    }

    /// Returns true if a chunk may begin at a position: it has a name, and a size within the file unless it
    /// is `data`.
    fn is_chunk(&mut self, at: u64) -> io::Result<bool> {
        let Some([a, b, c, d, size @ ..]) = self.bytes.exactly::<8>(at)? else { return Ok(false) };
        let is_named = [a, b, c, d].iter().all(|byte| matches!(byte, b' '..=b'~'));
        let end = at + HEAD + u64::from(self.number(size));
        Ok(is_named && ([a, b, c, d] == *b"data" || end <= self.bytes.length()))
    }

    const fn number(&self, bytes: [u8; 4]) -> u32 {
        if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    const fn short(&self, bytes: [u8; 2]) -> u16 {
        if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// Returns the size of the data from the `ds64` chunk; 0 and the largest number mean unknown.
    fn long_size(&mut self, chunk: &Chunk) -> io::Result<Option<u64>> {
        let size = self.bytes.exactly(chunk.start + 8)?.map(u64::from_le_bytes);
        Ok(size.filter(|size| !matches!(*size, 0 | u64::MAX)))
    }

    fn format(&mut self, chunk: &Chunk) -> io::Result<Option<Format>> {
        let size = usize::try_from(chunk.end - chunk.start).unwrap_or(usize::MAX);
        let body = self.bytes.at(chunk.start, size.min(40))?.to_vec();
        let short = |at: usize| {
            body.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| self.short(*bytes))
        };
        let rate = body.get(4..).and_then(<[u8]>::first_chunk).map(|bytes| self.number(*bytes));
        let (Some(tag), Some(channels), Some(rate), Some(block)) =
            (short(0), short(2), rate, short(12))
        else {
            return Ok(None);
        };
        // The oldest form has no number of bits per sample.
        let bits = short(14).unwrap_or_else(|| (block / channels.max(1)).saturating_mul(8));
        let tag = match (tag, short(24)) {
            (EXTENSIBLE, Some(tag)) if body.get(26..40) == Some(&SUBFORMAT) => Some(tag),
            (EXTENSIBLE, Some(_)) => None,
            (EXTENSIBLE, None) => Some(1),
            (tag, _) => Some(tag),
        };
        Ok(Some(Format { tag, channels: channels.into(), rate, block: block.into(), bits }))
    }
}

/// The `fmt ` chunk.
struct Format {
    /// The codec; `None` if an extension names one without a number.
    tag: Option<u16>,
    channels: u64,
    rate: u32,
    /// The size of a block of all channels in bytes.
    block: u64,
    bits: u16,
}

impl Format {
    /// Returns the content of a WAV file in this format, from the positions of its data.
    fn of(&self, data: &[(u64, u64)]) -> Wav {
        let lengths = data.iter().map(|(start, end)| end - start);
        let Some(tag) = self.tag else { return Wav::Other("WAV with an unknown codec".to_owned()) };
        let samples: u64 = match (tag, self.bits) {
            _ if self.channels == 0 || self.rate == 0 => return Wav::Nothing,
            (1, 1..=32 | 57..=64) | (3, 32 | 64) => {
                let frame = u64::from(self.bits.div_ceil(8)) * self.channels;
                lengths.map(|length| length / frame).sum()
            }
            // Mu-law and A-law.
            (6 | 7, _) => lengths.map(|length| length / self.channels).sum(),
            (2 | 0x11, 4) => {
                let is_ima = tag == 0x11;
                lengths.map(|length| self.of_adpcm(length, is_ima)).sum()
            }
            (0x55, _) => {
                return data.first().map_or(Wav::Nothing, |&(start, end)| Wav::Mpeg { start, end });
            }
            (tag, bits) => return Wav::Other(format!("WAV with {}", codec(tag, bits))),
        };
        Wav::Samples { rate: self.rate, samples }
    }

    /// Returns the number of samples in blocks of ADPCM, the last of which may be truncated. Each block
    /// begins with the first samples of every channel, and has half a byte for each further sample.
    fn of_adpcm(&self, length: u64, is_ima: bool) -> u64 {
        let (head, first) = if is_ima { (4 * self.channels, 1) } else { (7 * self.channels, 2) };
        let of_block = |block: u64| {
            let rest = block.checked_sub(head)?;
            // IMA interleaves groups of eight samples per channel.
            let rest = if is_ima { rest / head * head } else { rest };
            Some(first + rest * 2 / self.channels)
        };
        let Some(whole) = of_block(self.block) else { return 0 };
        length / self.block * whole + of_block(length % self.block).unwrap_or(0)
    }
}

/// Returns the name of the codec with a format tag.
fn codec(tag: u16, bits: u16) -> String {
    let name = match tag {
        1 => return format!("PCM of {bits} bits"),
        3 => return format!("floating-point PCM of {bits} bits"),
        2 => return format!("Microsoft ADPCM of {bits} bits"),
        0x11 => return format!("IMA ADPCM of {bits} bits"),
        0x14 | 0x42 => "G.723.1",
        0x20 => "Yamaha ADPCM",
        0x22 => "TrueSpeech",
        0x31 | 0x32 => "GSM 6.10",
        0x40 => "G.721",
        0x45 | 0x64 | 0x85 | 0x14A => "G.726",
        0x50 => "MPEG audio layer I or II",
        0x65 | 0x28F => "G.722",
        0x69 => "Xbox ADPCM",
        0x70..=0x72 => "Lernout & Hauspie speech",
        0x83 => "G.729",
        0x92 | 0x2000 => "AC-3",
        0x130 => "ACELP",
        0x160..=0x163 => "Windows Media Audio",
        0xFF | 0x1600 | 0x1602 | 0x1610 | 0x4143 | 0x706D | 0xA106 => "AAC",
        0x200 => "Creative ADPCM",
        0x270 => "ATRAC3",
        0x2001 => "DTS",
        0x5346 => "SWF ADPCM",
        0x566F | 0x674F..=0x6771 => "Vorbis",
        0x704F => "Opus",
        0xA109 => "Speex",
        0xF1AC => "FLAC",
        _ => return format!("codec 0x{tag:04X}"),
    };
    name.to_owned()
}
