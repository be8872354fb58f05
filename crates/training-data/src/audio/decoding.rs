//! Decodes a sample of the packets of an audio file: parts that cannot be decoded do not count (DATA-2).

use symphonia::core::audio::Channels;
use symphonia::core::audio::Position;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known,
};
use symphonia::core::errors::Error;
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

/// The number of stretches into which an audio file is divided, and the least bytes of one.
const STRETCHES: u64 = 32;
const SHORTEST: u64 = 1 << 16;

/// The number of packets at the beginning of a stretch that are all tried until one decodes; after that fewer
/// and fewer.
const FIRST: u32 = 16;

/// A codec whose frames follow each other directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Mp3,
    Aac,
}

/// The duration of an audio file: the sum of the stretches in which a packet could be decoded.
pub(super) struct Decoding {
    end: u64,
    stretch: u64,
    /// The position at which the next stretch begins.
    next: u64,
    nanos: u128,
    /// The duration of the stretch so far, in nanoseconds.
    pending: u128,
    is_proven: bool,
    packets: u32,
    decoder: Option<Box<dyn AudioDecoder>>,
    /// The parameters of the current frame decoder.
    spec: Option<(Codec, u32, u8)>,
}

impl Decoding {
    /// Starts with an audio between two positions of a file.
    pub(super) fn new(start: u64, end: u64) -> Self {
        let stretch = (end.saturating_sub(start) / STRETCHES).max(SHORTEST);
        Decoding {
            end,
            stretch,
            next: start.saturating_add(stretch),
            nanos: 0,
            pending: 0,
            is_proven: false,
            packets: 0,
            decoder: None,
            spec: None,
        }
    }

    /// Adds a packet at a position.
    pub(super) fn add(&mut self, place: u64, nanos: u128) {
        // The rest at the end is too short for a stretch of its own.
        if place >= self.next && self.end.saturating_sub(place) > self.stretch / 2 {
            self.close();
            self.next = place.saturating_add(self.stretch);
        }
        self.pending += nanos;
        self.packets = self.packets.saturating_add(1);
    }

    /// Returns true if the packet added last should be decoded.
    pub(super) const fn wants(&self) -> bool {
        !self.is_proven && (self.packets <= FIRST || self.packets.is_power_of_two())
    }

    /// Tries to decode a frame of a codec, at its own rate; `None` for a profile without a decoder here.
    pub(super) fn try_frame(
        &mut self,
        codec: Option<Codec>,
        rate: u32,
        channels: u8,
        packet: &[u8],
    ) {
        let spec = codec.map(|codec| (codec, rate, channels));
        if self.spec != spec {
            (self.spec, self.decoder) = (spec, codec.and_then(|it| decoder_of(it, rate, channels)));
        }
        self.try_packet(packet);
    }

    /// Expects FLAC frames of a stream with this description from now on.
    pub(super) fn decodes_flac(&mut self, info: &[u8]) {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(well_known::CODEC_ID_FLAC).with_extra_data(info.into());
        self.decoder = made(&parameters);
    }

    /// Expects packets of a track from now on.
    pub(super) fn decodes(&mut self, parameters: &AudioCodecParameters) {
        self.decoder = made(parameters);
    }

    /// Tries to decode a packet. Without a decoder, any packet that is not all zeros is accepted.
    pub(super) fn try_packet(&mut self, packet: &[u8]) {
        let packet_is_blank = packet.iter().all(|byte| *byte == 0);
        self.is_proven = match &mut self.decoder {
            None => !packet_is_blank,
            Some(decoder) => {
                let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
                match decoder.decode_ref(&packet) {
                    Ok(decoded) => decoded.frames() > 0,
                    Err(Error::Unsupported(_)) => true,
                    Err(_) => false,
                }
            }
        };
    }

    fn close(&mut self) {
        if self.is_proven {
            self.nanos += self.pending;
        }
        (self.pending, self.packets, self.is_proven) = (0, 0, false);
        if let Some(decoder) = &mut self.decoder {
            decoder.reset();
        }
    }

    /// Returns the duration of all stretches in which a packet could be decoded, in nanoseconds.
    pub(super) fn nanos(mut self) -> u128 {
        self.close();
        self.nanos
    }
}

fn decoder_of(codec: Codec, rate: u32, channels: u8) -> Option<Box<dyn AudioDecoder>> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(match codec {
        Codec::Mp3 => well_known::CODEC_ID_MP3,
        Codec::Aac => well_known::CODEC_ID_AAC,
    });
    let channels = match channels {
        1 => Position::FRONT_CENTER,
        2 => Position::FRONT_LEFT | Position::FRONT_RIGHT,
        _ => return None,
    };
    parameters.with_sample_rate(rate).with_channels(Channels::Positioned(channels));
    made(&parameters)
}

/// Creates a decoder, if there is one.
fn made(parameters: &AudioCodecParameters) -> Option<Box<dyn AudioDecoder>> {
    let options = AudioDecoderOptions::default();
    symphonia::default::get_codecs().make_audio_decoder(parameters, &options).ok()
}
