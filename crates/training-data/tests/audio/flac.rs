//! DATA-2: FLAC, whose frames count whatever is before, between and after them.

use std::io::{Cursor, Read, Result as Done, Seek, SeekFrom};

use custom_models_training_data::{Audio, AudioFault, AudioFormat, measure};

use crate::support::{FLAC, measured};

#[track_caller]
fn lasts(bytes: &[u8], millis: u64) {
    assert_eq!(measured(bytes).unwrap(), Audio { format: AudioFormat::Flac, millis });
}

#[track_caller]
fn is_none(bytes: &[u8]) {
    let found = measured(bytes);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

fn sum(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << (bits - 8), |sum, _| {
            let carry = if sum >> (bits - 1) & 1 == 1 { polynomial } else { 0 };
            (sum << 1 ^ carry) & ((1 << bits) - 1)
        })
    })
}

/// A subframe of equal samples: silence.
const SILENCE: &[u8] = &[0; 3];

/// Returns a frame of 16-bit samples in one channel; rate 0 means that of the stream.
fn frame(samples: u32, number: u8, rate: u8, subframe: &[u8]) -> Vec<u8> {
    let size = (samples - 1).to_be_bytes();
    let mut frame = vec![0xFF, 0xF8, 0x70 | rate, 0x08, number, size[2], size[3]];
    frame.push(sum(&frame, 8, 0x07) as u8);
    frame.extend(subframe);
    let of_all = sum(&frame, 16, 0x8005) as u16;
    [frame, of_all.to_be_bytes().to_vec()].concat()
}

fn block(kind: u8, is_last: bool, length: usize, body: &[u8]) -> Vec<u8> {
    let kind = if is_last { 0x80 | kind } else { kind };
    let length = (length as u32).to_be_bytes();
    [&[kind][..], &length[1..], body].concat()
}

/// Returns the body of the block that describes a stream.
fn info(rate: u32) -> Vec<u8> {
    let mut info = vec![0; 34];
    info[..4].copy_from_slice(&[0, 16, 0xFF, 0xFF]);
    info[10..14].copy_from_slice(&(rate << 12 | 15 << 4).to_be_bytes());
    info
}

fn stream(rate: u32, blocks: &[Vec<u8>], frames: &[Vec<u8>]) -> Vec<u8> {
    let info = block(0, blocks.is_empty(), 34, &info(rate));
    [b"fLaC".to_vec(), info, blocks.concat(), frames.concat()].concat()
}

/// Returns ten frames of 100 ms at 16 kHz.
fn second() -> Vec<Vec<u8>> {
    (0..10).map(|number| frame(1600, number, 0, SILENCE)).collect()
}

#[test]
fn data_2_a_broken_block_before_the_frames_of_a_flac_does_not_lose_them() {
    lasts(&stream(16_000, &[], &second()), 1000);
    for blocks in [
        vec![block(1, true, 100, &[0; 100])],
        vec![block(5, true, 396, &[0xFF; 396])],
        vec![block(6, false, 33, &[0xFE; 33]), block(1, true, 0, &[])],
        vec![block(126, true, 3, &[1; 3])],
        // A block that is longer than its size, one that is shorter, and one that extends past the end.
        vec![block(6, true, 50, &[0xFE; 70])],
        vec![block(6, false, 700, &[0xFE; 20])],
        vec![block(6, true, 0xFF_FFFF, &[0xFE; 20])],
        // No block is marked as the last one.
        vec![block(1, false, 4, &[0; 4])],
        // The stream is described twice.
        vec![block(0, true, 34, &info(16_000))],
    ] {
        lasts(&stream(16_000, &blocks, &second()), 1000);
    }
}

#[test]
fn data_2_streams_of_flac_that_follow_each_other_count_as_long_as_all() {
    lasts(&[FLAC, FLAC].concat(), 2000);
    let (slow, fast) = (stream(16_000, &[], &second()), stream(32_000, &[], &second()));
    lasts(&[slow.clone(), fast, slow.clone()].concat(), 2500);
    // Frames without a stream, renumbered.
    lasts(&[slow.clone(), second().concat(), second().concat()].concat(), 3000);
    let tag = [&b"ID3\x03\0\0\0\0\0\x14"[..], &[0xFF; 20]].concat();
    lasts(&[slow.clone(), tag, slow].concat(), 2000);
}

#[test]
fn data_2_of_a_damaged_flac_counts_what_is_whole() {
    let whole = stream(16_000, &[], &second());
    let length = frame(1600, 0, 0, SILENCE).len();
    lasts(&whole[..whole.len() - 1], 900);
    let mut scratched = whole.clone();
    let in_third = 42 + 2 * length + 10;
    scratched[in_third] ^= 1;
    lasts(&scratched, 900);
    // A frame header without a frame, between frames and within one.
    let head = &frame(1600, 0, 0, SILENCE)[..8];
    let mut frames = second();
    frames[2].extend(head);
    lasts(&stream(16_000, &[], &frames), 1000);
    let as_it_is = [&[0x02][..], &head.repeat(2), &[7; 3184]].concat();
    frames.push(frame(1600, 10, 0, &as_it_is));
    lasts(&stream(16_000, &[], &frames), 1100);
    for behind in [&[0; 5000][..], &[&b"TAG"[..], &[0x20; 125]].concat()] {
        lasts(&[&whole, behind].concat(), 1000);
    }
    is_none(&whole[..42]);
    is_none(b"fLaC");
}

/// The frame's header has precedence over its stream.
#[test]
fn data_2_a_frame_of_flac_counts_by_its_own_sample_rate() {
    // Codes 4 and 5: 8 and 16 kHz.
    let frames = [frame(1600, 0, 4, SILENCE), frame(1600, 1, 5, SILENCE)];
    lasts(&stream(32_000, &[], &frames), 300);
}

#[test]
fn data_2_a_flac_of_a_low_sample_rate_is_refused() {
    lasts(&stream(4000, &[], &second()), 4000);
    let found = measured(&stream(3999, &[], &second()));
    assert!(matches!(found, Err(AudioFault::LowSampleRate(3999))), "{found:?}");
}

/// Their checksums are correct, and their contents are not.
#[test]
fn data_2_frames_of_flac_that_cannot_be_decoded_do_not_count() {
    let frames: Vec<_> = (0..10).map(|number| frame(1600, number, 0, &[0x08, 0, 0])).collect();
    is_none(&stream(16_000, &[], &frames));
}

/// Bytes, with a count of how many were read.
struct Counted(Cursor<Vec<u8>>, usize);

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> Done<usize> {
        let read = self.0.read(bytes)?;
        self.1 += read;
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> Done<u64> {
        self.0.seek(to)
    }
}

/// Each header claims a frame as long as the file.
#[test]
fn data_2_heads_of_flac_without_frames_are_passed_over_at_once() {
    // So long that no checksum of a part is correct by chance.
    let head = frame(60_000, 0, 0, SILENCE)[..8].to_vec();
    let bytes = stream(16_000, &[], &vec![head; 1 << 16]);
    let length = bytes.len();
    let mut counted = Counted(Cursor::new(bytes), 0);
    let found = measure(&mut counted);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    assert!(counted.1 < 3 * length, "{} of {length}", counted.1);
    let marks = b"fLaC".repeat(1 << 17);
    is_none(&marks);
}
