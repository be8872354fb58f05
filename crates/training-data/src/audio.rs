//! What an audio is and how long it lasts, by the audio itself (DATA-2).

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, TrackType, well_known};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use crate::boxes::{self, FARTHEST, TABLES};

mod bytes;
mod wav;

use bytes::Bytes;
use wav::Wav;

/// The formats that an audio may have (DATA-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioFormat {
    /// `.mp3`
    Mp3,
    /// `.wav`
    Wav,
    /// `.flac`
    Flac,
    /// `.m4a`: AAC or ALAC in MP4.
    M4a,
    /// `.aac`: AAC in ADTS frames.
    Aac,
    /// `.ogg`: Vorbis, Opus or FLAC.
    Ogg,
}

impl AudioFormat {
    /// Every format, in the order of the rule.
    pub const ALL: [AudioFormat; 6] = [
        AudioFormat::Mp3,
        AudioFormat::Wav,
        AudioFormat::Flac,
        AudioFormat::M4a,
        AudioFormat::Aac,
        AudioFormat::Ogg,
    ];

    /// What the name of such a file ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            AudioFormat::Mp3 => "mp3",
            AudioFormat::Wav => "wav",
            AudioFormat::Flac => "flac",
            AudioFormat::M4a => "m4a",
            AudioFormat::Aac => "aac",
            AudioFormat::Ogg => "ogg",
        }
    }

    /// The name of the format for people.
    pub const fn name(self) -> &'static str {
        match self {
            AudioFormat::Mp3 => "MP3",
            AudioFormat::Wav => "WAV",
            AudioFormat::Flac => "FLAC",
            AudioFormat::M4a => "M4A",
            AudioFormat::Aac => "AAC",
            AudioFormat::Ogg => "Ogg",
        }
    }

    /// The format that a file's name says, in whatever case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let is_it = |it: &Self| extension.eq_ignore_ascii_case(it.extension());
        Self::ALL.into_iter().find(is_it).filter(|_| !stem.is_empty())
    }

    fn of_id(id: FormatId) -> Option<Self> {
        match id {
            well_known::FORMAT_ID_MP3 => Some(AudioFormat::Mp3),
            well_known::FORMAT_ID_FLAC => Some(AudioFormat::Flac),
            well_known::FORMAT_ID_ISOMP4 => Some(AudioFormat::M4a),
            well_known::FORMAT_ID_ADTS => Some(AudioFormat::Aac),
            well_known::FORMAT_ID_OGG => Some(AudioFormat::Ogg),
            _ => None,
        }
    }
}

/// What was found in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Its format.
    pub format: AudioFormat,
    /// How many milliseconds it lasts.
    pub millis: u64,
}

/// Why a file has no audio to speak of.
#[derive(Debug)]
#[non_exhaustive]
pub enum AudioFault {
    /// It is none of the formats, holds no audio track, or none that lasts any time.
    NotAudio,
    /// It is of a container or a codec that is not taken, which this names, as in "WAV with G.726".
    OtherCodec(String),
    /// Its sample rate, in Hz, is under [`LEAST_RATE`].
    LowSampleRate(u32),
    /// It could not be read: a fault of the disk, not of the file.
    Unreadable(io::Error),
}

impl From<io::Error> for AudioFault {
    fn from(error: io::Error) -> Self {
        AudioFault::Unreadable(error)
    }
}

/// The least sample rate in Hz: below it, little data would last for hours.
pub const LEAST_RATE: u32 = 4000;

/// Measures an audio, by walking over all its packets: what a header says of the duration is wrong for many
/// files. Of one that is cut or damaged counts what comes before the damage, or what its reader
/// finds behind it.
///
/// Memory does not grow with the audio, but for the tables of an MP4, a few bytes a packet. What stands
/// before the packets, tables and tags, may take 48 MiB; an MP4 whose tables are longer, or would take
/// minutes to walk over, counts as none.
///
/// # Errors
///
/// See [`AudioFault`].
pub fn measure(audio: &mut (impl Read + Seek + Send + Sync)) -> Result<Audio, AudioFault> {
    let mut bytes = Bytes::new(audio)?;
    if wav::is_wav(bytes.at(0, 12)?) {
        return of_wav(&mut bytes);
    }
    demuxed(audio)
}

fn of_wav<T: Read + Seek>(bytes: &mut Bytes<'_, T>) -> Result<Audio, AudioFault> {
    match wav::read(bytes)? {
        Wav::Samples { rate, samples } if rate >= LEAST_RATE || samples == 0 => {
            lasting(AudioFormat::Wav, u128::from(samples) * 1_000_000_000 / u128::from(rate.max(1)))
        }
        Wav::Samples { rate, .. } => Err(AudioFault::LowSampleRate(rate)),
        Wav::Mpeg { .. } => Err(AudioFault::OtherCodec("WAV with MP3".to_owned())),
        Wav::Other(found) => Err(AudioFault::OtherCodec(found)),
        Wav::Nothing => Err(AudioFault::NotAudio),
    }
}

/// An audio that lasts some time, if it does: a millisecond at least, of whatever is there.
fn lasting(format: AudioFormat, nanos: u128) -> Result<Audio, AudioFault> {
    match nanos {
        0 => Err(AudioFault::NotAudio),
        _ => {
            let millis = u64::try_from(nanos / 1_000_000).unwrap_or(u64::MAX).max(1);
            Ok(Audio { format, millis })
        }
    }
}

fn demuxed(audio: &mut (impl Read + Seek + Send + Sync)) -> Result<Audio, AudioFault> {
    let length = audio.seek(SeekFrom::End(0))?;
    let end_of_mp4 = boxes::bearable_end(audio, length)?;
    audio.seek(SeekFrom::Start(0))?;
    let (broken, left) = (Mutex::new(None), AtomicU64::new(TABLES));
    let end = end_of_mp4.unwrap_or(length);
    let source = Source { audio, length, end, broken: &broken, left: &left };
    // A demuxer that panics on a damaged file says no more than that it cannot read it.
    let found =
        catch_unwind(AssertUnwindSafe(|| walk(source, end_of_mp4.is_some()))).unwrap_or_default();
    match broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(AudioFault::Unreadable(error)),
        None => found.filter(|audio| audio.millis > 0).ok_or(AudioFault::NotAudio),
    }
}

/// `is_mp4`: whether it may be taken for one.
fn walk<T: Read + Seek + Send + Sync>(source: Source<'_, T>, is_mp4: bool) -> Option<Audio> {
    let (mut total, left) = (Total { nanos: 0, room: source.length }, source.left);
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let probe = symphonia::default::get_probe();
    let mut reader = probe.probe(&Hint::new(), stream, format, metadata).ok()?;
    let format = AudioFormat::of_id(reader.format_info().format)?;
    if format == AudioFormat::M4a && !is_mp4 {
        return None;
    }
    left.store(u64::MAX, Ordering::Relaxed);
    while total.add_track(&mut *reader)? {}
    Some(Audio { format, millis: total.millis() })
}

/// How long the packets are that were walked over.
struct Total {
    /// In nanoseconds.
    nanos: u128,
    /// How many bytes more there can be in packets: no more than in the file. Tables may claim packets
    /// without any, which would be time for nothing, and no end of them.
    room: u64,
}

impl Total {
    /// Walks to the end of what the reader has; whether it has other tracks then, as a chain of several
    /// Ogg streams has. `None` if it claims more than the file can hold.
    fn add_track(&mut self, reader: &mut dyn FormatReader) -> Option<bool> {
        let track = reader.default_track(TrackType::Audio);
        let Some((track, base)) = track.and_then(|track| Some((track, track.time_base?))) else {
            return Some(false);
        };
        let id = track.id;
        let mut ticks: u128 = 0;
        let is_reset = loop {
            let packet = reader.next_packet();
            if let Ok(Some(packet)) = &packet {
                self.room = self.room.checked_sub((packet.data.len() as u64).max(1))?;
            }
            match packet {
                Ok(Some(packet)) if packet.track_id == id => {
                    ticks += u128::from(packet.dur.get());
                }
                Ok(Some(_)) => {}
                Err(Error::ResetRequired) => break true,
                // The end, or where the damage begins.
                Ok(None) | Err(_) => break false,
            }
        };
        let (numer, denom) = (u128::from(base.numer.get()), u128::from(base.denom.get()));
        self.nanos += ticks * numer * 1_000_000_000 / denom;
        Some(is_reset)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.nanos / 1_000_000).unwrap_or(u64::MAX)
    }
}

/// An audio as symphonia reads it. What the disk answers is told apart from what the audio is.
struct Source<'a, T> {
    audio: &'a mut T,
    length: u64,
    /// Where it would end if nothing of it were missing: the demuxer leaves out a box of an MP4 that
    /// goes on behind the end, with all the audio that is there.
    end: u64,
    broken: &'a Mutex<Option<io::Error>>,
    /// How many bytes may be read before the packets.
    left: &'a AtomicU64,
}

impl<T> Source<'_, T> {
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

impl<T: Read> Read for Source<'_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let read = self.audio.by_ref().take(left).read(bytes);
        let read = self.noted(read)?;
        if left < u64::MAX {
            self.left.store(left - read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}

impl<T: Seek> Seek for Source<'_, T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
            SeekFrom::Current(by) => {
                let position = self.audio.stream_position();
                self.noted(position)?.checked_add_signed(by)
            }
        };
        // A place before the start, or beyond what a disk knows, is a fault of the audio.
        let place = place.filter(|place| *place <= FARTHEST).ok_or(ErrorKind::InvalidInput)?;
        let sought = self.audio.seek(SeekFrom::Start(place));
        self.noted(sought)
    }
}

impl<T: Read + Seek + Send + Sync> MediaSource for Source<'_, T> {
    fn is_seekable(&self) -> bool {
        true
    }

    /// What there is of it: the probe looks for tags at its end.
    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
