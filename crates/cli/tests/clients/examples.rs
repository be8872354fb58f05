//! The four examples of the specification, run as they stand but for the host and the key.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::Tools;
use crate::served::Served;

/// A client that calls the API.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Client {
    Curl,
    Requests,
    Axios,
    Fetch,
}

/// The situation that the caller meets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Situation {
    Created,
    Invalid,
    Unauthorized,
    QuotaExceeded,
}

impl Client {
    pub(crate) const ALL: [Client; 4] =
        [Client::Curl, Client::Requests, Client::Axios, Client::Fetch];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Client::Curl => "curl",
            Client::Requests => "python_requests",
            Client::Axios => "node_axios",
            Client::Fetch => "typescript_fetch",
        }
    }

    /// The example, and what its file is called.
    const fn example(self) -> (&'static str, &'static str) {
        match self {
            Client::Curl => (include_str!("examples/create.sh"), "create.sh"),
            Client::Requests => (include_str!("examples/create.py"), "create.py"),
            Client::Axios => (include_str!("examples/create.js"), "create.js"),
            Client::Fetch => (include_str!("examples/create.ts"), "create.ts"),
        }
    }

    /// Runs an example in its folder.
    fn run(self, tools: &Tools, folder: &Path, file: &str) -> Output {
        let mut command = match self {
            Client::Curl => Command::new("sh"),
            Client::Requests => Command::new(tools.python()),
            Client::Axios | Client::Fetch => Command::new("node"),
        };
        let file = match self {
            Client::Fetch => compiled(tools, folder, file),
            _ => file.to_owned(),
        };
        let command = command.arg(file).current_dir(folder);
        command.env("NODE_PATH", tools.node_modules()).output().unwrap()
    }
}

/// Checks the types of a program, and makes JavaScript of it.
fn compiled(tools: &Tools, folder: &Path, file: &str) -> String {
    let compiler = tools.node_modules().join("typescript/bin/tsc");
    let options = ["--strict", "--target", "es2022", "--lib", "es2022,dom"];
    let mut command = Command::new("node");
    let output = command.arg(compiler).args(options).arg(file).current_dir(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    file.replace(".ts", ".js")
}

impl Situation {
    pub(crate) const ALL: [Situation; 4] =
        [Situation::Created, Situation::Invalid, Situation::Unauthorized, Situation::QuotaExceeded];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Situation::Created => "meets_201",
            Situation::Invalid => "meets_400",
            Situation::Unauthorized => "meets_401",
            Situation::QuotaExceeded => "meets_402",
        }
    }

    /// Returns the body of the answer, to the byte. A model's body is cut off before its times.
    const fn body(self) -> &'static str {
        match self {
            Situation::Created => {
                r#"{"id":1,"model_key":"custom_model_1","name":"Medical Cardiology EN","description":"Custom model for cardiology consultations and reports","language":"en","base_model":"medical","training_status":1,"status_message":"Model created. Upload training data to begin.","created_at":""#
            }
            Situation::Invalid => {
                r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Name cannot be empty"}}"#
            }
            Situation::Unauthorized => {
                r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#
            }
            Situation::QuotaExceeded => {
                r#"{"error":"Quota Exceeded","message":"Custom model limit reached for your plan","error_code":"MODEL_LIMIT_EXCEEDED","details":{"current_models":5,"plan_limit":5,"plan":"Gold"}}"#
            }
        }
    }

    /// Returns the message in the error envelope, for clients that show only that.
    const fn message(self) -> &'static str {
        match self {
            Situation::Created => "",
            Situation::Invalid => "Invalid field values",
            Situation::Unauthorized => "Invalid or missing API key",
            Situation::QuotaExceeded => "Custom model limit reached for your plan",
        }
    }
}

/// Runs an example in a situation and looks at what it prints.
pub(crate) fn run(tools: &Tools, client: Client, situation: Situation) {
    let served = Served::start("Gold", &[]);
    let key = match situation {
        Situation::Unauthorized => "YOUR_API_KEY".to_owned(),
        _ => served.key(),
    };
    if situation == Situation::QuotaExceeded {
        (0..5).for_each(|_| served.create());
    }
    let (example, file) = client.example();
    let mut program =
        example.replace("https://api.scriptix.io", &format!("http://{}", served.address));
    program = program.replace("YOUR_API_KEY", &key);
    if situation == Situation::Invalid {
        program = program.replace("Medical Cardiology EN", "");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file), program).unwrap();
    let output = client.run(tools, folder.path(), file);
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let code = output.status.code();
    if situation == Situation::Created {
        prints_the_model(client, code, &out, &err);
    } else {
        prints_the_refusal(client, situation, code, &out, &err);
    }
}

const THREE_LINES: &str = "Created model ID: 1\nModel key: custom_model_1\nStatus: Model created. Upload training data to begin.\n";

fn prints_the_model(client: Client, code: Option<i32>, out: &str, err: &str) {
    match client {
        Client::Curl => assert!(out.starts_with(Situation::Created.body()), "{out}"),
        Client::Requests | Client::Axios => assert_eq!((out, err), (THREE_LINES, "")),
        Client::Fetch => assert_eq!((out, err), ("Created: custom_model_1\n", "")),
    }
    assert_eq!(code, Some(0), "{err}");
}

/// The examples differ in what they make of a refusal: curl shows it, requests trips over the missing
/// id, axios prints the body as an object, and fetch throws the message.
fn prints_the_refusal(
    client: Client,
    situation: Situation,
    code: Option<i32>,
    out: &str,
    err: &str,
) {
    match client {
        Client::Curl => assert_eq!((out, code), (situation.body(), Some(0)), "{err}"),
        Client::Requests => {
            assert!(err.ends_with("KeyError: 'id'\n"), "{err}");
            assert_eq!((out, code), ("", Some(1)));
        }
        Client::Axios => {
            assert!(err.starts_with("Error creating model: {"), "{err}");
            assert!(err.contains(&format!("message: '{}'", situation.message())), "{err}");
            assert_eq!((out, code), ("", Some(0)));
        }
        Client::Fetch => {
            assert!(err.contains(&format!("Error: {}", situation.message())), "{err}");
            assert_eq!((out, code), ("", Some(1)));
        }
    }
}
