//! FLAC, read frame by frame: damaged metadata does not matter, streams may follow each other, and a frame
//! counts if its checksum is right (DATA-2).

use std::io::{self, Read, Seek};

use symphonia::core::checksum::{Crc8Ccitt, Crc16Ansi};
use symphonia::core::io::Monitor;

use super::bytes::{Bytes, WINDOW};
use super::decoding::Decoding;
use super::frames::MOST_JUNK;
use super::{nanos, tags};

/// The marker of a stream.
const MARK: &[u8] = b"fLaC";

/// An upper bound of the size of a frame header.
const HEAD: usize = 16;

/// The most frame headers within a frame that may turn out to be false.
const FALSE_HEADS: usize = 4;

/// The longest frame to decode as a sample, in bytes.
const TRIED: u64 = 1 << 21;

/// The most metadata blocks to skip before frames are searched.
const BLOCKS: usize = 1024;

/// The frames of a FLAC file, summed up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) nanos: u128,
    /// The lowest sample rate.
    pub(super) rate: u32,
}

/// Reads all frames of the streams from a position on, where the marker of a stream is.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn walk<T: Read + Seek>(bytes: &mut Bytes<'_, T>, start: u64) -> io::Result<Walked> {
    let end = end_of(bytes)?;
    let mut walk = Walk { bytes, end, info: Info([0; 34]), rate: u32::MAX };
    let mut decoding = Decoding::new(start, end);
    let mut at = start;
    while let Some((place, found)) = walk.next(at)? {
        at = match found {
            Found::Stream => {
                let begun = walk.begin(place)?;
                decoding.decodes_flac(&walk.info.0);
                begun
            }
            Found::Frame(frame) => match walk.end_of_frame(place, &frame)? {
                Some(behind) => {
                    let rate = frame.rate.unwrap_or(walk.info.rate());
                    walk.rate = walk.rate.min(rate);
                    decoding.add(place, nanos(frame.samples.into(), rate));
                    if decoding.wants() && behind - place <= TRIED {
                        decoding.try_packet(&walk.bytes.copied(place, behind)?);
                    }
                    behind
                }
                None => place + 1,
            },
        };
    }
    Ok(Walked { nanos: decoding.nanos(), rate: walk.rate })
}

/// Returns the end of the file without its trailing tags.
fn end_of<T: Read + Seek>(bytes: &mut Bytes<'_, T>) -> io::Result<u64> {
    let end = bytes.length();
    let at = end.saturating_sub(128);
    Ok(if bytes.at(at, 3)? == b"TAG" { at } else { end })
}

/// The metadata block that describes a stream.
struct Info([u8; 34]);

impl Info {
    /// Returns the sample rate in Hz; 0 if it is unknown.
    fn rate(&self) -> u32 {
        let [.., a, b, c, _] = self.0.first_chunk::<14>().copied().unwrap_or_default();
        u32::from(a) << 12 | u32::from(b) << 4 | u32::from(c) >> 4
    }
}

enum Found {
    Stream,
    Frame(Frame),
}

/// The header of a frame.
struct Frame {
    samples: u32,
    /// The sample rate in Hz; `None` if the stream gives it.
    rate: Option<u32>,
    /// The size of the header in bytes.
    head: usize,
    /// The most bytes in a frame with this header.
    longest: u64,
}

struct Walk<'a, 'b, T> {
    bytes: &'a mut Bytes<'b, T>,
    end: u64,
    info: Info,
    rate: u32,
}

impl<T: Read + Seek> Walk<'_, '_, T> {
    /// Finds the first stream or frame from a position on.
    fn next(&mut self, mut at: u64) -> io::Result<Option<(u64, Found)>> {
        let mut passed = 0;
        while at < self.end && passed < MOST_JUNK {
            if let Some(tag) = tags::length(self.bytes, at, self.end)? {
                at += tag;
                continue;
            }
            let (window, sought) = self.window(at)?;
            let found = memchr::memchr2_iter(0xFF, b'f', window.get(..sought).unwrap_or_default())
                .find_map(|from| Some((at + from as u64, found_at(window.get(from..)?)?)));
            if found.is_some() {
                return Ok(found);
            }
            at += sought.max(1) as u64;
            passed += sought as u64;
        }
        Ok(None)
    }

    /// Returns the bytes from a position on, and the number of them at which a complete header can begin.
    fn window(&mut self, at: u64) -> io::Result<(&[u8], usize)> {
        let left = usize::try_from(self.end - at).unwrap_or(usize::MAX);
        let window = self.bytes.at(at, WINDOW.min(left))?;
        let sought =
            if window.len() < left { window.len().saturating_sub(HEAD) } else { window.len() };
        Ok((window, sought))
    }

    /// Starts a stream, and returns the position of its first frame.
    fn begin(&mut self, start: u64) -> io::Result<u64> {
        let first = start + MARK.len() as u64;
        let mut at = first;
        for _ in 0..BLOCKS {
            let Some([kind, a, b, c]) = self.bytes.exactly(at)? else { break };
            let length = u32::from_be_bytes([0, a, b, c]);
            if kind & 0x7F == 0
                && length == 34
                && let Some(info) = self.bytes.exactly(at + 4)?
            {
                self.info = Info(info);
            }
            at += 4 + u64::from(length);
            if kind & 0x80 != 0 {
                break;
            }
        }
        // If the blocks do not lead to a frame, one of them is broken; frames are searched from the first
        // block on.
        let leads = at < self.end && Frame::parse(self.bytes.at(at, HEAD)?).is_some();
        Ok(if leads { at } else { first })
    }

    /// Finds the end of a frame with a correct checksum; `None` if there is none.
    fn end_of_frame(&mut self, start: u64, frame: &Frame) -> io::Result<Option<u64>> {
        let longest = start.saturating_add(frame.longest).min(self.end);
        let (mut sum, mut false_heads) = (Crc16Ansi::new(0), 0);
        let (mut at, mut from) = (start, frame.head);
        while at < longest {
            let (window, sought) = self.window(at)?;
            let (is_last, mut summed) = (sought == window.len(), 0);
            let candidates = window.get(..sought).unwrap_or_default();
            for end in memchr::memchr3_iter(0xFF, b'f', b'I', candidates) {
                let behind = window.get(end..).unwrap_or_default();
                if end < from || !(is_mark(behind) || Frame::parse(behind).is_some()) {
                    continue;
                }
                sum.process_buf_bytes(window.get(summed..end).unwrap_or_default());
                summed = end;
                // A checksum over data and its own checksum is zero.
                if sum.crc() == 0 {
                    return Ok(Some(at + end as u64));
                }
                false_heads += 1;
                if false_heads == FALSE_HEADS {
                    return Ok(None);
                }
            }
            sum.process_buf_bytes(window.get(summed..sought).unwrap_or_default());
            at += sought as u64;
            from = 0;
            if is_last {
                return Ok(Some(self.end).filter(|_| sum.crc() == 0));
            }
        }
        Ok(None)
    }
}

/// Returns true if the bytes begin with the marker of a stream or with a tag.
fn is_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK) || bytes.starts_with(b"ID3")
}

fn found_at(bytes: &[u8]) -> Option<Found> {
    if bytes.starts_with(MARK) {
        Some(Found::Stream)
    } else {
        Frame::parse(bytes).map(Found::Frame)
    }
}

impl Frame {
    /// Parses the header of a frame, if its checksum is right.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [0xFF, second, sizes, layout, number, ..] = *bytes else { return None };
        if second & 0xFE != 0xF8 || layout & 1 != 0 {
            return None;
        }
        // The number is coded like a character in UTF-8, in up to seven bytes.
        let more = match number.leading_ones() {
            0 => 0,
            ones @ 2..=7 => ones as usize - 1,
            _ => return None,
        };
        let mut rest = bytes.get(5 + more..)?.iter().map(|byte| u32::from(*byte));
        let mut taken = 0;
        let mut of_bytes = |count: usize| {
            taken += count;
            (0..count).try_fold(0, |number, _| Some(number << 8 | rest.next()?))
        };
        let samples = match sizes >> 4 {
            0 => return None,
            1 => 192,
            code @ 2..=5 => 576 << (code - 2),
            6 => of_bytes(1)? + 1,
            7 => of_bytes(2)? + 1,
            code => 256 << (code - 8),
        };
        let rate = match sizes & 0xF {
            0 => None,
            12 => Some(of_bytes(1)? * 1000),
            13 => Some(of_bytes(2)?),
            14 => Some(of_bytes(2)? * 10),
            code => Some(*RATES.get(usize::from(code) - 1)?),
        };
        let channels = match layout >> 4 {
            layout @ 0..=7 => u64::from(layout) + 1,
            8..=10 => 2,
            _ => return None,
        };
        let head = 6 + more + taken;
        let mut sum = Crc8Ccitt::new(0);
        sum.process_buf_bytes(bytes.get(..head)?);
        // 33 bits per sample, for a difference of channels, and some bits for the coding parameters.
        let longest = (u64::from(samples) * channels * 33).div_ceil(8) + 64 * channels + 64;
        (sum.crc() == 0 && rate != Some(0)).then_some(Frame { samples, rate, head, longest })
    }
}

/// The sample rates that have a code.
const RATES: [u32; 11] =
    [88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
