//! The tracks of an MP4: the played parts of each, and the kind of its samples (DATA-2).

use std::io::{self, Read, Seek};

use super::nanos;
use crate::mp4_limits::{Boxes, FARTHEST, Header};

/// The most tracks, boxes unrelated to the audio, and edits per track to examine.
const MOST_TRACKS: usize = 64;
const MOST_BLANK: usize = 1024;
const MOST_EDITS: u64 = 1024;

/// A track.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) id: u32,
    /// The codec of its samples, as a four-character code.
    pub(super) kind: [u8; 4],
    edits: Vec<Edit>,
}

/// A played part of the media, in nanoseconds.
#[derive(Debug)]
struct Edit {
    from: u128,
    /// `None` for everything after the start.
    length: Option<u128>,
}

impl Track {
    /// Returns the playing time of media of this length, in nanoseconds; each instant counts once.
    pub(super) fn played(&self, length: u128) -> u128 {
        let of_edit = |edit: &Edit| {
            let left = length.saturating_sub(edit.from);
            edit.length.map_or(left, |length| length.min(left))
        };
        match &*self.edits {
            [] => length,
            edits => edits.iter().map(of_edit).sum::<u128>().min(length),
        }
    }

    /// Returns the protection of the samples, or the name of an unsupported codec.
    pub(super) const fn unplayable(&self) -> Option<&'static str> {
        Some(match &self.kind {
            b"enca" => "encrypted M4A (CENC)",
            b"drms" => "protected M4A (FairPlay)",
            b"samr" => "M4A with AMR",
            b"sawb" => "M4A with AMR-WB",
            b"sqcp" | b"Qclp" => "M4A with QCELP",
            b"ac-4" => "M4A with AC-4",
            b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" | b"dtsx" => "M4A with DTS",
            b"mlpa" => "M4A with TrueHD",
            b"mha1" | b"mha2" | b"mhm1" | b"mhm2" => "M4A with MPEG-H",
            b"QDM2" | b"QDMC" => "M4A with QDesign",
            b"ima4" | b"ms\0\x02" | b"ms\0\x11" => "M4A with ADPCM",
            b"MAC3" | b"MAC6" => "M4A with MACE",
            b"agsm" => "M4A with GSM 6.10",
            _ => return None,
        })
    }
}

/// The tracks and the relevant boxes of an MP4.
#[derive(Debug, Default)]
pub(super) struct Movie {
    pub(super) tracks: Vec<Track>,
    /// The positions of the names of boxes unrelated to the audio, which may be broken: tags, covers,
    /// indices.
    pub(super) blank: Vec<u64>,
    /// The end of the last box with tables or audio, and its claimed end. Boxes after it may be broken too.
    pub(super) end: u64,
    pub(super) claimed: u64,
}

/// Parses an MP4 whose tables are within their bounds.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn read(audio: &mut (impl Read + Seek), length: u64) -> io::Result<Movie> {
    let mut boxes = Boxes::new(audio, length);
    let whole = Header::of_file(length);
    let mut found = Movie::default();
    boxes.add_blank(whole, &mut found.blank)?;
    (found.end, found.claimed) = boxes.end_of_last(whole)?;
    let Some(movie) = boxes.child(whole, b"moov")? else { return Ok(found) };
    boxes.add_blank(movie, &mut found.blank)?;
    let movie_scale = match boxes.child(movie, b"mvhd")? {
        Some(it) => boxes.timescale(it)?,
        None => 0,
    };
    let mut at = movie.body;
    while let Some(it) = boxes.header(at, movie.end)? {
        at = it.end;
        if it.kind == *b"trak" && found.tracks.len() < MOST_TRACKS {
            found.tracks.push(boxes.track(it, movie_scale)?);
            boxes.add_blank(it, &mut found.blank)?;
        }
    }
    found.blank.sort_unstable();
    Ok(found)
}

impl<T: Read + Seek> Boxes<'_, T> {
    fn track(&mut self, track: Header, movie_scale: u32) -> io::Result<Track> {
        let mut found = Track::default();
        if let Some(it) = self.child(track, b"tkhd")? {
            let at = if self.is_long(it)? { 20 } else { 12 };
            found.id = self.number(it, at)?;
        }
        let Some(media) = self.child(track, b"mdia")? else { return Ok(found) };
        if let Some(it) = self.descendant(media, &[b"minf", b"stbl", b"stsd"])? {
            found.kind = self.number(it, 12)?.to_be_bytes();
        }
        let scale = match self.child(media, b"mdhd")? {
            Some(it) => self.timescale(it)?,
            None => 0,
        };
        if let Some(it) = self.descendant(track, &[b"edts", b"elst"])?
            && scale > 0
            && movie_scale > 0
        {
            found.edits = self.edits(it, movie_scale, scale)?;
        }
        Ok(found)
    }

    fn edits(&mut self, list: Header, movie_scale: u32, scale: u32) -> io::Result<Vec<Edit>> {
        let is_long = self.is_long(list)?;
        let (size, of_time) = if is_long { (20, 8) } else { (12, 4) };
        let count = u64::from(self.number(list, 4)?).min(MOST_EDITS);
        let mut edits = Vec::new();
        for at in (0..count).map(|index| 8 + index * size) {
            if list.body + at + size > list.end {
                break;
            }
            let length = self.wide(list, at, is_long)?;
            let from = self.wide(list, at + of_time, is_long)?;
            // An edit without media is a pause, which decoders skip.
            let is_pause = if is_long { from == u64::MAX } else { from == u64::from(u32::MAX) };
            if !is_pause {
                let length = Some(length).filter(|length| *length > 0);
                edits.push(Edit {
                    from: nanos(from.into(), scale),
                    length: length.map(|length| nanos(length.into(), movie_scale)),
                });
            }
        }
        Ok(edits)
    }

    /// Reads a number of four or eight bytes.
    fn wide(&mut self, it: Header, at: u64, is_long: bool) -> io::Result<u64> {
        let first = u64::from(self.number(it, at)?);
        Ok(if is_long { first << 32 | u64::from(self.number(it, at + 4)?) } else { first })
    }

    /// Reads the time scale of a box that begins with a version and two times.
    fn timescale(&mut self, it: Header) -> io::Result<u32> {
        let at = if self.is_long(it)? { 20 } else { 12 };
        self.number(it, at)
    }

    /// Returns true if the version of the box uses numbers of eight bytes.
    fn is_long(&mut self, it: Header) -> io::Result<bool> {
        Ok(self.number(it, 0)? >> 24 == 1)
    }

    fn end_of_last(&mut self, file: Header) -> io::Result<(u64, u64)> {
        let (mut at, mut last) = (file.body, (0, 0));
        while let Some(it) = self.header(at, file.end)? {
            at = it.end;
            if matches!(&it.kind, b"ftyp" | b"moov" | b"mdat" | b"moof") {
                last = (it.end, if it.claimed > FARTHEST { it.end } else { it.claimed });
            }
        }
        Ok(last)
    }

    fn add_blank(&mut self, parent: Header, blank: &mut Vec<u64>) -> io::Result<()> {
        let mut at = parent.body;
        while let Some(it) = self.header(at, parent.end)? {
            at = it.end;
            if matches!(&it.kind, b"meta" | b"udta" | b"sidx") && blank.len() < MOST_BLANK {
                blank.push(it.start + 4);
            }
        }
        Ok(())
    }

    fn child(&mut self, parent: Header, kind: &[u8; 4]) -> io::Result<Option<Header>> {
        let mut at = parent.body;
        while let Some(it) = self.header(at, parent.end)? {
            if it.kind == *kind {
                return Ok(Some(it));
            }
            at = it.end;
        }
        Ok(None)
    }

    fn descendant(&mut self, mut parent: Header, path: &[&[u8; 4]]) -> io::Result<Option<Header>> {
        for kind in path {
            let Some(it) = self.child(parent, kind)? else { return Ok(None) };
            parent = it;
        }
        Ok(Some(parent))
    }
}
