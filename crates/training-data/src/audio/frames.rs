//! Frames of MPEG audio and of AAC in ADTS, read by their own headers: each has its length and rate, and
//! files are cut, joined and tagged between any two of them (DATA-2).

use std::io::{self, Read, Seek};

use super::adts;
use super::bytes::{Bytes, WINDOW};
use super::decoding::{Codec, Decoding};
use super::frame::{Frame, Kind};
use super::mpeg::{self, Gaps};
use super::tags;

/// The size of a header, and an upper bound of the size of a frame.
const HEAD: usize = 9;
const LONGEST: usize = 1 << 13;

/// The most bytes to skip in search of a frame; tags do not count.
pub(super) const MOST_JUNK: u64 = 64 << 20;

/// The number of consecutive frames that do not occur by chance.
const ROW: usize = 3;

fn parse(bytes: &[u8]) -> Option<Frame> {
    mpeg::frame(bytes).or_else(|| adts::frame(bytes))
}

/// The frames of a file, summed up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) kind: Kind,
    pub(super) nanos: u128,
}

/// Reads the frames between two positions, from the first one found; `None` if there are none.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn walk<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    start: u64,
    end: u64,
) -> io::Result<Option<Walked>> {
    let Some((start, first)) = synced(bytes, start, end, None)? else { return Ok(None) };
    let mut walk =
        Walk { rate: first.rate, gaps: None, samples: 0, decoding: Decoding::new(start, end) };
    if matches!(first.kind, Kind::Layer1 | Kind::Layer2) {
        return Ok(Some(Walked { kind: first.kind, nanos: 0 }));
    }
    let (mut last, mut at) = (start, start);
    while let Some((place, frame)) = next(bytes, last, at, end, first.kind)? {
        (last, at) = (place, place + frame.length as u64);
        if at > end {
            break;
        }
        walk.add(bytes, place, &frame)?;
    }
    let gaps = walk.gaps.unwrap_or_default().within(walk.samples);
    let nanos = walk.decoding.nanos().saturating_sub(first.nanos(gaps));
    Ok(Some(Walked { kind: first.kind, nanos }))
}

struct Walk {
    /// The sample rate of the first frame.
    rate: u32,
    /// The gaps before and after the audio, as the first frame describes them.
    gaps: Option<Gaps>,
    /// The number of samples in frames at the rate of the first one.
    samples: u64,
    decoding: Decoding,
}

impl Walk {
    fn add<T: Read + Seek>(
        &mut self,
        bytes: &mut Bytes<'_, T>,
        place: u64,
        frame: &Frame,
    ) -> io::Result<()> {
        if self.gaps.is_none() {
            let is_mp3 = frame.kind == Kind::Layer3;
            let whole = if is_mp3 { bytes.at(place, frame.length)? } else { &[] };
            let gaps = mpeg::gaps(frame, whole);
            self.gaps = Some(gaps.unwrap_or_default());
            if gaps.is_some() {
                return Ok(());
            }
        }
        if frame.rate == self.rate {
            self.samples += u64::from(frame.samples);
        }
        self.decoding.add(place, frame.nanos(frame.samples.into()));
        if self.decoding.wants() {
            let whole = bytes.at(place, frame.length)?;
            let (codec, packet) = match frame.kind {
                Kind::Adts => (Codec::Aac, whole.get(frame.head..).unwrap_or_default()),
                _ => (Codec::Mp3, whole),
            };
            let codec = Some(codec).filter(|_| frame.is_plain);
            self.decoding.try_frame(codec, frame.rate, frame.channels, packet);
        }
        Ok(())
    }
}

/// Finds the frame at a position, where the last one ends, or the first one after it; it may extend past the
/// end.
fn next<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    last: u64,
    at: u64,
    end: u64,
    kind: Kind,
) -> io::Result<Option<(u64, Frame)>> {
    if let Some(frame) = parse(within(bytes, at, end, HEAD)?).filter(|it| it.kind == kind) {
        return Ok(Some((at, frame)));
    }
    // The last frame may be truncated, and others begin before its end.
    let is_tag = tags::length(bytes, at, end)?.is_some();
    synced(bytes, if is_tag || at >= end { at } else { last + 1 }, end, Some(kind))
}

/// Returns the bytes from a position on, and none after the end.
fn within<'a, T: Read + Seek>(
    bytes: &'a mut Bytes<'_, T>,
    at: u64,
    end: u64,
    wanted: usize,
) -> io::Result<&'a [u8]> {
    let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
    bytes.at(at, wanted.min(left))
}

/// Finds the first position from which frames follow each other, skipping tags and anything else.
fn synced<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    start: u64,
    end: u64,
    kind: Option<Kind>,
) -> io::Result<Option<(u64, Frame)>> {
    let (mut at, mut passed) = (start, 0);
    while at < end && passed < MOST_JUNK {
        if let Some(length) = tags::length(bytes, at, end)? {
            at += length;
            continue;
        }
        let window = within(bytes, at, end, WINDOW)?;
        let is_last = window.len() as u64 == end - at;
        // In a block that is not the last, frames at its end are examined in the next block.
        let sought = if is_last { window.len() } else { WINDOW - ROW * LONGEST };
        let is_row = |from: usize| {
            let first = parse(window.get(from..)?)?;
            // A few frames are accepted at the beginning of an audio only.
            let is_expected = kind.is_some() || at + from as u64 == start;
            let (row, may_end) = if is_expected { (ROW - 1, is_last) } else { (ROW, false) };
            let is_it = kind.is_none_or(|kind| kind == first.kind)
                && is_row(window, from, &first, row, may_end);
            is_it.then_some(first)
        };
        let mut candidates = memchr::memchr_iter(0xFF, window.get(..sought).unwrap_or_default());
        if let Some((from, frame)) = candidates.find_map(|from| Some((from, is_row(from)?))) {
            return Ok(Some((at + from as u64, frame)));
        }
        at += sought.max(1) as u64;
        passed += sought as u64;
    }
    Ok(None)
}

/// Returns true if `row` frames follow each other, or as many as there are before the end.
fn is_row(window: &[u8], from: usize, first: &Frame, row: usize, may_end: bool) -> bool {
    let (mut at, mut last) = (from, *first);
    for _ in 1..row {
        at += last.length;
        match window.get(at..).and_then(parse) {
            Some(frame) if last.goes_on_as(&frame) => last = frame,
            _ => {
                // A truncated header, or a frame.
                let is_end = may_end && window.len().saturating_sub(at) < HEAD;
                return is_end || tags::begins(window.get(at..));
            }
        }
    }
    true
}
