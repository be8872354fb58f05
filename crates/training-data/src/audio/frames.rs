//! Frames of MPEG audio and of AAC in ADTS, walked over by their own heads: each says how long it is and at
//! which rate, and files are cut, joined and tagged between any two of them (DATA-2).

use std::io::{self, Read, Seek};

use super::adts;
use super::bytes::{Bytes, WINDOW};
use super::decoding::{Codec, Decoding};
use super::frame::{Frame, Kind};
use super::mpeg::{self, Gaps};
use super::tags;

/// Bytes of a head, and more than the longest frame has.
const HEAD: usize = 9;
const LONGEST: usize = 1 << 13;

/// Bytes that are passed over to find a frame; tags are not counted.
pub(super) const MOST_JUNK: u64 = 64 << 20;

/// Frames in a row that are none by chance.
const ROW: usize = 3;

fn parse(bytes: &[u8]) -> Option<Frame> {
    mpeg::frame(bytes).or_else(|| adts::frame(bytes))
}

/// The result of a walk over frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) kind: Kind,
    pub(super) nanos: u128,
}

/// Walks over the frames between two places, from wherever the first is; `None` if there are none.
///
/// # Errors
///
/// Those of the disk.
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
    /// Of the first frame.
    rate: u32,
    /// The samples that are none of the audio, as the first frame tells of them.
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

/// The frame at a place, where the last one ends, or the first behind that; it may go beyond the end.
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
    // The last frame may be cut, and others begin where its rest would be.
    let is_tag = tags::length(bytes, at, end)?.is_some();
    synced(bytes, if is_tag || at >= end { at } else { last + 1 }, end, Some(kind))
}

/// The bytes from a place on, and none behind the end.
fn within<'a, T: Read + Seek>(
    bytes: &'a mut Bytes<'_, T>,
    at: u64,
    end: u64,
    wanted: usize,
) -> io::Result<&'a [u8]> {
    let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
    bytes.at(at, wanted.min(left))
}

/// The first place with frames that others follow, from a place on, past tags and anything else.
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
        // Of a block that is not the last, the frames at its end are looked at in the next one.
        let sought = if is_last { window.len() } else { WINDOW - ROW * LONGEST };
        let is_row = |from: usize| {
            let first = parse(window.get(from..)?)?;
            // A few frames are an audio of their own where it begins, and nowhere else.
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
                // A head that is cut, or a frame.
                let is_end = may_end && window.len().saturating_sub(at) < HEAD;
                return is_end || tags::begins(window.get(at..));
            }
        }
    }
    true
}
