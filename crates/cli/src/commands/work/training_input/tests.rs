use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::model::{ContentDigest, DataType, Expected, LeaseTime, NewPair};
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};

use super::*;

/// A training with so many pairs, claimed by a worker, and its pairs.
fn claimed(pairs: usize) -> (Claimed, Vec<DataPair>) {
    let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    let caller = Caller::new("acme".parse().unwrap(), Plan::gold());
    let request = CreateModel::builder().name("n").language("en").build().unwrap();
    let (id, any) = (engine.create(&caller, request).unwrap().id, Expected::Anything);
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "0".repeat(32),
    };
    for _ in 0..pairs {
        let pair = NewPair {
            data_type: DataType::Train,
            audio: file("a.wav"),
            audio_millis: 18_000_000,
            transcript: file("a.txt"),
        };
        engine.add_data(&caller, id, pair, &any).unwrap();
    }
    engine.run(&caller, id, &any).unwrap();
    let claimed = engine.claim(&Actor::COMMAND_LINE, None, LeaseTime::default());
    (claimed.unwrap().unwrap(), engine.pairs(&caller, id).collect::<Result<_, _>>().unwrap())
}

#[test]
fn train_3_a_list_that_is_too_long_for_a_variable_is_told_on_standard_input_alone() {
    let path =
        |file: &DataFile| Some(PathBuf::from("/").join("x".repeat(1000)).join(&file.filename));
    let transcripts = |variables: &Variables| {
        let name = "CUSTOM_MODEL_TRAIN_TRANSCRIPTS";
        variables.iter().find(|(it, _)| *it == name).map(|(_, value)| value.lines().count())
    };
    let told = |count| {
        let (claimed, pairs) = claimed(count);
        training_input(&claimed, pairs, path)
    };
    let (variables, _) = told(60);
    assert_eq!((variables.len(), transcripts(&variables)), (7, Some(60)));
    let (variables, input) = told(150);
    assert_eq!((variables.len(), transcripts(&variables)), (6, None));
    assert_eq!(input.matches("a.txt\",\"bytes\"").count(), 150);
    // And with these a program starts.
    let mut shell = std::process::Command::new(env!("CARGO"));
    shell.envs(variables).arg("--version");
    assert!(shell.output().unwrap().status.success());
}
