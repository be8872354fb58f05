//! An estimate of the work for the tables of an MP4, made before they are read. The demuxer keeps the tables
//! in memory, and for each sample walks over the entries with sample durations.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

/// The most bytes of tables and tags in an audio file; enough for the sizes of 75 hours of AAC.
pub(crate) const TABLES: u64 = 48 << 20;

/// The most entries that the demuxer may walk over in total: about a minute of work. In almost all files the
/// samples have equal durations, which needs one entry per sample. If all durations differ, the work is the
/// square of the number of samples, so such a file may last an hour and a half.
const STEPS: u128 = 1 << 36;

/// The most samples that the runs of fragments may claim in total. The demuxer counts them one by one, even
/// without any data. Enough for five hours of bare samples, 48,000 a second.
const IN_RUNS: u64 = 1 << 30;

/// The size of a header, which is read anew for each box.
const HEADER: u64 = 8;

/// The boxes that contain relevant boxes.
const PARENTS: [[u8; 4]; 7] =
    [*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl", *b"moof", *b"traf"];

/// The farthest position that a table may name: beyond the longest stored file, and within what any disk
/// supports.
pub(crate) const FARTHEST: u64 = 1 << 40;

/// Returns true if this is an MP4 whose tables are within the demuxer's bounds of memory and time.
///
/// # Errors
///
/// Errors of the disk. A file that ends too early is examined as far as it goes.
pub(crate) fn is_bearable(audio: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    audio.seek(SeekFrom::Start(0))?;
    let mut boxes = Boxes::new(audio, length);
    let mut at = 0;
    while let Some(it) = boxes.header(at, length)? {
        if at == 0 && it.kind != *b"ftyp" || boxes.headers > TABLES {
            return Ok(false);
        }
        at = it.end;
        if matches!(&it.kind, b"moov" | b"moof" | b"meta" | b"sidx" | b"udta") {
            boxes.tables += it.end - it.start;
            let mut cost = Cost::default();
            if boxes.tables > TABLES || !boxes.add(&mut cost, it)? || cost.steps(length) > STEPS {
                return Ok(false);
            }
        }
    }
    Ok(at > 0)
}

/// A box, whose content begins at `body`.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: [u8; 4],
    pub(crate) start: u64,
    pub(crate) body: u64,
    pub(crate) end: u64,
    /// The position at which it claims to end.
    pub(crate) claimed: u64,
}

impl Header {
    /// Returns a file of this length as the box that contains all others.
    pub(crate) const fn of_file(length: u64) -> Self {
        Header { kind: [0; 4], start: 0, body: 0, end: length, claimed: length }
    }
}

/// The cost of the samples of a box with tables.
#[derive(Default)]
struct Cost {
    /// The number of entries that may be walked over for each sample.
    entries: u128,
    samples: u128,
}

impl Cost {
    /// Returns the steps of the walk. At most as many samples are walked over as the file has bytes.
    fn steps(&self, length: u64) -> u128 {
        self.entries * self.samples.min(length.into())
    }
}

/// The boxes of a file.
pub(crate) struct Boxes<'a, T> {
    audio: BufReader<&'a mut T>,
    length: u64,
    tables: u64,
    /// The number of header bytes read so far.
    headers: u64,
    /// The number of samples that runs claim.
    in_runs: u64,
}

impl<'a, T: Read + Seek> Boxes<'a, T> {
    pub(crate) fn new(audio: &'a mut T, length: u64) -> Self {
        Boxes { audio: BufReader::new(audio), length, tables: 0, headers: 0, in_runs: 0 }
    }

    /// Adds the content of a box; returns false if it exceeds a bound.
    fn add(&mut self, cost: &mut Cost, parent: Header) -> io::Result<bool> {
        let mut open = vec![parent];
        while let Some(parent) = open.pop() {
            let mut at = parent.body;
            while let Some(it) = self.header(at, parent.end)? {
                at = it.end;
                if self.headers > TABLES {
                    return Ok(false);
                }
                match &it.kind {
                    kind if PARENTS.contains(kind) => open.push(it),
                    // Eight bytes per entry.
                    b"stts" => cost.entries += u128::from((it.end - it.body) / 8) + 1,
                    // After the version, the flags and the common sample size.
                    b"stsz" => cost.samples += u128::from(self.number(it, 8)?),
                    // At least four bytes per entry, and each of its samples may walk over all runs.
                    b"trun" => {
                        let samples = u64::from(self.number(it, 4)?);
                        cost.entries += u128::from((it.end - it.start) / 4);
                        cost.samples += u128::from(samples);
                        self.in_runs += samples;
                        if self.in_runs > IN_RUNS {
                            return Ok(false);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    /// Reads the header of the box at a position within another one, or within the file; `None` if there is
    /// none.
    pub(crate) fn header(&mut self, start: u64, end: u64) -> io::Result<Option<Header>> {
        let (mut size, mut kind, mut long) = ([0; 4], [0; 4], [0; 8]);
        if end.saturating_sub(start) < HEADER || !self.read(start, &mut [&mut size, &mut kind])? {
            return Ok(None);
        }
        self.headers += HEADER;
        let (body, size) = match u32::from_be_bytes(size) {
            0 => (start + HEADER, end - start),
            1 if self.read(start + HEADER, &mut [&mut long])? => {
                (start + 2 * HEADER, u64::from_be_bytes(long))
            }
            size => (start + HEADER, size.into()),
        };
        // A truncated box extends to the end.
        let claimed = start.saturating_add(size);
        let it = Header { kind, start, body, end: claimed.min(end), claimed };
        Ok(Some(it).filter(|it| it.end >= it.body))
    }

    /// Reads a number in a box at this offset in its body; 0 if it is out of the box.
    pub(crate) fn number(&mut self, it: Header, at: u64) -> io::Result<u32> {
        let mut number = [0; 4];
        let is_there = it.body + at + 4 <= it.end && self.read(it.body + at, &mut [&mut number])?;
        Ok(if is_there { u32::from_be_bytes(number) } else { 0 })
    }

    /// Reads the bytes at a position. Returns true if all of them exist.
    fn read(&mut self, at: u64, into: &mut [&mut [u8]]) -> io::Result<bool> {
        if at >= self.length {
            return Ok(false);
        }
        let position = self.audio.stream_position()?;
        self.audio.seek_relative(at.cast_signed() - position.cast_signed())?;
        for bytes in into {
            match self.audio.read_exact(bytes) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
                read => read?,
            }
        }
        Ok(true)
    }
}
