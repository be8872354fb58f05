//! DATA-2: format and duration come from the audio itself.

use std::io::Cursor;

use custom_models_training_data::{Audio, AudioFault, AudioFormat, measure};
use proptest::prelude::*;

use crate::support::{AAC, FLAC, FRAGMENTED_M4A, M4A, MP3, OPUS, VORBIS, WAV, measured};

const TAGGED_MP3: &[u8] = include_bytes!("tagged.mp3");
const FILM: &[u8] = include_bytes!("silent-film.m4a");

const ALL: [(AudioFormat, &[u8]); 9] = [
    (AudioFormat::Mp3, MP3),
    (AudioFormat::Mp3, TAGGED_MP3),
    (AudioFormat::Wav, WAV),
    (AudioFormat::Flac, FLAC),
    (AudioFormat::M4a, M4A),
    (AudioFormat::M4a, FRAGMENTED_M4A),
    (AudioFormat::Aac, AAC),
    (AudioFormat::Ogg, VORBIS),
    (AudioFormat::Ogg, OPUS),
];

/// Each lasts a second. Lossy formats consist of frames: the last one may extend past the end, and encoders
/// put a few before the start.
#[test]
fn data_2_every_format_is_recognised_and_measured() {
    for (format, bytes) in ALL {
        let audio = measured(bytes).unwrap();
        assert_eq!(audio.format, format);
        let most = if matches!(format, AudioFormat::Wav | AudioFormat::Flac) { 1000 } else { 1400 };
        assert!((1000..=most).contains(&audio.millis), "{audio:?}");
    }
}

/// Ogg streams may follow each other in a file, each with its own headers.
#[test]
fn data_2_a_chain_of_streams_counts_as_long_as_all_of_them() {
    let alone = |bytes| measured(bytes).unwrap().millis;
    for (one, other) in [(VORBIS, OPUS), (OPUS, VORBIS)] {
        let chain = measured(&[one, other].concat()).unwrap();
        assert_eq!(chain.format, AudioFormat::Ogg);
        assert_eq!(chain.millis, alone(one) + alone(other));
    }
}

/// Without a Xing header the length of an MP3 is known only from its frames.
#[test]
fn data_2_an_mp3_that_is_cut_counts_as_far_as_it_goes() {
    let half = measured(&MP3[..MP3.len() / 2]).unwrap();
    let whole = measured(MP3).unwrap();
    assert!(half.millis > whole.millis / 3 && half.millis < whole.millis * 2 / 3, "{half:?}");
}

#[test]
fn data_2_a_wav_that_claims_more_than_it_has_counts_what_it_has() {
    let mut wav = WAV[..44 + 8000].to_vec();
    assert_eq!(measured(&wav).unwrap().millis, 500);
    // As written by a program that streams a WAV and does not know its length.
    wav[4..8].fill(0xFF);
    wav[40..44].fill(0xFF);
    assert_eq!(measured(&wav).unwrap().millis, 500);
}

#[test]
fn data_2_what_is_no_audio_is_none() {
    let text = b"This is not audio, and long enough to be looked at for a while.".repeat(100);
    let film_only = FILM;
    let header_only = &WAV[..44];
    for bytes in [&b""[..], b"x", &text, film_only, header_only, &FLAC[..42], &M4A[..100]] {
        let found = measured(bytes);
        assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    }
}

/// A table may claim any number of empty packets.
#[test]
fn data_2_packets_of_nothing_last_no_time() {
    let mut bytes = FRAGMENTED_M4A.to_vec();
    let behind = |name: &[u8]| bytes.windows(4).position(|it| it == name).unwrap() + 4;
    let (defaults, run) = (behind(b"tfhd"), behind(b"trun"));
    // Samples with a default size of 0, a run without sizes, and a million of them.
    bytes[defaults + 20..defaults + 24].fill(0);
    bytes[run..run + 4].copy_from_slice(&1_u32.to_be_bytes());
    bytes[run + 4..run + 8].copy_from_slice(&1_000_000_u32.to_be_bytes());
    let found = measured(&bytes);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

/// The demuxer counts all samples that runs claim, whatever their sizes, and in other tracks too.
#[test]
fn data_2_runs_that_claim_no_end_of_samples_are_refused_at_once() {
    let beside_runs_of = |claims: &[u32]| {
        let numbers = |numbers: [u32; 2]| numbers.map(u32::to_be_bytes).concat();
        let header = boxed(b"tfhd", &numbers([0, 9]));
        let runs = claims.iter().map(|samples| {
            let run = boxed(b"trun", &numbers([0, *samples]));
            boxed(b"traf", &[&header[..], &run].concat())
        });
        let of_another_track = runs.collect::<Vec<_>>().concat();
        let fragment = FRAGMENTED_M4A.windows(4).position(|it| it == b"moof").unwrap() - 4;
        let (before, it) = FRAGMENTED_M4A.split_at(fragment);
        let (it, behind) = it.split_at(u32::from_be_bytes(it[..4].try_into().unwrap()) as usize);
        let it = boxed(b"moof", &[&it[8..], &of_another_track].concat());
        measured(&[before, &it, behind].concat())
    };
    let whole = measured(FRAGMENTED_M4A).unwrap();
    assert_eq!(beside_runs_of(&[1 << 20, 1 << 20]).unwrap(), whole);
    let found = beside_runs_of(&[1 << 29, 1 << 29]);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

/// Returns a box of an MP4.
fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(8 + body.len()).unwrap();
    [&size.to_be_bytes(), &kind[..], body].concat()
}

/// Returns an MP4 with these boxes replaced, at any depth.
fn with_boxes(bytes: &[u8], new: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let (mut rest, mut all) = (bytes, Vec::new());
    while let Some((size, _)) = rest.split_first_chunk::<4>() {
        let (it, behind) = rest.split_at(u32::from_be_bytes(*size) as usize);
        let kind: &[u8; 4] = it[4..8].try_into().unwrap();
        all.extend(match kind {
            b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" => {
                boxed(kind, &with_boxes(&it[8..], new))
            }
            _ => match new.iter().find(|(name, _)| *name == kind) {
                Some((_, body)) => boxed(kind, body),
                None => it.to_vec(),
            },
        });
        rest = behind;
    }
    all
}

/// Returns an MP4 with its tables before the audio, as for progressive playback.
fn with_tables_first(bytes: &[u8]) -> Vec<u8> {
    let box_at = |name: &[u8]| bytes.windows(4).position(|it| it == name).unwrap() - 4;
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (audio, tables, offsets) = (box_at(b"mdat"), box_at(b"moov"), box_at(b"stco"));
    let moved = (bytes.len() - tables) as u32;
    let count = number(offsets + 12);
    let offsets = (0..count as usize).map(|at| number(offsets + 16 + 4 * at) + moved);
    let tables =
        with_boxes(&bytes[tables..], &[(b"stco", table([count].into_iter().chain(offsets)))]);
    [&bytes[..audio], &tables, &bytes[audio..audio + number(audio) as usize]].concat()
}

/// The box with the audio then claims to extend past the end.
#[test]
fn data_2_an_m4a_that_is_cut_counts_as_far_as_it_goes() {
    let first = with_tables_first(M4A);
    assert_eq!(measured(&first).unwrap(), measured(M4A).unwrap());
    let tables = first.len() - M4A.len() / 3;
    for (whole, from) in [(&first[..], tables), (FRAGMENTED_M4A, FRAGMENTED_M4A.len() / 2)] {
        let all = measured(whole).unwrap().millis;
        let half = measured(&whole[..from]).unwrap();
        assert_eq!(half.format, AudioFormat::M4a);
        assert!((all / 10..all * 9 / 10).contains(&half.millis), "{half:?} of {all}");
        let less = measured(&whole[..from - 300]).unwrap();
        assert!(less.millis < half.millis, "{less:?}");
    }
}

/// The disk is not asked for positions that no file has, since it would fail, which is not the fault of the
/// audio.
#[test]
fn data_2_an_m4a_that_names_any_place_is_measured_or_refused() {
    let of_file = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let found = measure(&mut file);
        assert!(matches!(found, Ok(_) | Err(AudioFault::NotAudio)), "{found:?}");
    };
    let first = with_tables_first(M4A);
    let audio = first.windows(4).position(|it| it == b"mdat").unwrap() - 4;
    for size in [1_u64 << 33, 1 << 39, 1 << 41, 1 << 63, u64::MAX] {
        let head = [&1_u32.to_be_bytes()[..], b"mdat", &size.to_be_bytes()].concat();
        of_file(&[&first[..audio], &head, &first[audio + 8..]].concat());
        let offset = table([1, (size >> 32) as u32, size as u32]);
        let mut there = with_boxes(M4A, &[(b"stco", offset)]);
        let name = there.windows(4).position(|it| it == b"stco").unwrap();
        there[name..name + 4].copy_from_slice(b"co64");
        of_file(&there);
    }
}

/// Returns the body of a table: version and flags, then numbers.
fn table(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    [0].into_iter().chain(numbers).flat_map(u32::to_be_bytes).collect()
}

/// For each sample its demuxer would walk over half a million entries.
#[test]
fn data_2_an_mp4_that_would_take_minutes_is_refused_at_once() {
    const SAMPLES: u32 = 500_000;
    let in_one = vec![[0, 1]; SAMPLES as usize].into_iter().chain([[SAMPLES, 1]]).flatten();
    let of_tables = |lasts: Vec<u32>, samples: u32| {
        let lasts = [lasts.len() as u32 / 2].into_iter().chain(lasts);
        let new = [
            (b"stts", table(lasts)),
            (b"stsz", table([1, samples])),
            (b"stsc", table([1, 1, samples, 1])),
            (b"stco", table([1, 0])),
        ];
        measured(&with_boxes(M4A, &new))
    };
    let found = of_tables(in_one.collect(), SAMPLES);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    // The same, with less of it.
    let found = of_tables([[0, 800]; 10].into_iter().chain([[10, 800]]).flatten().collect(), 10);
    // The edit list skips the first 1024 samples.
    assert_eq!(found.unwrap(), Audio { format: AudioFormat::M4a, millis: 872 });
}

/// Tags and tables that are kept in memory have a bound on their length.
#[test]
fn data_2_tags_and_tables_have_a_bound() {
    let titled = |length: usize| {
        let seven = |by: u32| (length >> by) as u8 & 0x7F;
        let size = [seven(21), seven(14), seven(7), seven(0)];
        let title = [&b"TIT2"[..], &size, b"\0\0\x03", &vec![b'a'; length - 1]].concat();
        // The size of the tag is that of its frame plus 10, the size of the frame header.
        [&b"ID3\x04\0\0"[..], &size[..3], &[size[3] + 10], &title, MP3].concat()
    };
    // Tags of an MP3 are skipped, and not kept.
    assert_eq!(measured(&titled(60 << 20)).unwrap(), measured(MP3).unwrap());

    let of_samples = |samples: u32| {
        let sizes = [0, samples].into_iter().chain((0..samples).map(|_| 1));
        measured(&with_boxes(M4A, &[(b"stsz", table(sizes))]))
    };
    assert!(of_samples(1 << 18).is_ok());
    let found = of_samples(15 << 20);
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

/// An error of the disk is not a fault of the audio.
#[test]
fn data_2_an_unreadable_file_is_told_apart_from_a_bad_one() {
    struct Broken(Cursor<&'static [u8]>);
    impl std::io::Read for Broken {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            if self.0.position() > 4000 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            let most = bytes.len().min(1000);
            std::io::Read::read(&mut self.0, &mut bytes[..most])
        }
    }
    impl std::io::Seek for Broken {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    match measure(&mut Broken(Cursor::new(WAV))) {
        Err(AudioFault::Unreadable(error)) => assert_eq!(error.to_string(), "the disk is gone"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn data_1_a_name_says_its_format_in_whatever_case() {
    for format in AudioFormat::ALL {
        let name = |extension: &str| format!("a.b.{extension}");
        let extension = format.extension();
        assert_eq!(AudioFormat::of_name(&name(extension)), Some(format));
        assert_eq!(AudioFormat::of_name(&name(&extension.to_uppercase())), Some(format));
        assert_eq!(AudioFormat::of_name(extension), None);
        assert_eq!(AudioFormat::of_name(&format!(".{extension}")), None);
    }
    assert_eq!(AudioFormat::of_name("a.mp4"), None);
}

proptest! {
    /// An audio file is measured or refused, however it is damaged.
    #[test]
    fn data_2_no_damage_is_worse_than_a_refusal(
        which in 0..ALL.len(),
        length in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let mut bytes = ALL[which].1.to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(length.index(bytes.len()) + 1);
        let _ = measured(&bytes);
    }

    #[test]
    fn data_2_random_bytes_are_measured_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let _ = measured(&bytes);
    }
}
