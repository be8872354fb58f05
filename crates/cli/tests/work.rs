//! TRAIN from the side of a worker: programs that train, and what becomes of the models.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use custom_models_core::model::{ContentDigest, DataFile, DataType, Expected, NewPair};
use custom_models_core::{Caller, Engine, ModelId, Plan};
use custom_models_store_sqlite::SqliteStore;
use serde_json::Value;
use support::Folder;

/// A folder with so many models whose training waits for a worker.
fn waiting(models: u64) -> Folder {
    let folder = Folder::new();
    for _ in 0..models {
        folder.create(&[]);
    }
    wait_for_training(&folder, models);
    folder
}

/// Gives models data, and has their training wait for a worker.
fn wait_for_training(folder: &Folder, models: u64) {
    let store = SqliteStore::open(folder.path().join("custom-models.db")).unwrap();
    let engine = Engine::new(Arc::new(store), SystemTime::now);
    let caller = Caller::new("default".parse().unwrap(), Plan::enterprise());
    for id in 1..=models {
        let id = ModelId::new(id).unwrap();
        engine.add_data(&caller, id, enough(), &Expected::Anything).unwrap();
        let contents = folder.path().join(format!("custom-models.db.data/default/{id}"));
        fs::create_dir_all(&contents).unwrap();
        for name in ["a", "b"] {
            fs::write(contents.join(name.repeat(32)), "x").unwrap();
        }
        engine.run(&caller, id, &Expected::Anything).unwrap();
    }
    engine.close().unwrap();
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

/// Has a worker do a training that succeeds; what it says.
fn work(folder: &Folder, command: &str) -> String {
    let ended = folder.run(&["work", "--once", "--command", command]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
    let end = "model 1 of default is trained\n";
    assert!(ended.err.ends_with(end), "{}", ended.err);
    ended.err
}

/// Has a worker do a training that fails; the error of the model.
fn work_in_vain(folder: &Folder, command: &str) -> String {
    let ended = folder.run(&["work", "--once", "--command", command]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    let failed = model(folder, 1);
    assert_eq!(failed["training_status"], 5);
    let error = failed["error"].as_str().unwrap().to_owned();
    let said =
        format!("model 1 of default failed: {}\n1 training failed\n", error.replace('\n', "\\n"));
    assert!(ended.err.ends_with(&said), "{}", ended.err);
    error
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

/// Returns true if the process exists.
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
fn place_3_a_worker_claims_nothing_without_the_folder_of_its_store() {
    let folder = waiting(1);
    let foreign = folder.path().join("foreign/default/1");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("c".repeat(32)), "x").unwrap();
    for (data, why) in
        [("typo", "is gone, or its mark is"), ("foreign", "the store refers to nothing in it")]
    {
        let work = ["work", "--once", "--command", "touch started", "--data", data];
        let ended = folder.run(&work);
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
        assert!(ended.err.contains(why), "{}", ended.err);
        assert_eq!(model(&folder, 1)["training_status"], 3);
        assert!(!folder.path().join("started").exists());
    }
    work(&folder, r#"echo '{"metrics":{}}'"#);
}

/// The store had no data when it began, so that any folder could have been its own.
#[test]
fn place_3_a_worker_looks_for_the_folder_again_before_it_claims() {
    let folder = Folder::new();
    folder.create(&[]);
    let mut command = folder.command(&["work", "--command", "touch started", "--data", "typo"]);
    let worker = command.args(["--poll", "1s"]).spawn().unwrap();
    let _bounded = support::serving::bounded(&worker);
    std::thread::sleep(Duration::from_millis(500));
    wait_for_training(&folder, 1);
    let ended = support::Ended::from(worker.wait_with_output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.err.contains("is gone, or its mark is"), "{}", ended.err);
    assert!(!folder.path().join("started").exists());
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
    let unreadable = "the program ended with exit status: 0, and its line of metrics cannot be read: \
        expected value at line 1 column 20";
    let cases = [
        ("echo the reason >&2; exit 3", "the program ended with exit status: 3: the reason"),
        ("true", "the program ended with exit status: 0 and without metrics"),
        (r#"echo '{"metrics":{}}'; exit 1"#, "the program ended with exit status: 1"),
        ("kill -9 $$", "the program ended with signal: 9 (SIGKILL)"),
        (r#"echo '{"metrics":{"loss":NaN}}'"#, unreadable),
    ];
    let folder = waiting(1);
    for (command, error) in cases {
        assert_eq!(work_in_vain(&folder, command), error);
        assert_eq!(folder.run(&["run", "1"]).code, 0);
    }
}

#[test]
fn train_3_the_error_of_a_failure_is_the_end_of_standard_error() {
    let folder = waiting(1);
    let flood = "i=0; while [ $i -lt 3000 ]; do echo much on standard error >&2; i=$((i+1)); done
        echo the reason >&2; exit 1";
    let error = work_in_vain(&folder, flood);
    let begins =
        "the program ended with exit status: 1: [beginning cut off] much on standard error\nmuch";
    assert!(error.starts_with(begins) && error.ends_with("\nthe reason"), "{error}");
    assert!((950..=1000).contains(&error.chars().count()), "{}", error.chars().count());
}

#[test]
fn train_3_metrics_beside_the_five_are_kept_and_wrong_ones_are_named() {
    let folder = waiting(1);
    let said = work(
        &folder,
        r#"echo '{"metrics":{"zeta":1}}'
        echo '{"progress":100,"metrics":{"loss":0.002,"word_error_rate":0.25,"Bad":1,"huge":1e999,"none":null}}'"#,
    );
    let metrics = serde_json::to_string(&model(&folder, 1)["training_metrics"]).unwrap();
    assert_eq!(metrics, r#"{"loss":0.002,"word_error_rate":0.25}"#);
    let left_out = "model 1 of default is trained, but these of its metrics are left out: 'Bad' (a name \
        is 1 to 64 characters of a-z, 0-9 and _), 'huge' (not a finite number)\n";
    assert!(said.contains(left_out), "{said}");
}

#[test]
fn train_3_a_worker_reports_when_the_program_ends_whoever_holds_its_output() {
    let folder = waiting(1);
    work(
        &folder,
        r#"setsid sh -c 'echo $$ > holder; exec sleep 1000' &
        until [ -s holder ]; do :; done
        echo '{"metrics":{"loss":0.5}}'"#,
    );
    let holder = fs::read_to_string(folder.path().join("holder")).unwrap().trim().to_owned();
    assert!(runs(&holder), "the worker has waited for it");
    let killed = Command::new("kill").args(["-9", &holder]).status().unwrap();
    assert!(killed.success());
    assert_eq!(model(&folder, 1)["training_metrics"]["loss"], 0.5);
}

/// The most memory that the worker had is what a program sees of its parent.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_says_much_takes_no_memory_of_the_worker() {
    let folder = waiting(1);
    work(
        &folder,
        r#"most() { grep VmHWM "/proc/$PPID/status" | tr -dc 0-9; }
        before=$(most)
        yes '{"progress":1}' | head -n 300000
        yes '{"metrics":{"loss":1}}' | head -n 100000
        yes 'a line for people' | head -n 300000
        head -c 100000000 /dev/zero; echo
        head -c 100000000 /dev/zero >&2
        echo $(($(most) - before)) > more
        echo '{"metrics":{"loss":1}}'"#,
    );
    let more = fs::read_to_string(folder.path().join("more")).unwrap();
    let more: u64 = more.trim().parse().unwrap();
    assert!(more < 16 << 10, "{more} KiB more than before");
}

#[test]
fn train_6_a_training_that_is_called_off_kills_its_program() {
    let folder = waiting(1);
    let command = r#"trap '' TERM INT HUP; echo $$ > pid; sleep 1000 & echo $! > child
        echo '{"progress":5}'; wait"#;
    let worker = worker(&folder, command, "1s");
    until(|| model(&folder, 1)["training_progress"] == 5);
    let [program, child] = ["pid", "child"]
        .map(|name| fs::read_to_string(folder.path().join(name)).unwrap().trim().to_owned());
    assert!(runs(&program) && runs(&child));
    assert_eq!(folder.run(&["cancel", "1"]).code, 0);
    until(|| !runs(&program) && !runs(&child));
    assert_eq!(model(&folder, 1)["training_status"], 2);
    let told = Command::new("kill").arg(worker.id().to_string()).status().unwrap();
    assert!(told.success());
    let ended = worker.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.ends_with("is not trained: the training was cancelled\n"), "{said}");
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
fn train_4_a_worker_whose_training_passed_to_another_says_so_and_kills_its_program() {
    let folder = waiting(1);
    let command =
        r#"echo $$ > pid; until [ -e go ]; do :; done; echo '{"progress":5}'; sleep 1000"#;
    let first = worker(&folder, command, "60s");
    let file = folder.path().join("pid");
    until(|| fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')));
    let program = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(folder.run(&["cancel", "1"]).code, 0);
    assert_eq!(folder.run(&["run", "1"]).code, 0);
    work(&folder, r#"echo '{"metrics":{"word_error_rate":0}}'"#);
    assert!(runs(&program));
    fs::write(folder.path().join("go"), "").unwrap();
    until(|| !runs(&program));
    let told = Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert!(told.success());
    let ended = first.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    let end = "is no longer trained by this worker: the lease ran out, or another worker has the training\n";
    assert!(said.ends_with(end), "{said}");
    assert_eq!(model(&folder, 1)["training_status"], 4);
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
