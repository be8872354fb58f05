//! DATA-2: MP3 and AAC, whose frames have their own lengths: truncated, joined, tagged and damaged.

use std::io::Cursor;

use custom_models_training_data::{Audio, AudioFault, AudioFormat, measure};

use crate::support::{AAC, FLAC, MP3, VORBIS, WAV, is_found, measured};

#[track_caller]
fn lasts(bytes: &[u8], format: AudioFormat, millis: u64) {
    assert_eq!(measured(bytes).unwrap(), Audio { format, millis });
}

/// A frame of silence: 24 ms at 48 kHz and 128 kbit/s.
fn at_48k() -> Vec<u8> {
    [&[0xFF, 0xFB, 0x94, 0xC0][..], &[0; 380]].concat()
}

/// A frame of silence: 72 ms at 8 kHz and 16 kbit/s.
fn at_8k() -> Vec<u8> {
    [&[0xFF, 0xE3, 0x28, 0xC0][..], &[0; 140]].concat()
}

fn frames(count: usize, frame: &[u8]) -> Vec<u8> {
    frame.repeat(count)
}

/// Returns a frame at 8 kHz with the number of frames that follow, and the samples before and after the
/// audio.
fn lame(frames: u32, before: u32, behind: u32) -> Vec<u8> {
    let gaps = (before << 12 | behind).to_be_bytes();
    let tag = [
        &b"Info\0\0\0\x0F"[..],
        &frames.to_be_bytes(),
        &[0; 108],
        b"LAME3.100",
        &[0; 12],
        &gaps[1..],
    ]
    .concat();
    // At 24 kbit/s, since the tag is longer than other frames.
    let mut frame = [&[0xFF, 0xE3, 0x38, 0xC0][..], &[0; 9], &tag].concat();
    frame.resize(216, 0);
    frame
}

fn id3(version: u8, flags: u8, length: u32) -> Vec<u8> {
    let size = [21, 14, 7, 0].map(|by| (length >> by) as u8 & 0x7F);
    let mut tag = [&b"ID3"[..], &[version, 0, flags], &size].concat();
    tag.resize(10 + length as usize, 0xFF);
    tag
}

fn ape(is_head: bool, length: u32) -> Vec<u8> {
    let flags = if is_head { 0xA000_0000_u32 } else { 0x8000_0000 };
    let numbers = [2000, length, 1, flags].map(u32::to_le_bytes).concat();
    [&b"APETAGEX"[..], &numbers, &[0; 8]].concat()
}

#[test]
fn data_2_each_frame_of_an_mp3_lasts_by_its_own_sample_rate() {
    lasts(&frames(100, &at_48k()), AudioFormat::Mp3, 2400);
    lasts(&frames(100, &at_8k()), AudioFormat::Mp3, 7200);
    let joined = [frames(10, &at_8k()), frames(100, &at_48k()), frames(10, &at_8k())].concat();
    lasts(&joined, AudioFormat::Mp3, 720 + 2400 + 720);
}

/// Otherwise an utterance of 0.8 s at 8 kHz would count for a quarter more.
#[test]
fn data_2_the_delay_and_the_padding_of_an_mp3_are_left_out() {
    // 14 frames are 8064 samples: before the audio 576 and the decoder's 529, after it 1088 minus those.
    let audio = frames(14, &at_8k());
    let whole = [lame(14, 576, 1088), audio.clone()].concat();
    lasts(&whole, AudioFormat::Mp3, (8064 - 576 - 1088) / 8);
    // A truncated audio does not have its end.
    lasts(&whole[..216 + 7 * 144], AudioFormat::Mp3, (7 * 576 - 576 - 529) / 8);
    // Only the first frame is a tag; later ones are played.
    let twice = [whole.clone(), frames(20, &at_8k())].concat();
    lasts(&twice, AudioFormat::Mp3, (34 * 576 - 576 - 1088) / 8);
    // A tag without gaps, and another encoder's tag, are not audio either.
    let mut xing = lame(14, 576, 1088);
    xing[13..17].copy_from_slice(b"Xing");
    xing[133..137].copy_from_slice(b"GOGO");
    lasts(&[xing, audio.clone()].concat(), AudioFormat::Mp3, 14 * 72);
    let mut vbri = at_8k();
    vbri[36..40].copy_from_slice(b"VBRI");
    lasts(&[vbri, audio].concat(), AudioFormat::Mp3, 14 * 72);
}

#[test]
fn data_2_tags_and_zeros_around_an_mp3_do_not_matter() {
    let audio = frames(100, &at_48k());
    let id3v1 = [&b"TAG"[..], &[0xFF; 125]].concat();
    // With a size written in the wrong form.
    let wrong = [&b"ID3\x03\0\0\0\0\x01\x2C"[..], &[0; 300]].concat();
    let footed = [id3(4, 0x10, 100), b"3DI\x04\0\x10\0\0\0\x64".to_vec()].concat();
    let ape_head = [ape(true, 32 + 40), vec![0xFF; 40], ape(false, 32 + 40)].concat();
    for tag in
        [id3(3, 0, 500), [id3(3, 0, 500), id3(4, 0, 800)].concat(), wrong, footed, ape_head, id3v1]
    {
        lasts(&[&tag[..], &audio].concat(), AudioFormat::Mp3, 2400);
        lasts(&[&audio[..], &tag].concat(), AudioFormat::Mp3, 2400);
        lasts(&[&audio[..], &tag, &audio].concat(), AudioFormat::Mp3, 4800);
        let found = measured(&tag);
        assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    }
    for zeros in [65_536, 3 << 20] {
        lasts(&[&vec![0; zeros][..], &audio].concat(), AudioFormat::Mp3, 2400);
        lasts(&[&audio[..], &vec![0; zeros]].concat(), AudioFormat::Mp3, 2400);
        lasts(&[&id3(4, 0, 9)[..], &vec![0; zeros], &audio].concat(), AudioFormat::Mp3, 2400);
    }
}

#[test]
fn data_2_of_a_damaged_mp3_counts_what_is_whole() {
    let audio = frames(100, &at_48k());
    let cut = &audio[..audio.len() - 1];
    lasts(cut, AudioFormat::Mp3, 2376);
    for (whole, bytes) in [(1, 384 + 9), (1, 384 + 100), (2, 2 * 384 + 1), (1, 384)] {
        lasts(&audio[..bytes], AudioFormat::Mp3, 24 * whole);
    }
    lasts(&[&audio[..2 * 384], &[0x20; 99]].concat(), AudioFormat::Mp3, 48);
    let found = measured(&audio[..100]);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    // Frames after a truncated frame are found before its claimed end.
    lasts(&[&audio[..384 * 10 + 100], &audio].concat(), AudioFormat::Mp3, 11 * 24 + 2400);
    let mut scratched = audio;
    scratched[384 * 50..384 * 51].fill(0x5A);
    lasts(&scratched, AudioFormat::Mp3, 2376);
}

#[test]
fn data_2_layers_and_containers_that_are_not_taken_are_named() {
    // 48 kHz, 128 kbit/s.
    let layer2 = [&[0xFF, 0xFD, 0x84, 0xC0][..], &[0; 380]].concat();
    let layer1 = [&[0xFF, 0xFF, 0x44, 0xC0][..], &[0; 124]].concat();
    is_found(&frames(9, &layer2), "MPEG audio layer II");
    is_found(&frames(9, &layer1), "MPEG audio layer I");
    is_found(&frames(9, &[&[0x56, 0xE0, 0x05][..], &[0x20; 5]].concat()), "AAC in LATM");
    is_found(b"ADIF and more", "AAC in ADIF");
    is_found(b"\x1A\x45\xDF\xA3\x01\0\0\0", "Matroska or WebM");
    is_found(b"riff\x2E\x91\xCF\x11\xA5\xD6", "Wave64");
    is_found(b"FORM\0\0\0\x20AIFF", "AIFF");
    is_found(b"RIFF\0\0\0\x20AVI LIST", "AVI");
    is_found(b"#!AMR\n", "AMR");
    is_found(&[&b"\0\0\0\x08wide\0\0\0\x08mdat"[..], &[1; 99]].concat(), "QuickTime");
    is_found(&frames(3, &[&b"\x47"[..], &[0xFF; 187]].concat()), "an MPEG transport stream");
    is_found(&[&id3(4, 0, 9)[..], b"ADIF"].concat(), "AAC in ADIF");
}

#[test]
fn data_2_formats_are_found_behind_tags_and_zeros() {
    for (format, audio) in [
        (AudioFormat::Flac, FLAC),
        (AudioFormat::Ogg, VORBIS),
        (AudioFormat::Aac, AAC),
        (AudioFormat::Mp3, MP3),
        (AudioFormat::Wav, WAV),
    ] {
        let millis = measured(audio).unwrap().millis;
        lasts(&[&id3(3, 0, 1900)[..], audio].concat(), format, millis);
        lasts(&[&[0; 70_000][..], audio].concat(), format, millis);
    }
}

#[test]
fn data_2_aac_is_measured_by_its_frames() {
    let whole = measured(AAC).unwrap();
    let twice = measured(&[AAC, AAC].concat()).unwrap();
    assert_eq!(twice.millis, 2 * whole.millis);
    lasts(&[&[0; 70_000], AAC].concat(), AudioFormat::Aac, whole.millis);
    lasts(&[AAC, &id3(4, 0, 70), AAC].concat(), AudioFormat::Aac, twice.millis);
}

/// The frames are valid, and their contents are not.
#[test]
fn data_2_frames_that_cannot_be_decoded_do_not_count() {
    let mut bytes = AAC.to_vec();
    let mut at = 0;
    while let Some([_, _, _, d, e, f, ..]) = bytes.get(at..) {
        let length = usize::from(d & 3) << 11 | usize::from(*e) << 3 | usize::from(f >> 5);
        bytes[at + 7..at + length].fill(0);
        at += length;
    }
    assert!(matches!(measured(&bytes), Err(AudioFault::NotAudio)));
    // Audio before a long stretch that cannot be decoded counts, and the stretch does not.
    let long = bytes.repeat(100);
    let found = measured(&[&AAC.repeat(100), &long[..]].concat()).unwrap().millis;
    let whole = measured(AAC).unwrap().millis * 100;
    assert!((whole..whole * 11 / 10).contains(&found), "{found} of {whole}");
}

#[test]
fn data_2_mp3_in_a_wav_is_measured_by_its_frames() {
    let audio = [lame(14, 576, 1088), frames(14, &at_8k())].concat();
    let mut format = WAV[..36].to_vec();
    format[20] = 0x55;
    let size = (audio.len() as u32).to_le_bytes();
    let wav = [&format[..], b"data", &size, &audio, b"LIST\x04\0\0\0INFO"].concat();
    lasts(&wav, AudioFormat::Wav, (8064 - 576 - 1088) / 8);
    let wav = [&format[..], b"data\x04\0\0\0none"].concat();
    assert!(matches!(measured(&wav), Err(AudioFault::NotAudio)));
}

/// A film without audio, or random bytes.
#[test]
fn data_2_frames_are_not_looked_for_without_end() {
    let audio = frames(100, &at_48k());
    lasts(&[&vec![1; 60 << 20][..], &audio].concat(), AudioFormat::Mp3, 2400);
    let found = measured(&[&vec![1; 70 << 20][..], &audio].concat());
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

/// Frames that no others follow are searched once.
#[test]
fn data_2_no_bytes_are_looked_at_again_and_again() {
    struct Counted(Cursor<Vec<u8>>, usize);
    impl std::io::Read for Counted {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(bytes)?;
            self.1 += read;
            Ok(read)
        }
    }
    impl std::io::Seek for Counted {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    for junk in [vec![0xFF; 999], at_48k()[..9].to_vec(), b"TAG".repeat(50), id3(4, 0, 3)] {
        let pieces = [at_48k(), at_48k(), junk].concat();
        let bytes = pieces.repeat((8 << 20) / pieces.len());
        let length = bytes.len();
        let mut counted = Counted(Cursor::new(bytes), 0);
        let _ = measure(&mut counted);
        assert!(counted.1 < 3 * length, "{} of {length}", counted.1);
    }
}
