//! The format and the duration of an audio file, measured from its packets (DATA-2).

use std::io::{self, Read, Seek, SeekFrom};

use crate::mp4_limits;

mod adts;
mod beginning;
mod bytes;
mod decoding;
mod demuxed;
mod flac;
mod frame;
mod frames;
mod mpeg;
mod ogg;
mod tags;
mod tracks;
mod wav;

use beginning::Beginning;
use bytes::Bytes;
use demuxed::{Container, Part};
use frame::Kind;
use frames::Walked;
use tracks::{Movie, Track};
use wav::Wav;

/// A supported format of audio (DATA-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioFormat {
    /// `.mp3`
    Mp3,
    /// `.wav`
    Wav,
    /// `.flac`
    Flac,
    /// `.m4a`: AAC, ALAC or others in MP4.
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

    /// Returns the extension of the names of such files.
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

    /// Returns the name of the format, for people.
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

    /// Returns the supported codecs in this format.
    pub const fn codecs(self) -> &'static str {
        match self {
            AudioFormat::Mp3 => "MPEG audio layer III",
            AudioFormat::Wav => {
                "PCM of 8 to 32 and of 64 bits, floating-point PCM of 32 and 64 bits, mu-law, A-law, \
                Microsoft ADPCM, IMA ADPCM, MP3"
            }
            AudioFormat::Flac => "FLAC",
            AudioFormat::M4a => "AAC, HE-AAC, ALAC, FLAC, Opus, MP3, AC-3, E-AC-3, PCM",
            AudioFormat::Aac => "AAC and HE-AAC in ADTS",
            AudioFormat::Ogg => "Vorbis, Opus, FLAC",
        }
    }

    /// Returns the format that the extension of a file name implies, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let is_it = |it: &Self| extension.eq_ignore_ascii_case(it.extension());
        Self::ALL.into_iter().find(is_it).filter(|_| !stem.is_empty())
    }
}

/// The format and the duration of the audio in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio {
    /// The format.
    pub format: AudioFormat,
    /// The duration in milliseconds.
    pub millis: u64,
}

/// The reason why an audio file is not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub enum AudioFault {
    /// Not a known format, or without an audio track that has a duration.
    NotAudio,
    /// An unsupported container or codec, with its name, such as "WAV with G.726".
    OtherCodec(String),
    /// A sample rate in Hz below [`LEAST_RATE`].
    LowSampleRate(u32),
    /// Not readable: an error of the disk, not of the file.
    Unreadable(io::Error),
}

impl From<io::Error> for AudioFault {
    fn from(error: io::Error) -> Self {
        AudioFault::Unreadable(error)
    }
}

/// The lowest accepted sample rate in Hz: below it, a small file would last for hours.
pub const LEAST_RATE: u32 = 4000;

/// Measures an audio file by reading all its packets, since the durations in many headers are wrong. Of a
/// truncated or damaged file, the packets before the damage count, and those that its reader finds after it.
///
/// Memory does not grow with the audio, except for the tables of an MP4, a few bytes per packet. Data before
/// the packets of an MP4, Ogg or FLAC may take 48 MiB. An MP4 whose tables are longer, or would take minutes
/// to process, is not accepted.
///
/// # Errors
///
/// See [`AudioFault`].
pub fn measure(audio: &mut (impl Read + Seek + Send + Sync)) -> Result<Audio, AudioFault> {
    let mut bytes = Bytes::new(audio)?;
    let (end, (start, beginning)) = (bytes.length(), beginning::of(&mut bytes)?);
    let part = Part { start, end, claimed: 0 };
    let (format, nanos) = match beginning {
        Beginning::Wav => (AudioFormat::Wav, of_wav(&mut bytes, start)?),
        Beginning::Unknown => of_frames(&mut bytes, start, end)?,
        Beginning::Flac => match flac::walk(&mut bytes, start)? {
            flac::Walked { rate, .. } if rate < LEAST_RATE => {
                return Err(AudioFault::LowSampleRate(rate));
            }
            flac::Walked { nanos, .. } => (AudioFormat::Flac, nanos),
        },
        Beginning::Ogg => (AudioFormat::Ogg, of_ogg(audio, &part)?),
        Beginning::Mp4 => (AudioFormat::M4a, of_mp4(audio, end)?),
        Beginning::Other(found) => return Err(AudioFault::OtherCodec(found.to_owned())),
    };
    match nanos {
        0 => Err(AudioFault::NotAudio),
        // Any sound counts, however short.
        _ => {
            let millis = u64::try_from(nanos / 1_000_000).unwrap_or(u64::MAX).max(1);
            Ok(Audio { format, millis })
        }
    }
}

/// Returns the duration of `count` samples or ticks at a rate in Hz, in nanoseconds.
const fn nanos(count: u128, rate: u32) -> u128 {
    count * 1_000_000_000 / if rate == 0 { 1 } else { rate as u128 }
}

fn of_wav<T: Read + Seek>(bytes: &mut Bytes<'_, T>, start: u64) -> Result<u128, AudioFault> {
    match wav::read(bytes, start)? {
        Wav::Samples { rate, samples } if rate >= LEAST_RATE || samples == 0 => {
            Ok(nanos(samples.into(), rate))
        }
        Wav::Samples { rate, .. } => Err(AudioFault::LowSampleRate(rate)),
        Wav::Mpeg { start, end } => match frames::walk(bytes, start, end)? {
            Some(Walked { kind: Kind::Layer3, nanos }) => Ok(nanos),
            _ => Err(AudioFault::NotAudio),
        },
        Wav::Other(found) => Err(AudioFault::OtherCodec(found)),
        Wav::Nothing => Err(AudioFault::NotAudio),
    }
}

fn of_frames<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    start: u64,
    end: u64,
) -> Result<(AudioFormat, u128), AudioFault> {
    let other = |found: &str| Err(AudioFault::OtherCodec(found.to_owned()));
    let Some(Walked { kind, nanos }) = frames::walk(bytes, start, end)? else {
        return Err(AudioFault::NotAudio);
    };
    match kind {
        Kind::Layer1 => other("MPEG audio layer I"),
        Kind::Layer2 => other("MPEG audio layer II"),
        Kind::Layer3 => Ok((AudioFormat::Mp3, nanos)),
        Kind::Adts => Ok((AudioFormat::Aac, nanos)),
    }
}

fn of_ogg(audio: &mut (impl Read + Seek + Send + Sync), part: &Part) -> Result<u128, AudioFault> {
    match demuxed::walk(audio, part, Container::Ogg, &Movie::default()) {
        Ok(0) | Err(AudioFault::NotAudio) => {
            let found = ogg::other_codec(&mut Bytes::new(audio)?, part.start)?;
            Err(found.map_or(AudioFault::NotAudio, |name| AudioFault::OtherCodec(name.to_owned())))
        }
        walked => walked,
    }
}

fn of_mp4(audio: &mut (impl Read + Seek + Send + Sync), length: u64) -> Result<u128, AudioFault> {
    if !mp4_limits::is_bearable(audio, length)? {
        return Err(AudioFault::NotAudio);
    }
    audio.seek(SeekFrom::Start(0))?;
    let movie = tracks::read(audio, length)?;
    if let Some(found) = movie.tracks.iter().find_map(Track::unplayable) {
        return Err(AudioFault::OtherCodec(found.to_owned()));
    }
    let part = Part { start: 0, end: movie.end, claimed: movie.claimed };
    demuxed::walk(audio, &part, Container::Mp4, &movie)
}
