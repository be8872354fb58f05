//! TRAIN from the side of a worker: programs that train, and what becomes of the models.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::{
    Caller, ContentDigest, DataFile, DataType, Engine, Expected, ModelId, NewPair, Plan,
};
use custom_models_store_sqlite::SqliteStore;
use serde_json::Value;
use support::Folder;

/// A folder with so many models whose training waits for a worker.
fn waiting(models: u64) -> Folder {
    let folder = Folder::new();
    for _ in 0..models {
        folder.create(&[]);
    }
    let store = SqliteStore::open(folder.path().join("custom-models.db")).unwrap();
    let engine = Engine::new(store, SystemTime::now);
    let caller = Caller::new("default".parse().unwrap(), Plan::enterprise());
    for id in 1..=models {
        let id = ModelId::new(id).unwrap();
        engine.add_data(&caller, id, enough(), &Expected::Anything).unwrap();
        engine.run(&caller, id, &Expected::Anything).unwrap();
    }
    engine.close().unwrap();
    folder
}

fn enough() -> NewPair {
    let file = |filename: &str, content: char| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_string().repeat(32),
    };
    NewPair {
        data_type: DataType::Train,
        audio: file("a.wav", 'a'),
        audio_millis: 18_000_000,
        transcript: file("a.txt", 'b'),
    }
}

fn work(folder: &Folder, command: &str) {
    let ended = folder.run(&["work", "--once", "--command", command]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
}

fn model(folder: &Folder, id: u64) -> Value {
    serde_json::from_str(&folder.run(&["show", &id.to_string()]).out).unwrap()
}

/// Waits until something is so.
fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came to be");
        std::thread::yield_now();
    }
}

/// Whether a process is there.
fn runs(process: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("kill -0 {process} 2>/dev/null")])
        .status()
        .unwrap()
        .success()
}

fn worker(folder: &Folder, command: &str, lease: &str) -> Child {
    folder.command(&["work", "--command", command, "--lease", lease]).spawn().unwrap()
}

#[test]
fn train_3_a_program_that_measures_makes_a_success() {
    let folder = waiting(1);
    work(
        &folder,
        r#"cat > told; echo "$CUSTOM_MODEL_ID $CUSTOM_MODEL_LANGUAGE" > names
        echo "a line for people"; echo '{"progress":30}'
        echo '{"metrics":{"word_error_rate":0.25,"training_hours":1}}'"#,
    );
    let trained = model(&folder, 1);
    assert_eq!(
        (&trained["training_status"], &trained["training_progress"]),
        (&4.into(), &100.into())
    );
    assert_eq!(trained["training_metrics"]["word_error_rate"], 0.25);
    assert_eq!(fs::read_to_string(folder.path().join("names")).unwrap(), "1 en\n");
    let told = fs::read(folder.path().join("told")).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&told["model"]["id"], &told["organisation"]), (&1.into(), &"default".into()));
    let pair = &told["data"][0];
    assert_eq!((&pair["type"], &pair["audio_millis"]), (&"train".into(), &18_000_000.into()));
    let place = format!("custom-models.db.data/default/1/{}", "a".repeat(32));
    assert!(pair["audio"]["path"].as_str().unwrap().ends_with(&place), "{pair}");
}

#[test]
fn train_3_a_worker_trains_though_nobody_reads_what_it_says() {
    let folder = waiting(1);
    let (err, unread) = support::full();
    let command = r#"echo '{"metrics":{}}'"#;
    let mut work = folder.command(&["work", "--once", "--command", command]);
    let mut child = work.stderr(err).spawn().unwrap();
    let _bounded = support::serving::bounded(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(model(&folder, 1)["training_status"], 4);
    drop(unread);
}

#[test]
fn train_3_a_program_that_fails_or_measures_nothing_makes_a_failure() {
    let cases = [
        ("echo the reason >&2; exit 3", "the program ended with exit status: 3: the reason"),
        ("true", "the program ended with exit status: 0 and without metrics"),
        (r#"echo '{"metrics":{}}'; exit 1"#, "the program ended with exit status: 1"),
        ("kill -9 $$", "the program ended with signal: 9 (SIGKILL)"),
        (
            r#"echo '{"metrics":{"word_error_rate":1e999}}'"#,
            "the program ended with exit status: 0 and without metrics",
        ),
    ];
    let folder = waiting(1);
    for (command, error) in cases {
        work(&folder, command);
        let failed = model(&folder, 1);
        assert_eq!(
            (&failed["training_status"], failed["error"].as_str()),
            (&5.into(), Some(error))
        );
        assert_eq!(folder.run(&["run", "1"]).code, 0);
    }
    let flood = "i=0; while [ $i -lt 3000 ]; do echo 'much on standard error' >&2; i=$((i+1)); done; exit 1";
    work(&folder, flood);
    let error = model(&folder, 1)["error"].as_str().unwrap().to_owned();
    assert!(error.chars().count() <= 1000 && error.contains("much on"), "{error}");
}

#[test]
fn train_6_a_training_that_is_called_off_kills_its_program() {
    let folder = waiting(1);
    let command = r#"echo $$ > pid; sleep 1000 & echo $! > child; echo '{"progress":5}'; wait"#;
    let mut worker = worker(&folder, command, "1s");
    until(|| model(&folder, 1)["training_progress"] == 5);
    let [program, child] = ["pid", "child"]
        .map(|name| fs::read_to_string(folder.path().join(name)).unwrap().trim().to_owned());
    assert!(runs(&program) && runs(&child));
    assert_eq!(folder.run(&["cancel", "1"]).code, 0);
    until(|| !runs(&program) && !runs(&child));
    assert_eq!(model(&folder, 1)["training_status"], 2);
    worker.kill().unwrap();
    worker.wait().unwrap();
}

#[test]
fn train_5_a_worker_that_is_told_to_end_leaves_its_training_to_another() {
    let folder = waiting(1);
    let mut first = worker(&folder, r#"echo $$ > pid; echo '{"progress":5}'; sleep 1000"#, "1s");
    until(|| model(&folder, 1)["training_progress"] == 5);
    let program = fs::read_to_string(folder.path().join("pid")).unwrap().trim().to_owned();
    let told = Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    until(|| !runs(&program));
    assert_eq!(model(&folder, 1)["training_status"], 3);
    let measure = r#"echo '{"metrics":{"word_error_rate":0}}'"#;
    let mut second = worker(&folder, measure, "60s");
    until(|| model(&folder, 1)["training_status"] == 4);
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn train_4_two_workers_share_no_training() {
    let folder = waiting(6);
    let command = r#"echo $CUSTOM_MODEL_ID >> trained; echo '{"metrics":{"word_error_rate":0}}'"#;
    let work = || folder.command(&["work", "--once", "--command", command]).spawn().unwrap();
    let mut workers = [work(), work()];
    workers.iter_mut().for_each(|worker| assert_eq!(worker.wait().unwrap().code(), Some(0)));
    let trained = fs::read_to_string(folder.path().join("trained")).unwrap();
    let mut trained: Vec<&str> = trained.lines().collect();
    trained.sort_unstable();
    assert_eq!(trained, ["1", "2", "3", "4", "5", "6"]);
    (1..=6).for_each(|id| assert_eq!(model(&folder, id)["training_status"], 4));
}

#[test]
fn train_3_a_lease_that_cannot_be_is_wrong_usage() {
    let folder = Folder::new();
    let ended = folder.run(&["work", "--command", "true", "--lease", "2d"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--lease: a lease is for 1 second to 1 day"), "{}", ended.err);
}
