use std::collections::BTreeSet;

use custom_models_core::access::Operation;
use custom_models_core::model::{ContentDigest, DataFile, DataType, EventType, Progress, Revision};
use custom_models_core::store::IdempotencyKey;

use super::*;

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

fn id(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

fn moments() -> [UnixMillis; 7] {
    [i64::MIN, -1000, -1, 0, 255, 256, i64::MAX].map(UnixMillis::from_unix_millis)
}

fn events() -> Vec<NewEvent> {
    let data_id = DataId::new(u32::MAX).unwrap();
    [
        EventType::Created,
        EventType::Updated,
        EventType::Deleted,
        EventType::DataAdded { data_id },
        EventType::DataRemoved { data_id },
        EventType::TrainingStarted,
        EventType::TrainingProgressed { training_progress: Progress::new(99).unwrap() },
        EventType::TrainingSucceeded,
        EventType::TrainingFailed { error: "out of \"memory\"\n\u{1}\u{2028}𐍈".to_owned() },
        EventType::TrainingCancelled,
    ]
    .map(|event_type| NewEvent {
        created_at: Timestamp::MIN,
        actor: Actor::new("a".repeat(Actor::MAX_CHARACTERS)).unwrap(),
        event_type,
    })
    .into()
}

fn pair() -> DataPair {
    let file = |name: &str| DataFile {
        filename: name.to_owned(),
        bytes: u64::MAX,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "content \0".to_owned(),
    };
    DataPair {
        id: DataId::new(258).unwrap(),
        data_type: DataType::Test,
        audio: file("a.wav"),
        audio_millis: 1,
        transcript: file("../ä.txt"),
        created_at: Timestamp::MAX,
    }
}

fn answer_keys() -> Vec<IdempotencyScope> {
    let keys = ["k", "kk", "~"].map(|key| IdempotencyKey::new(key).unwrap());
    let longest = IdempotencyKey::new("!".repeat(IdempotencyKey::MAX_CHARACTERS)).unwrap();
    let mut all = Vec::new();
    for operation in Operation::ALL {
        for target in [None, Some(id(1)), Some(id(ModelId::MAX))] {
            for key in keys.iter().chain([&longest]) {
                all.push(IdempotencyScope { operation, target, key: key.clone() });
            }
        }
    }
    all
}

fn kept() -> IdempotencyRecord {
    IdempotencyRecord {
        request: ContentDigest::from_bytes([9; 32]),
        at: UnixMillis::from_unix_millis(-5),
        status: 201,
        revision: Revision::FIRST,
        body: "{\"name\":\"\\u0001\"}".to_owned(),
    }
}

#[test]
fn log_1_every_event_comes_back_and_what_is_cut_short_does_not() {
    for event in events() {
        let value = event_to_bytes(&event, id(5)).unwrap();
        let key = event_key(&acme(), 256);
        assert_eq!(decode_event(&key, &value).unwrap(), event.at(256, id(5)));
        assert!((0..value.len()).all(|length| decode_event(&key, &value[..length]).is_err()));
        let other_form = [&[2], &value[1..]].concat();
        assert!(decode_event(&key, &other_form).is_err());
        assert!(decode_event(&[&key[..], &[1]].concat(), &value).is_err());
    }
}

#[test]
fn data_4_a_pair_comes_back_under_its_own_number_alone() {
    let value = pair_to_bytes(&pair()).unwrap();
    let key = data_key(&acme(), id(1), pair().id);
    assert_eq!(decode_pair(&key, &value).unwrap(), pair());
    assert!((0..value.len()).all(|length| decode_pair(&key, &value[..length]).is_err()));
    let other = data_key(&acme(), id(1), DataId::new(257).unwrap());
    assert!(decode_pair(&other, &value).is_err());
    assert!(decode_pair(&[&key[..], &[1]].concat(), &value).is_err());
}

#[test]
fn idem_1_answers_lie_apart_and_come_back_to_their_own_key_alone() {
    let keys = answer_keys();
    let places: BTreeSet<_> = keys.iter().map(|key| answer_key(&acme(), key).unwrap()).collect();
    assert_eq!(places.len(), keys.len());
    for (key, other) in keys.iter().zip(keys.iter().skip(1)) {
        let value = answer_to_bytes(key, &kept()).unwrap();
        assert_eq!(answer_from_bytes(key, &value).unwrap(), kept());
        assert!(answer_from_bytes(other, &value).is_err());
        assert!((0..value.len()).all(|length| answer_from_bytes(key, &value[..length]).is_err()));
    }
}

#[test]
fn answers_and_claims_sort_as_their_moments_do() {
    let place = answer_key(&acme(), &answer_keys()[0]).unwrap();
    let times = moments().map(|at| answer_time_key(at, &place));
    assert!(times.is_sorted());
    for (time, at) in times.iter().zip(moments()) {
        assert_eq!(decode_answer_time(time), Some((at, place.clone())));
        assert!(*time < answer_times_end(at));
        assert!(times.iter().filter(|other| **other < answer_times_end(at)).all(|it| it <= time));
    }
    let claims: Vec<_> = moments().iter().flat_map(|at| [1, 256].map(|of| (*at, of))).collect();
    let keys: Vec<_> = claims.iter().map(|(at, of)| claim_key(*at, id(*of))).collect();
    assert!(keys.is_sorted());
    for (key, (at, of)) in keys.iter().zip(claims) {
        assert_eq!(decode_claim(key, b"acme").unwrap(), (at, acme(), id(of)));
        assert!(*key < claims_end(at));
        assert!(decode_claim(key, b"no name").is_err());
        assert!(decode_claim(&key[..key.len() - 1], b"acme").is_err());
    }
}

#[test]
fn log_1_the_ends_of_a_history_are_sound() {
    assert_eq!(HistoryBounds::from_row(None).unwrap(), HistoryBounds { first: 1, last: 0 });
    for (first, last) in [(1, 0), (1, 5), (6, 5), (u64::MAX, u64::MAX - 1)] {
        let history = HistoryBounds { first, last };
        assert_eq!(HistoryBounds::from_row(Some(&history.to_bytes())).unwrap(), history);
    }
    for (first, last) in [(0, 0), (7, 5), (1, u64::MAX)] {
        assert!(HistoryBounds::from_row(Some(&HistoryBounds { first, last }.to_bytes())).is_err());
    }
    assert!(HistoryBounds::from_row(Some(&[1; 16])).is_err());
    assert!(HistoryBounds::from_row(Some(&[1; 18])).is_err());
}
