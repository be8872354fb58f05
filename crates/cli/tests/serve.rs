//! The service as a process: started by the command, asked over a socket, told to end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use custom_models_core::time::Timestamp;
use support::Folder;
use support::serving::{Serving, ask, key_of};

#[test]
fn auth_1_a_key_from_the_command_line_opens_the_service_and_what_is_created_stays() {
    let folder = Folder::new();
    let server = Serving::start(&folder, &["serve"]);
    assert!(server.said[0].starts_with("nobody has a key yet: "), "{:?}", server.said);
    let key = key_of(&folder, "acme");
    let (status, body) = server.create(&key);
    assert_eq!(status, 201, "{body}");
    assert!(
        body.starts_with(r#"{"id":1,"model_key":"custom_model_1","name":"Medical Cardiology EN","#)
    );
    assert_eq!(server.ask("GET", "/api/v3/custom_models/1", &key, ""), (200, body.clone()));
    let shown = folder.run(&["show", "1", "--org", "acme"]);
    assert_eq!(shown.out.trim_end(), body);
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("route=\"/api/v3/custom_models\"") && log.contains("status=201"), "{log}");
    assert!(!log.contains(&key[..20]) && !log.contains("Medical"), "{log}");
    // The same file, served anew.
    let server = Serving::start(&folder, &["serve", "--log", "json"]);
    assert_eq!(server.said, [""; 0]);
    assert_eq!(server.ask("GET", "/api/v3/custom_models/1", &key, ""), (200, body));
    let id = &key[3..15];
    assert_eq!(folder.run(&["key", "revoke", id, "--org", "acme"]).code, 0);
    assert_eq!(server.create(&key).0, 401);
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0));
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn rate_1_and_rate_4_two_processes_on_one_file_admit_ten_in_all() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    let servers = [Serving::start(&folder, &["serve"]), Serving::start(&folder, &["serve"])];
    let admitted = |server: &Serving| (0..12).filter(|_| server.create(&key).0 != 429).count();
    let admitted: usize = thread::scope(|scope| {
        let asked: Vec<_> = servers.iter().map(|server| scope.spawn(|| admitted(server))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).sum()
    });
    assert_eq!(admitted, 10);
    // And after a kill.
    drop(servers);
    assert_eq!(Serving::start(&folder, &["serve"]).create(&key).0, 429);
}

#[test]
fn quota_1_and_rate_1_limits_and_plans_come_from_options_and_a_file() {
    let folder = Folder::new();
    let config = folder.path().join("config.toml");
    std::fs::write(
        &config,
        "[plans]\nSolo = { models = 1 }\n[limits.create]\nrequests = \"1/1h\"\n[limits.get]\nrequests = \"2/1h\"\n",
    )
    .unwrap();
    let key = key_of(&folder, "acme");
    let set = ["org", "set-plan", "acme", "--plan", "solo", "--config", "config.toml"];
    folder.run(&set).is_done("{\"organisation\":\"acme\",\"plan\":\"Solo\"}\n");
    let options = ["serve", "--config", "config.toml", "--create-limit", "3/1h"];
    let server = Serving::start(&folder, &options);
    let statuses = [(); 4].map(|()| server.create(&key).0);
    assert_eq!(statuses, [201, 402, 402, 429]);
    let statuses = [(); 3].map(|()| server.ask("GET", "/api/v3/custom_models/1", &key, "").0);
    assert_eq!(statuses, [200, 200, 429]);
    drop(server);
    // Who does not know the plan lets nobody create.
    let server = Serving::start(&folder, &["serve", "--create-limit", "off"]);
    assert_eq!(server.create(&key).0, 500);
}

#[test]
fn place_4_the_share_of_an_organisation_is_an_option() {
    let folder = Folder::new();
    let key = key_of(&folder, "acme");
    // 6 % of 16 places are less than one, which it has all the same.
    let server = Serving::start(&folder, &["serve", "--org-share", "6"]);
    assert_eq!(server.create(&key).0, 201);
    let mut first = TcpStream::connect(&server.address).unwrap();
    write!(
        first,
        "PUT /api/v3/custom_models/1/data HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
        Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    let mut asked = [0; 25];
    first.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n", "it has its place");
    let authorization = format!("Bearer {key}");
    let parts = ("Content-Type", "multipart/form-data; boundary=b");
    let headers = [("Authorization", &*authorization), parts];
    let path = "/api/v3/custom_models/1/data";
    let (status, _, body) = ask(&server.address, "PUT", path, &headers, "--b--");
    assert!(status == 503 && body.contains(r#""details":{"places":1}"#), "{status} {body}");
}

#[test]
fn quota_1_an_organisation_that_is_registered_has_the_plan_of_the_register() {
    let folder = Folder::new();
    let create =
        ["create", "--org", "acme", "--plan", "Enterprise", "--name", "n", "--language", "en"];
    key_of(&folder, "acme");
    for _ in 0..5 {
        assert_eq!(folder.run(&create).code, 0);
    }
    let refused = folder.run(&create);
    assert_eq!((refused.code, &*refused.err), (1, support::GOLD_IS_FULL));
    let again = folder.run(&["org", "add", "acme"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("ORGANISATION_EXISTS"), "{}", again.err);
    let nobody = folder.run(&["org", "set-plan", "nobody", "--plan", "Gold"]);
    assert!(nobody.err.contains("ORGANISATION_NOT_FOUND"), "{}", nobody.err);
    let unsaid = folder.run(&["org", "set-plan", "acme"]);
    assert!(unsaid.code == 2 && unsaid.err.contains("--plan"), "{}", unsaid.err);
    let homeless = folder.run(&["key", "create", "--org", "nobody", "--scope", "training:work"]);
    assert!(homeless.err.contains("ORGANISATION_NOT_FOUND"), "{}", homeless.err);
    folder.run(&["org", "list"]).is_done("[{\"organisation\":\"acme\",\"plan\":\"Gold\"}]\n");
    let keys = folder.run(&["key", "list", "--org", "acme"]).out;
    assert!(keys.contains(r#""scopes":["custom_models:write","custom_models:read"]"#), "{keys}");
    assert!(keys.contains(r#""expires_at":null,"revoked_at":null"#), "{keys}");
    let create = ["key", "create", "--org", "brief", "--scope", "training:work"];
    folder.run(&["org", "add", "brief"]);
    folder.run(&[&create[..], &["--expires-in", "90d"]].concat());
    let brief = folder.run(&["key", "list", "--org", "brief"]).out;
    let brief: serde_json::Value = serde_json::from_str(&brief).unwrap();
    let moment = |name: &str| -> Timestamp { brief[0][name].as_str().unwrap().parse().unwrap() };
    let lasts = moment("expires_at").unix_seconds() - moment("created_at").unix_seconds();
    assert_eq!(lasts, 90 * 24 * 60 * 60);
    let unknown = folder.run(&["key", "revoke", "000000000000"]);
    assert!(unknown.err.contains("KEY_NOT_FOUND"), "{}", unknown.err);
}

/// `clients` has the line pasted into a shell.
#[test]
fn a_demo_prints_a_line_with_a_key_that_works_and_keeps_nothing() {
    let folder = Folder::new();
    let mut server = Serving::start(&folder, &["demo"]);
    let mut line = String::new();
    BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with(&format!("curl -X POST http://{}/", server.address)), "{line}");
    let (_, key) = line.split_once("Bearer ").unwrap();
    let (key, _) = key.split_once('\'').unwrap();
    assert_eq!(server.create(key).0, 201);
    assert_eq!(folder.files(), [""; 0], "nothing is kept");
    assert_eq!(server.terminate().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_demo_removes_what_one_that_was_killed_has_left_and_nothing_else() {
    let (folder, place) = (Folder::new(), Folder::new());
    let demo = || {
        let mut demo = folder.command(&["demo", "--listen", "127.0.0.1:0"]);
        Serving::started(demo.env("TMPDIR", place.path()))
    };
    // Folders that only look like one: without a lock, behind a link, with another name.
    let others = ["custom-models-other", "custom-models.lock", "elsewhere"];
    others.iter().for_each(|name| std::fs::create_dir(place.path().join(name)).unwrap());
    let elsewhere = place.path().join("elsewhere");
    std::fs::write(elsewhere.join("custom-models.lock"), "").unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.path().join("custom-models-link")).unwrap();
    let before = place.files();
    let (killed, lives) = (demo(), demo());
    assert_eq!(place.files().len(), before.len() + 2);
    // As with SIGKILL, which it is.
    drop(killed);
    assert_eq!(place.files().len(), before.len() + 2);
    let next = demo();
    assert_eq!(place.files().len(), before.len() + 2, "of the killed one nothing is left");
    assert_eq!([lives, next].map(|server| server.terminate().0), [Some(0), Some(0)]);
    assert_eq!(place.files(), before);
    assert_eq!(std::fs::read_dir(elsewhere).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn what_is_said_of_making_a_key_works_when_it_is_pasted() {
    let store = ["--store", "sqlite:it's a store.db"];
    for is_registered in [false, true] {
        let folder = Folder::new();
        if is_registered {
            let add = ["org", "add", "--plan", "Gold", "--", "-other"];
            assert_eq!(folder.run(&[&store[..], &add].concat()).code, 0);
        }
        let serve = [&["serve"], &store[..]].concat();
        let server = Serving::start(&folder, &serve);
        let (_, commands) = server.said[0].split_once("nobody has a key yet: ").unwrap();
        let made = folder.pasted(commands);
        assert_eq!(made.code, 0, "{}", made.err);
        assert_eq!(server.create(made.out.lines().last().unwrap()).0, 201);
        assert_eq!(server.terminate().0, Some(0));
        let server = Serving::start(&folder, &serve);
        assert_eq!(server.said, [""; 0], "somebody has a key");
        assert_eq!(server.terminate().0, Some(0));
        let id = made.out.lines().last().unwrap().split('_').nth(1).unwrap();
        let org = if is_registered { "--org=-other" } else { "--org=acme" };
        assert_eq!(folder.run(&[&["key", "revoke", id, org], &store[..]].concat()).code, 0);
        let server = Serving::start(&folder, &serve);
        assert!(server.said[0].starts_with("nobody has a key yet: "), "{:?}", server.said);
    }
}

#[test]
fn what_cannot_be_served_is_told() {
    let folder = Folder::new();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[plans]\n\nSilver = { model = 1 }\n").unwrap();
    for (arguments, told) in [
        (&["serve", "--config", "config.toml"][..], "line 3"),
        (&["serve", "--config", "none.toml"], "none.toml"),
        (&["serve", "--create-limit", "10"], "a request limit is"),
        (&["serve", "--create-concurrency", "0"], "invalid value"),
        (&["serve", "--listen", "nowhere"], "invalid"),
        (&["serve", "--org-share", "0"], "0 is not in 1..=100"),
        (&["serve", "--org-share", "101"], "101 is not in 1..=100"),
        (&["serve", "--store", "memory:", "--listen", "203.0.113.1:1"], "--listen 203.0.113.1:1: "),
        (&["org", "add", "a b"], "an organisation is named by"),
        (&["org", "add", "a", "--plan", "Tin"], "[possible values: Gold, Enterprise]"),
        (&["key", "create", "--scope", "all"], "a scope is one of"),
        (&["key", "create", "--scope", "training:work", "--expires-in", "1y"], "a duration is"),
        (&["key", "revoke", "x"], "the 12 digits of 0-9 a-f"),
    ] {
        let ended = folder.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(told), "{arguments:?}: {}", ended.err);
    }
    assert_eq!(folder.files(), ["config.toml"], "nothing was made");
}

#[test]
fn who_serves_a_store_without_a_key_is_told_what_can_be_done() {
    for (store, told) in [
        (
            "sqlite:models.db",
            "nobody has a key yet: custom-models --store 'sqlite:models.db' org add",
        ),
        ("sled:models", "nobody has a key yet; end this process, which has the store: "),
        ("memory:", "nobody has a key, and none can be made for a store in memory: "),
    ] {
        let folder = Folder::new();
        let server = Serving::start(&folder, &["serve", "--store", store]);
        assert!(server.said[0].starts_with(told), "{:?}", server.said);
    }
}
