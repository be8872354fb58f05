//! Programs that are hard to deal with. Each test would hang or fail on a program that is waited for in vain.

use std::fs;
use std::process::Command;

use super::*;

/// A process that has left the group of its program, and holds its pipes until it is killed here.
struct Holder(String);

impl Holder {
    /// Returns the shell command that leaves a process behind, which writes its number to a file.
    fn command(folder: &tempfile::TempDir) -> String {
        let file = folder.path().join("holder");
        let file = file.display();
        // Standard input is kept as well: `&` alone would close it.
        format!(
            r#"exec 3<&0; setsid sh -c 'echo $$ > {file}; exec sleep 1000' <&3 &
            until [ -s {file} ]; do :; done"#
        )
    }

    fn of(folder: &tempfile::TempDir) -> Self {
        let process = fs::read_to_string(folder.path().join("holder")).unwrap();
        Holder(process.trim().to_owned())
    }

    fn is_alive(&self) -> bool {
        signal("-0", &self.0)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        signal("-9", &self.0);
    }
}

fn signal(signal: &str, process: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("kill {signal} {process} 2>/dev/null")]);
    shell.status().unwrap().success()
}

/// Runs a program to its end.
fn run(command: &str, input: String) -> (ExitStatus, TrainerOutput) {
    let mut trainer = Trainer::start(command, &[], input).unwrap();
    let mut known = Progress::NONE;
    loop {
        known = trainer.progress_beyond(known, Duration::from_millis(10));
        if let Some(ended) = trainer.ended().unwrap() {
            assert!(trainer.threads.is_empty());
            return ended;
        }
    }
}

/// The metrics and the end of standard error.
fn shown(said: &TrainerOutput) -> (Option<String>, String) {
    let metrics = said.metrics.as_ref().map(|it| serde_json::to_string(&it.metrics).unwrap());
    (metrics, said.errors.end(1000))
}

#[test]
fn train_3_a_process_that_holds_the_pipes_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let last_words = r#"echo the reason >&2; echo '{"metrics":{"loss":0.5}}'"#;
    let command = format!("{}; {last_words}", Holder::command(&folder));
    // More than a pipe holds, so that somebody has to read it or nobody can write it.
    let (status, said) = run(&command, "x".repeat(10 << 20));
    let holder = Holder::of(&folder);
    assert!(status.success() && holder.is_alive());
    assert_eq!(shown(&said), (Some(r#"{"loss":0.5}"#.to_owned()), "the reason".to_owned()));
}

#[test]
fn train_3_a_process_that_goes_on_writing_is_not_listened_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("holder");
    let file = file.display();
    let command = format!(
        r#"setsid sh -c 'echo $$ > {file}; exec yes' & until [ -s {file} ]; do :; done
        printf '\n{{"progress":7}}\n'"#
    );
    let (status, said) = run(&command, String::new());
    let _holder = Holder::of(&folder);
    assert_eq!((status.success(), said.progress.get()), (true, 7));
}

#[test]
fn train_3_everything_that_a_program_wrote_before_its_end_is_read() {
    let folder = tempfile::tempdir().unwrap();
    // A pipe that is as full as it gets when the program ends, and held by another.
    let filling = r#"i=0; while [ $i -lt 3000 ]; do echo '{"progress":1} and much for people'; i=$((i+1)); done"#;
    let command =
        format!("{}; {filling}; echo; echo '{{\"progress\":9}}'", Holder::command(&folder));
    let (status, said) = run(&command, String::new());
    let _holder = Holder::of(&folder);
    assert_eq!((status.success(), said.progress.get()), (true, 9));
}

#[test]
fn train_3_a_program_may_close_its_pipes_long_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let command = format!(
        r#"echo '{{"metrics":{{"loss":1}},"progress":3}}'; exec <&- >&- 2>&-; until [ -e {} ]; do :; done"#,
        go.display()
    );
    let mut trainer = Trainer::start(&command, &[], "x".repeat(1 << 20)).unwrap();
    let patience = Duration::from_secs(600);
    assert_eq!(trainer.progress_beyond(Progress::NONE, patience).get(), 3);
    assert!(trainer.ended().unwrap().is_none());
    fs::write(go, "").unwrap();
    let (status, said) = loop {
        if let Some(ended) = trainer.ended().unwrap() {
            break ended;
        }
        std::thread::yield_now();
    };
    assert_eq!(shown(&said), (Some(r#"{"loss":1.0}"#.to_owned()), String::new()));
    assert!(status.success());
}

#[test]
fn a_large_input_is_read_by_a_program_that_reads() {
    let (status, said) = run("wc -c >&2", "x".repeat(10 << 20));
    assert!(status.success());
    assert_eq!(said.errors.end(100), (10 << 20).to_string());
}
