//! DATA-2: WAV files as recorders, telephone exchanges, pipes and editors write them.

use custom_models_training_data::{Audio, AudioFault, AudioFormat};

use crate::support::measured;

/// Half a second at 16 kHz, 16 bits.
const PCM: [u8; 16_000] = [7; 16_000];

#[track_caller]
fn lasts(bytes: &[u8], millis: u64) {
    assert_eq!(measured(bytes).unwrap(), Audio { format: AudioFormat::Wav, millis });
}

/// Returns a chunk whose header claims a size.
fn claiming(name: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [&name[..], &size.to_le_bytes(), body].concat()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let pad = vec![0; body.len() % 2];
    [claiming(name, body.len() as u32, body), pad].concat()
}

fn riff(name: &[u8; 4], size: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    claiming(name, size, &[b"WAVE".to_vec(), chunks.concat()].concat())
}

fn wav(chunks: &[Vec<u8>]) -> Vec<u8> {
    let size = 4 + chunks.concat().len() as u32;
    riff(b"RIFF", size, chunks)
}

/// Returns the body of a `fmt ` chunk of 16 bytes.
fn format(tag: u16, channels: u16, rate: u32, block: u16, bits: u16) -> Vec<u8> {
    let bytes = rate * u32::from(block);
    let shorts = |shorts: [u16; 2]| shorts.map(u16::to_le_bytes).concat();
    [shorts([tag, channels]), [rate, bytes].map(u32::to_le_bytes).concat(), shorts([block, bits])]
        .concat()
}

fn pcm16() -> Vec<u8> {
    chunk(b"fmt ", &format(1, 1, 16_000, 2, 16))
}

/// Returns the extension that names a codec by a GUID.
fn extended(format: &[u8], tag: u16) -> Vec<u8> {
    let guid = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
    let mut format = format.to_vec();
    format.splice(..2, 0xFFFE_u16.to_le_bytes());
    [&format[..], &22_u16.to_le_bytes(), &[0; 6], &tag.to_le_bytes(), &guid].concat()
}

#[test]
fn data_2_sizes_that_a_wav_claims_wrongly_do_not_matter() {
    for of_file in [0, 36, 8, 0x7FFF_FFFF, 0xFFFF_FFFF] {
        for of_data in [0, PCM.len() as u32, PCM.len() as u32 + 8, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            let data = claiming(b"data", of_data, &PCM);
            lasts(&riff(b"RIFF", of_file, &[pcm16(), data]), 500);
        }
    }
    let whole = wav(&[pcm16(), chunk(b"data", &PCM)]);
    lasts(&whole[..44 + 8000], 250);
    lasts(&[&whole[..], &[0xFF; 4000]].concat(), 500);
}

#[test]
fn data_2_telephone_codecs_in_a_wav_are_measured_with_any_form_of_their_format() {
    for tag in [6, 7] {
        let short = format(tag, 1, 8000, 1, 8);
        for fmt in [
            short.clone(),
            [&short[..], &[0; 2]].concat(),
            [&short[..], &[0; 4]].concat(),
            extended(&short, tag),
        ] {
            lasts(&wav(&[chunk(b"fmt ", &fmt), chunk(b"data", &PCM)]), 2000);
        }
    }
}

#[test]
fn data_2_pcm_in_a_wav_is_measured_by_the_bytes_of_its_samples() {
    for (tag, bits, bytes) in [
        (1, 8, 1),
        (1, 12, 2),
        (1, 20, 3),
        (1, 24, 3),
        (1, 32, 4),
        (1, 64, 8),
        (3, 32, 4),
        (3, 64, 8),
    ] {
        for channels in [1, 2, 6] {
            let fmt = format(tag, channels, 8000, channels * bytes, bits);
            let data = vec![0; usize::from(channels * bytes) * 4000];
            for fmt in [fmt.clone(), [&fmt[..], &[0; 4]].concat(), extended(&fmt, tag)] {
                lasts(&wav(&[chunk(b"fmt ", &fmt), chunk(b"data", &data)]), 500);
            }
        }
    }
    // The oldest form has no bits per sample; a big-endian program reversed its bytes.
    let old = &format(1, 1, 16_000, 2, 16)[..14];
    lasts(&wav(&[chunk(b"fmt ", old), chunk(b"data", &PCM)]), 500);
    let turned = [
        &b"RIFX\0\0\0\0WAVEfmt \0\0\0\x10\0\x01\0\x01"[..],
        &[16_000_u32, 32_000].map(u32::to_be_bytes).concat(),
        b"\0\x02\0\x10data\0\0\x3E\x80",
        &PCM,
    ];
    lasts(&turned.concat(), 500);
}

#[test]
fn data_2_adpcm_in_a_wav_is_measured_by_its_blocks() {
    // A Microsoft block has 7 bytes and two samples per channel in its header, an IMA block 4 and one.
    for (tag, channels, block, samples) in
        [(2, 1, 256, 500), (2, 2, 512, 500), (0x11, 1, 256, 505), (0x11, 2, 512, 505)]
    {
        let fmt = chunk(b"fmt ", &format(tag, channels, 8000, block, 4));
        let data = vec![0; usize::from(block) * 32];
        lasts(&wav(&[fmt.clone(), chunk(b"data", &data)]), 32 * samples / 8);
        let cut = &data[..usize::from(block) * 31 + 7 * usize::from(channels)];
        let millis = measured(&wav(&[fmt, chunk(b"data", cut)])).unwrap().millis;
        assert!((31 * samples / 8..31 * samples / 8 + 2).contains(&millis), "{millis}");
    }
}

#[test]
fn data_2_rf64_and_bw64_are_measured_by_their_long_sizes() {
    let ds64 = |size: u64| chunk(b"ds64", &[&[0; 8][..], &size.to_le_bytes(), &[0; 12]].concat());
    // A chunk of 100 ms; if the length of the data is unknown, it counts as data.
    let behind = chunk(b"JUNK", &[0; 3192]);
    for name in [b"RF64", b"BW64"] {
        for (size, of_data, millis) in [
            (PCM.len() as u64, u32::MAX, 500),
            (8000, u32::MAX, 250),
            (8000, PCM.len() as u32, 500),
            (u64::MAX, u32::MAX, 600),
            (1 << 63, u32::MAX, 600),
            (0, u32::MAX, 600),
        ] {
            let data = claiming(b"data", of_data, &PCM);
            let chunks = [ds64(size), pcm16(), data, behind.clone()];
            lasts(&riff(name, u32::MAX, &chunks), millis);
        }
    }
}

#[test]
fn data_2_other_chunks_of_a_wav_do_not_matter() {
    let data = chunk(b"data", &PCM);
    let unpadded = claiming(b"JUNK", 27, &[b'x'; 27]);
    let list = chunk(b"LIST", b"INFOISFT\x03\0\0\0abc\0x");
    for before in [
        chunk(b"JUNK", &[b'x'; 27]),
        unpadded,
        [chunk(b"JUNK", &[0xFF; 26]), vec![0]].concat(),
        [chunk(b"JUNK", &[0xFF; 27]), vec![0]].concat(),
        list.clone(),
        chunk(b"LIST", b"INFOISFT\x03\0\0\0abc"),
        chunk(b"bext", &[0; 602]),
        chunk(b"JUNK", &vec![0; 2_000_000]),
        chunk(b"fact", &[0; 4]),
        chunk(b"cue ", &[0xFF; 4]),
        chunk(b"LIST", &[]),
        chunk(b"id3 ", b"ID3\x04\0\0\x7F\x7F\x7F\x7F"),
    ] {
        lasts(&wav(&[before.clone(), pcm16(), data.clone()]), 500);
        lasts(&wav(&[pcm16(), before.clone(), data.clone()]), 500);
        lasts(&wav(&[pcm16(), data.clone(), before]), 500);
    }
    // Data in two chunks is played one after the other.
    lasts(&wav(&[pcm16(), data.clone(), list, data]), 1000);
    // Chunks after data of length 0 are not data.
    let none = wav(&[pcm16(), chunk(b"data", &[]), chunk(b"LIST", b"INFO")]);
    assert!(matches!(measured(&none), Err(AudioFault::NotAudio)));
}

#[test]
fn data_2_a_wav_with_another_codec_is_refused_by_its_name() {
    let found = |fmt: &[u8]| match measured(&wav(&[chunk(b"fmt ", fmt), chunk(b"data", &PCM)])) {
        Err(AudioFault::OtherCodec(found)) => found,
        other => panic!("{other:?}"),
    };
    for (tag, bits, name) in [
        (0x45, 4, "WAV with G.726"),
        (0x64, 4, "WAV with G.726"),
        (0x31, 0, "WAV with GSM 6.10"),
        (0x28F, 8, "WAV with G.722"),
        (0x20, 4, "WAV with Yamaha ADPCM"),
        (0x50, 0, "WAV with MPEG audio layer I or II"),
        (0x161, 16, "WAV with Windows Media Audio"),
        (1, 48, "WAV with PCM of 48 bits"),
        (3, 24, "WAV with floating-point PCM of 24 bits"),
        (0x11, 3, "WAV with IMA ADPCM of 3 bits"),
        (0x1234, 16, "WAV with codec 0x1234"),
    ] {
        assert_eq!(found(&format(tag, 1, 8000, 64, bits)), name);
    }
    let mut unknown = extended(&format(1, 1, 8000, 2, 16), 1);
    *unknown.last_mut().unwrap() = 0;
    assert_eq!(found(&unknown), "WAV with an unknown codec");
}

/// 18 KB at 1 Hz would last five hours.
#[test]
fn data_2_a_wav_of_a_low_sample_rate_is_refused() {
    let at = |rate: u32| {
        measured(&wav(&[chunk(b"fmt ", &format(1, 1, rate, 1, 8)), chunk(b"data", &PCM)]))
    };
    assert_eq!(at(4000).unwrap().millis, 4000);
    for rate in [1, 3999] {
        let found = at(rate);
        assert!(matches!(found, Err(AudioFault::LowSampleRate(it)) if it == rate), "{found:?}");
    }
    assert!(matches!(at(0), Err(AudioFault::NotAudio)));
}

/// A single sample counts.
#[test]
fn data_2_what_lasts_less_than_a_millisecond_lasts_one() {
    lasts(&wav(&[pcm16(), chunk(b"data", &PCM[..2])]), 1);
    let none = wav(&[pcm16(), chunk(b"data", &PCM[..1])]);
    assert!(matches!(measured(&none), Err(AudioFault::NotAudio)));
}

/// Every byte is read once or twice, however many chunks there are.
#[test]
fn data_2_a_wav_of_nothing_but_chunks_is_refused_at_once() {
    let chunks = chunk(b"JUNK", &[]).repeat(4 << 20);
    assert!(matches!(measured(&wav(&[pcm16(), chunks])), Err(AudioFault::NotAudio)));
}
