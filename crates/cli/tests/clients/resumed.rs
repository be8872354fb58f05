//! Clients of tus that people use: killed in the middle, with the service, and run again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::Tools;
use crate::served::Served;

/// A client of tus.
#[derive(Clone, Copy)]
pub(crate) enum Client {
    Python,
    JavaScript,
}

impl Client {
    pub(crate) const ALL: [Client; 2] = [Client::Python, Client::JavaScript];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Client::Python => "tuspy",
            Client::JavaScript => "tus_js_client",
        }
    }

    fn program(self, tools: &Tools, folder: &Path) -> Command {
        let (interpreter, program, file) = match self {
            Client::Python => (tools.python(), include_str!("examples/resume.py"), "resume.py"),
            Client::JavaScript => ("node".into(), include_str!("examples/resume.js"), "resume.js"),
        };
        fs::write(folder.join(file), program).unwrap();
        let mut command = Command::new(interpreter);
        command.arg(file).current_dir(folder).env("NODE_PATH", tools.node_modules());
        command
    }
}

/// The bytes of the audio, of more than one piece.
const BYTES: u32 = 6_000_000;

/// Sends a pair. Client and service are killed when two thirds of the audio have been sent.
pub(crate) fn goes_on(tools: &Tools, client: Client) {
    let mut served = Served::start("Enterprise", &[]);
    served.create();
    let (folder, key) = (tempfile::tempdir().unwrap(), served.key());
    fs::write(folder.path().join("a.wav"), wave()).unwrap();
    fs::write(folder.path().join("a.txt"), "The rhythm is regular.").unwrap();
    fs::write(folder.path().join("urls.json"), "").unwrap();
    let run = |address: &str, stop_at: Option<&str>| -> Output {
        let base = format!("http://{address}");
        let mut program = client.program(tools, folder.path());
        program.args([&base, &key, "a.wav", "a.txt", "urls.json"]).args(stop_at);
        program.output().unwrap()
    };
    let said = |output: &Output| {
        let [out, error] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
        format!("{out}{error}")
    };
    let killed = run(&served.address, Some("4000000"));
    assert_eq!(killed.status.code(), None, "{}", said(&killed));
    served.kill_and_restart();
    let done = run(&served.address, None);
    assert!(done.status.success(), "{}", said(&done));
    let lines: Vec<_> = said(&done).lines().map(str::to_owned).collect();
    let [audio, transcript, added] = &lines[..] else { panic!("{lines:?}") };
    assert!(["a.wav from 4000000", "a.wav again"].contains(&&**audio), "{lines:?}");
    assert!(["a.txt from 0", "a.txt anew"].contains(&&**transcript), "{lines:?}");
    assert_eq!(added, "200 Training data uploaded");
}

/// Returns a wave file with one channel of 16 bits, at 16 kHz.
fn wave() -> Vec<u8> {
    let mut wave = b"RIFF".to_vec();
    wave.extend((BYTES + 36).to_le_bytes());
    wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend(16_000_u32.to_le_bytes());
    wave.extend(32_000_u32.to_le_bytes());
    wave.extend(b"\x02\0\x10\0data");
    wave.extend(BYTES.to_le_bytes());
    wave.extend((0..BYTES / 4).flat_map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes()));
    wave
}
