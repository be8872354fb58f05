//! Audio files whose packets symphonia demuxes: MP4 and Ogg.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, CODEC_ID_NULL_AUDIO};
use symphonia::core::errors::{Error, Result as Demuxed};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::default::formats::{IsoMp4Reader, OggReader};

use super::decoding::Decoding;
use super::tracks::{Movie, Track};
use super::{AudioFault, LEAST_RATE};
use crate::mp4_limits::{FARTHEST, TABLES};

/// The part of a file that a demuxer reads.
pub(super) struct Part {
    pub(super) start: u64,
    pub(super) end: u64,
    /// The position at which the part would end if it were complete, relative to its start. The demuxer skips
    /// an MP4 box that extends past the end, together with all audio in it.
    pub(super) claimed: u64,
}

/// A container with a demuxer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Mp4,
    Ogg,
}

/// Returns the playing time of the audio packets in a part of a file, in nanoseconds, by the edit lists of
/// its tracks.
///
/// # Errors
///
/// Errors of the disk; and the fault of an audio that is not accepted.
pub(super) fn walk(
    audio: &mut (impl Read + Seek + Send + Sync),
    part: &Part,
    container: Container,
    movie: &Movie,
) -> Result<u128, AudioFault> {
    let (broken, left) = (Mutex::new(None), AtomicU64::new(TABLES));
    let length = part.end - part.start;
    let source =
        Source { audio, part, length, at: 0, blank: &movie.blank, broken: &broken, left: &left };
    let mut walk = Walk { length, used: 0, tracks: &movie.tracks, nanos: 0, fault: None };
    // A demuxer that panics on a damaged file counts as one that cannot read it.
    let found = catch_unwind(AssertUnwindSafe(|| walk.all(source, container)));
    if let Some(error) = broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(AudioFault::Unreadable(error));
    }
    match (found.unwrap_or_default(), walk.fault) {
        (_, Some(fault)) => Err(fault),
        (Some(()), None) => Ok(walk.nanos),
        (None, None) => Err(AudioFault::NotAudio),
    }
}

struct Walk<'a> {
    /// The length of the part in bytes.
    length: u64,
    /// The number of bytes in packets so far, at most the size of the file. Tables may list any number of
    /// empty packets, which would add time without data, so each of those counts as one byte.
    used: u64,
    /// The tracks of an MP4.
    tracks: &'a [Track],
    /// The playing time of the packets so far, in nanoseconds.
    nanos: u128,
    /// The reason why the audio is not accepted.
    fault: Option<AudioFault>,
}

impl Walk<'_> {
    /// Reads all packets; `None` if there is no audio.
    fn all<T: Read + Seek + Send + Sync>(
        &mut self,
        source: Source<'_, T>,
        container: Container,
    ) -> Option<()> {
        let left = source.left;
        let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
        let mut reader = opened(stream, container).ok()?;
        left.store(u64::MAX, Ordering::Relaxed);
        while self.add_track(&mut *reader)? {}
        Some(())
    }

    /// Reads to the end of the current tracks. Returns true if other tracks follow, as in chained Ogg
    /// streams; `None` if the packets claim more bytes than the file has.
    fn add_track(&mut self, reader: &mut dyn FormatReader) -> Option<bool> {
        let track = reader.default_track(TrackType::Audio);
        let Some((track, base)) = track.and_then(|track| Some((track, track.time_base?))) else {
            return Some(false);
        };
        let parameters = track.codec_params.as_ref().and_then(CodecParameters::audio)?;
        self.fault = self.fault.take().or_else(|| not_taken(parameters));
        let id = track.id;
        // The demuxer trims the end of Opus, but not its start.
        let is_opus = parameters.codec == CODEC_ID_OPUS;
        let delay = track.delay.filter(|_| is_opus && self.tracks.is_empty()).unwrap_or(0);
        let mut decoding = Decoding::new(self.used, self.length);
        decoding.decodes(parameters);
        let mut ticks: u128 = 0;
        let (numer, denom) = (u128::from(base.numer.get()), u128::from(base.denom.get()));
        let nanos = |ticks: u128| ticks * numer * 1_000_000_000 / denom;
        let is_reset = loop {
            let packet = reader.next_packet();
            let place = self.used;
            if let Ok(Some(packet)) = &packet {
                self.used += (packet.data.len() as u64).max(1);
                if self.used > self.length {
                    return None;
                }
            }
            match packet {
                Ok(Some(packet)) if packet.track_id != id || is_header(&packet.data) => {}
                Ok(Some(packet)) => {
                    let before = nanos(ticks);
                    ticks += u128::from(packet.dur.get());
                    decoding.add(place, nanos(ticks) - before);
                    if decoding.wants() {
                        decoding.try_packet(&packet.data);
                    }
                }
                Err(Error::ResetRequired) => break true,
                // The end of the file, or the beginning of damage.
                Ok(None) | Err(_) => break false,
            }
        };
        let (all, decoded) = (nanos(ticks), decoding.nanos());
        let track = self.tracks.iter().find(|track| track.id == id);
        let played = track.map_or(all, |track| track.played(all));
        let played = played.saturating_sub(nanos(delay.into()));
        self.nanos += played.saturating_sub(all - decoded);
        Some(is_reset)
    }
}

/// Returns true if a packet is a repeated Opus header.
fn is_header(packet: &[u8]) -> bool {
    packet.starts_with(b"OpusHead") || packet.starts_with(b"OpusTags")
}

/// Returns the fault of an audio with such parameters; `None` if it is accepted.
fn not_taken(parameters: &AudioCodecParameters) -> Option<AudioFault> {
    if parameters.codec == CODEC_ID_NULL_AUDIO {
        return Some(AudioFault::OtherCodec("audio with an unknown codec".to_owned()));
    }
    let rate = parameters.sample_rate.filter(|rate| *rate < LEAST_RATE);
    rate.map(AudioFault::LowSampleRate)
}

fn opened<'a>(
    stream: MediaSourceStream<'a>,
    container: Container,
) -> Demuxed<Box<dyn FormatReader + 'a>> {
    let options = FormatOptions::default();
    Ok(match container {
        Container::Ogg => Box::new(OggReader::try_new(stream, options)?),
        Container::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options)?),
    })
}

/// The input of symphonia. It keeps errors of the disk apart from faults of the audio.
struct Source<'a, T> {
    audio: &'a mut T,
    part: &'a Part,
    length: u64,
    at: u64,
    /// The positions of box names that the demuxer should read as empty boxes, in order.
    blank: &'a [u64],
    broken: &'a Mutex<Option<io::Error>>,
    /// The number of bytes that may still be read before the first packet.
    left: &'a AtomicU64,
}

impl<T> Source<'_, T> {
    /// Replaces the names of blank boxes in bytes that were read.
    fn put_blank(&self, bytes: &mut [u8]) {
        let end = self.at + bytes.len() as u64;
        let first = self.blank.partition_point(|place| place + 4 <= self.at);
        for place in self.blank.iter().skip(first).take_while(|place| **place < end) {
            for (place, letter) in (*place..).zip(b"free") {
                let at = place.checked_sub(self.at).and_then(|at| usize::try_from(at).ok());
                if let Some(byte) = at.and_then(|at| bytes.get_mut(at)) {
                    *byte = *letter;
                }
            }
        }
    }

    fn noted<R>(&self, done: io::Result<R>) -> io::Result<R> {
        done.map_err(|error| {
            let kind = error.kind();
            if kind != ErrorKind::Interrupted {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            kind.into()
        })
    }
}

impl<T: Read + Seek> Source<'_, T> {
    fn read_file(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let (from, end) = (self.part.start + self.at, self.part.end);
        if from >= end {
            return Ok(0);
        }
        self.audio.seek(SeekFrom::Start(from))?;
        self.audio.by_ref().take(end - from).read(bytes)
    }
}

impl<T: Read + Seek> Read for Source<'_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let most = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = bytes.get_mut(..most).unwrap_or_default();
        let read = self.read_file(bytes);
        let read = self.noted(read)?;
        self.put_blank(bytes.get_mut(..read).unwrap_or_default());
        self.at += read as u64;
        if left < u64::MAX {
            self.left.store(left - read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

impl<T> Seek for Source<'_, T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.part.claimed.max(self.length).checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        // A position before the start, or beyond what any disk supports, is a fault of the audio.
        let place = place.filter(|place| *place <= FARTHEST).ok_or(ErrorKind::InvalidInput)?;
        self.at = place;
        Ok(place)
    }
}

impl<T: Read + Seek + Send + Sync> MediaSource for Source<'_, T> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
