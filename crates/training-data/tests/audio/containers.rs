//! DATA-2: M4A and Ogg: the played packets, and those that can be decoded.

use custom_models_training_data::AudioFault;

use crate::support::{FRAGMENTED_M4A, M4A, OPUS, VORBIS, is_found, measured};

#[track_caller]
fn millis(bytes: &[u8]) -> u64 {
    measured(bytes).unwrap().millis
}

/// Returns the position after the name of a box.
fn behind(bytes: &[u8], name: &[u8; 4]) -> usize {
    bytes.windows(4).position(|it| it == name).unwrap() + 4
}

/// Returns the tone with another edit: its length in ms, and its start in samples at 8 kHz.
fn edited(length: u32, from: u32) -> Vec<u8> {
    let mut bytes = M4A.to_vec();
    let at = behind(&bytes, b"elst") + 8;
    bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
    bytes[at + 4..at + 8].copy_from_slice(&from.to_be_bytes());
    bytes
}

#[test]
fn data_2_of_an_m4a_counts_what_its_edit_list_plays() {
    let all = millis(&edited(0, 0));
    assert!((1100..1150).contains(&all), "{all}");
    assert_eq!(millis(M4A), 1000);
    assert_eq!(millis(&edited(500, 1024)), 500);
    assert_eq!(millis(&edited(250, 4000)), 250);
    // To the end, and not beyond.
    assert_eq!(millis(&edited(0, 4000)), all - 500);
    assert_eq!(millis(&edited(60_000, 4000)), all - 500);
    // A pause is not an edit of the media.
    assert_eq!(millis(&edited(60_000, u32::MAX)), all);
    let found = measured(&edited(0, 1 << 30));
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

/// An edit list that plays the same second for five hours.
#[test]
fn data_2_what_an_m4a_plays_again_counts_once() {
    let mut bytes = M4A.to_vec();
    let at = behind(&bytes, b"elst");
    let edits = [[60_000_u32, 0, 1 << 16]; 300].concat();
    let numbers = [&[0, 300][..], &edits].concat();
    let added = 4 * numbers.len() - 20;
    bytes.splice(at..at + 20, numbers.into_iter().flat_map(u32::to_be_bytes));
    for name in [b"elst", b"edts", b"trak", b"moov"] {
        let at = bytes.windows(4).position(|it| it == name).unwrap() - 4;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) + added as u32;
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    assert_eq!(millis(&bytes), millis(&edited(0, 0)));
}

#[test]
fn data_2_m4a_that_is_protected_or_of_another_codec_is_named() {
    for (kind, name) in [
        (b"enca", "encrypted M4A (CENC)"),
        (b"drms", "protected M4A (FairPlay)"),
        (b"samr", "M4A with AMR"),
    ] {
        let mut bytes = M4A.to_vec();
        let at = behind(&bytes, b"stsd") + 12;
        assert_eq!(&bytes[at..at + 4], b"mp4a");
        bytes[at..at + 4].copy_from_slice(kind);
        is_found(&bytes, name);
    }
}

/// Tags and covers that no parser understands.
#[test]
fn data_2_broken_metadata_of_an_m4a_does_not_lose_the_audio() {
    let has_tags = M4A.windows(4).position(|it| it == b"udta").unwrap() - 4;
    let length = u32::from_be_bytes(M4A[has_tags..has_tags + 4].try_into().unwrap()) as usize;
    for byte in [0, 1, 0x7F, 0xFF] {
        let mut bytes = M4A.to_vec();
        bytes[has_tags + 8..has_tags + length].fill(byte);
        assert_eq!(millis(&bytes), 1000);
        for behind in [&[byte; 99][..], &[&b"\0\0\0\x28meta"[..], &[byte; 9]].concat()] {
            assert_eq!(millis(&[&bytes, behind].concat()), 1000);
        }
    }
}

/// The tables are valid, and the audio is zeros.
#[test]
fn data_2_packets_of_an_m4a_that_cannot_be_decoded_do_not_count() {
    for whole in [M4A, FRAGMENTED_M4A] {
        let mut bytes = whole.to_vec();
        let mut at = 0;
        while let Some(size) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let size = u32::from_be_bytes(*size) as usize;
            if bytes[at + 4..at + 8] == *b"mdat" {
                bytes[at + 8..at + size].fill(0);
            }
            at += size;
        }
        let found = measured(&bytes);
        assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
    }
}

/// Returns the pages of an Ogg file.
fn pages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    while !bytes.is_empty() {
        let head = 27 + usize::from(bytes[26]);
        let length = head + bytes[27..head].iter().map(|it| usize::from(*it)).sum::<usize>();
        pages.push(bytes[..length].to_vec());
        bytes = &bytes[length..];
    }
    pages
}

/// Returns an Ogg file of renumbered pages with correct checksums.
fn ogg(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let mut page = page.clone();
        page[18..22].copy_from_slice(&(number as u32).to_le_bytes());
        page[22..26].fill(0);
        let sum = page.iter().fold(0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
                sum << 1 ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        all.extend(page);
    }
    all
}

/// Returns the payload of a page.
fn body(page: &mut [u8]) -> &mut [u8] {
    let head = 27 + usize::from(page[26]);
    &mut page[head..]
}

#[test]
fn data_2_headers_of_an_ogg_that_are_given_again_last_no_time() {
    let of_opus = pages(OPUS);
    let whole = millis(OPUS);
    assert_eq!(whole, 1000);
    assert_eq!(millis(&ogg(&of_opus)), whole);
    let [head, tags, ..] = &of_opus[..] else { panic!() };
    let mut no_first = head.clone();
    no_first[5] = 0;
    for (again, at) in
        [(vec![head], 0), (vec![tags], 2), (vec![head, tags], 0), (vec![&no_first, tags], 2)]
    {
        let mut pages = of_opus.clone();
        pages.splice(at..at, again.into_iter().cloned());
        let found = millis(&ogg(&pages));
        assert!(found.abs_diff(whole) <= 10, "{found} of {whole}");
    }
    let of_vorbis = pages(VORBIS);
    let twice = [&of_vorbis[..2], &of_vorbis].concat();
    assert_eq!(millis(&ogg(&twice)), millis(VORBIS));
}

#[test]
fn data_2_packets_of_an_ogg_that_cannot_be_decoded_do_not_count() {
    let mut of_opus = pages(OPUS);
    of_opus[2..].iter_mut().for_each(|page| body(page).fill(0));
    let found = measured(&ogg(&of_opus));
    assert!(matches!(found, Err(AudioFault::NotAudio)), "{found:?}");
}

#[test]
fn data_2_ogg_with_another_codec_is_named() {
    for (head, name) in
        [(&b"Speex   "[..], "Ogg with Speex"), (b"\x80theora\x03", "Ogg with Theora and no audio")]
    {
        let mut of_opus = pages(OPUS);
        body(&mut of_opus[0])[..8].copy_from_slice(head);
        is_found(&ogg(&of_opus), name);
    }
}

#[test]
fn data_2_an_ogg_of_a_low_sample_rate_is_refused() {
    let mut of_vorbis = pages(VORBIS);
    body(&mut of_vorbis[0])[12..16].copy_from_slice(&3999_u32.to_le_bytes());
    let found = measured(&ogg(&of_vorbis));
    assert!(matches!(found, Err(AudioFault::LowSampleRate(3999))), "{found:?}");
}
