//! A read-only scan of sled's log, made before sled opens it.
//!
//! Sled truncates its log at the first unreadable message, overwrites the rest with zeros, and goes
//! on from there. The scan reads the segments that sled would read, those that its snapshot does
//! not cover. It distinguishes a log with a clean end from one that may have lost data.
//!
//! The log consists of segments of 512 KiB, in any order. A segment begins with a header of 20
//! bytes: a checksum, its log sequence number (LSN), and the LSN up to which the log was stable.
//! Messages follow, each with a checksum and the number of its segment. A full segment ends with a
//! cap message.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The size of a segment in bytes.
const SEGMENT: usize = 512 << 10;

/// The size of a segment's header in bytes.
const HEADER: usize = 20;

/// The number of bytes at the end of a segment in which no message begins.
const RED_ZONE: usize = 32;

const CAP: u8 = 2;
const BATCH: u8 = 3;
const LAST_KIND: u8 = 11;

/// The state of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// A clean end. Zeros follow, or leftovers of an earlier use of the segment.
    Ends {
        at: u64,
        /// True if not only zeros follow.
        has_rest: bool,
    },
    /// The last writes cannot be read: damage, or a process killed while writing.
    Torn,
    /// A message in the middle cannot be read: damage, or a power cut while a large group was
    /// written.
    HasGap,
    /// Damage that no crash explains.
    Broken(&'static str),
}

/// Scans the log of a folder.
pub(crate) fn scan(folder: &Path, log: &Path) -> io::Result<Log> {
    let from = snapshot(folder)? / SEGMENT as u64 * SEGMENT as u64;
    let mut log = File::open(log)?;
    let (mut segments, mut stable) = (BTreeMap::new(), from);
    let length = log.metadata()?.len();
    for offset in (0..length).step_by(SEGMENT) {
        match header(&mut log, offset)? {
            Header::Sound { lsn, stable: then } if lsn >= from => {
                if segments.insert(lsn, offset).is_some() {
                    return Ok(Log::Broken("two segments of sled's log have one place"));
                }
                stable = stable.max(then);
            }
            Header::Sound { .. } | Header::Empty => {}
            Header::Broken => {
                return Ok(Log::Broken("a segment of sled's log has a broken header"));
            }
        }
    }
    let tail = stable / SEGMENT as u64 * SEGMENT as u64;
    let mut walk = Walk { log, next: tail, end: from.max(tail), batch: 0, has_rest: false };
    for (lsn, offset) in segments {
        if let Some(found) = walk.segment(lsn, offset, lsn < tail)? {
            return Ok(found);
        }
    }
    let Walk { end, batch, has_rest, .. } = walk;
    // Sled drops a batch whose last message is missing.
    Ok(if batch >= end { Log::Torn } else { Log::Ends { at: end, has_rest } })
}

/// Returns the LSN of the end of a log, or `None` if the end is not clean. Reads only the last
/// segment.
pub(crate) fn end_of(log: &Path) -> io::Result<Option<u64>> {
    let mut log = File::open(log)?;
    let length = log.metadata()?.len();
    let mut last = None;
    for offset in (0..length).step_by(SEGMENT) {
        if let Header::Sound { lsn, .. } = header(&mut log, offset)? {
            last = last.max(Some((lsn, offset)));
        }
    }
    let Some((lsn, offset)) = last else { return Ok(None) };
    let mut walk = Walk { log, next: lsn, end: lsn, batch: 0, has_rest: false };
    let is_torn = walk.segment(lsn, offset, false)?.is_some() || walk.batch >= walk.end;
    Ok((!is_torn).then_some(walk.end))
}

/// A walk over segments in the order of the log.
struct Walk {
    log: File,
    /// The LSN at which the next segment of the tail must begin.
    next: u64,
    /// The LSN after the last message.
    end: u64,
    /// The last LSN of any batch.
    batch: u64,
    has_rest: bool,
}

impl Walk {
    /// Reads a segment. Returns the state of the log if the walk ends here.
    fn segment(&mut self, lsn: u64, offset: u64, is_old: bool) -> io::Result<Option<Log>> {
        if !is_old && lsn != self.next {
            return Ok(Some(Log::Torn));
        }
        let bytes = read_at(&mut self.log, offset, SEGMENT)?;
        let number = lsn / SEGMENT as u64;
        let mut place = HEADER;
        let is_full = loop {
            if place + RED_ZONE > SEGMENT {
                break true;
            }
            match bytes.get(place..).and_then(Message::read) {
                Some(message) if message.segment == number => {
                    place += message.length;
                    match message.kind {
                        CAP => break true,
                        BATCH => self.batch = self.batch.max(message.last_of_batch),
                        _ => {}
                    }
                }
                // At opening sled starts a new segment here without a cap.
                _ => break place + RED_ZONE == SEGMENT,
            }
        };
        let rest = bytes.get(place..).unwrap_or_default();
        let used = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let rest = rest.get(..used).unwrap_or_default();
        if is_old {
            return Ok(check_full_segment(rest, number, is_full));
        }
        if is_full {
            (self.next, self.end) = (lsn + SEGMENT as u64, lsn + SEGMENT as u64);
            self.has_rest = false;
            return Ok(None);
        }
        // This is the end: no further segment may follow.
        self.next = u64::MAX;
        self.end = lsn + place as u64;
        self.has_rest = !rest.is_empty();
        Ok(None)
    }
}

/// Checks a segment before the tail, which must be full. It may be in reuse: then newer messages
/// follow, while the header is still the old one.
fn check_full_segment(rest: &[u8], number: u64, is_full: bool) -> Option<Log> {
    let is_sound = is_full || messages(rest).any(|message| message.segment > number);
    (!is_sound).then_some(Log::HasGap)
}

/// All messages that can be read at any offset.
fn messages(bytes: &[u8]) -> impl Iterator<Item = Message> {
    (0..bytes.len()).filter_map(|place| bytes.get(place..).and_then(Message::read))
}

struct Message {
    kind: u8,
    segment: u64,
    /// The length with the header.
    length: usize,
    /// The last LSN of a batch, if this message begins one.
    last_of_batch: u64,
}

impl Message {
    /// Reads a message; `None` if its checksum is wrong.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (crc, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        if !(1..=LAST_KIND).contains(kind) {
            return None;
        }
        let (body, rest) = variable(rest)?;
        let (segment, rest) = variable(rest)?;
        let (_page, rest) = variable(rest)?;
        let header = bytes.get(..bytes.len().checked_sub(rest.len())?)?;
        let body = rest.get(..usize::try_from(body).ok()?)?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        hasher.update(header.get(4..)?);
        if !hasher.finalize() != u32::from_le_bytes(*crc) {
            return None;
        }
        let last_of_batch = body.first_chunk().map_or(0, |last| u64::from_le_bytes(*last));
        Some(Message { kind: *kind, segment, length: header.len() + body.len(), last_of_batch })
    }
}

/// Splits off a number of one to nine bytes.
fn variable(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let short = u64::from(*first);
    Some(match first {
        0..=240 => (short, rest),
        241..=248 => {
            let (second, rest) = rest.split_first()?;
            (240 + 256 * (short - 241) + u64::from(*second), rest)
        }
        249 => {
            let (two, rest) = rest.split_first_chunk::<2>()?;
            (2288 + u64::from(u16::from_be_bytes(*two)), rest)
        }
        250..=255 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(*first - 247))?;
            let number =
                bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
            (number, rest)
        }
    })
}

enum Header {
    Sound { lsn: u64, stable: u64 },
    Empty,
    Broken,
}

fn header(log: &mut File, offset: u64) -> io::Result<Header> {
    let bytes = read_at(log, offset, HEADER)?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Header::Empty);
    }
    let number = |place: &[u8]| {
        let number = i64::from_le_bytes(*place.first_chunk()?) ^ i64::MAX;
        // In a new log the stable LSN is negative.
        u64::try_from(number.max(0)).ok()
    };
    let read = || {
        let (crc, rest) = bytes.split_first_chunk::<4>()?;
        let is_sound = crc32fast::hash(rest) == !u32::from_le_bytes(*crc);
        is_sound.then_some(Header::Sound { lsn: number(rest)?, stable: number(rest.get(8..)?)? })
    };
    let header = if bytes.len() == HEADER { read() } else { None };
    Ok(header.unwrap_or(Header::Broken))
}

fn read_at(log: &mut File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    log.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(length);
    log.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The LSN up to which the newest snapshot covers the log, from the snapshot's name.
fn snapshot(folder: &Path) -> io::Result<u64> {
    let mut last = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let place = name.to_str().and_then(|name| name.strip_prefix("snap."));
        if let Some(place) = place.and_then(|place| u64::from_str_radix(place, 16).ok()) {
            last = last.max(place);
        }
    }
    Ok(last)
}
