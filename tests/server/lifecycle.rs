//! Start, reload and stop of the process.

use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixListener, process::Command};

use criba::wire::request::Envelope;
use simd_json::prelude::*;

use super::{Engine, json, reply, request, serve, socket};

#[test]
fn sigterm_ends_the_engine_and_removes_its_socket() {
    for signal in ["-TERM", "-INT"] {
        let mut engine = Engine::start("");
        let mut idle = engine.connect(0);
        idle.write_all(&request(2, 1, 0, "", b"")).unwrap();
        assert_eq!(reply(&mut *idle).unwrap().status, 0);
        engine.signal(signal);
        assert_eq!(engine.wait().code(), Some(0));
        assert!(!engine.socket().exists());
        assert!(reply(&mut *idle).is_none(), "idle connections are closed");
    }
}

#[test]
fn a_reload_takes_the_new_configuration_and_refuses_a_broken_one() {
    let engine = Engine::start("");
    let mut client = engine.client();
    let envelope = Envelope { profile: Some("partners".into()), ..Envelope::default() };
    let file = engine.home.path().join("criba.toml");

    fs::write(&file, "[profile.partners]\nbudget_ms = 0\n").unwrap();
    let refused = client.reload().unwrap();
    assert_eq!(refused.status, 7);
    let why = json(&refused.json);
    assert!(why.get_str("error").unwrap().contains("criba.toml:2"), "{why}");
    assert_eq!(client.scan(b"x", &Envelope::default(), 0).unwrap().status, 0, "the old one goes on");
    assert_eq!(engine.client().scan(b"x", &envelope, 0).unwrap().status, 4);

    fs::write(&file, "[profile.partners]\nbudget_ms = 900\n").unwrap();
    let loaded = client.reload().unwrap();
    assert_eq!(loaded.status, 0, "{}", loaded.json);
    assert_eq!(json(&client.scan(b"x", &envelope, 0).unwrap().json).get_u64("budget_ms"), Some(900));

    fs::write(&file, "[profile.partners]\nbudget_ms = 1000\n").unwrap();
    engine.signal("-HUP");
    super::wait_for("the reload", || {
        let reply = client.scan(b"x", &envelope, 0).unwrap();
        json(&reply.json).get_u64("budget_ms") == Some(1000)
    });
    assert_eq!(engine.status().get_u64("reloads"), Some(2));
}

#[test]
fn a_socket_that_is_in_use_is_not_taken() {
    let engine = Engine::start("");
    for address in [engine.unix(), engine.tcp.clone()] {
        let second = serve(engine.home.path()).args(["--listen", &address]).output().unwrap();
        let said = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(69), "{said}");
        assert!(said.contains("in use"), "{said}");
    }
    engine.assert_sound();
}

#[test]
fn a_stale_socket_is_replaced_and_a_file_is_not() {
    let home = tempfile::tempdir().unwrap();
    let path = socket(home.path());
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "std leaves the file behind");
    fs::write(home.path().join("criba.toml"), "[server]\nsocket_mode = \"0600\"\n").unwrap();
    let address = format!("unix:{}", path.display());
    let mut process = serve(home.path()).args(["--listen", &address]).spawn().unwrap();
    super::wait_for("the engine", || {
        criba::client::Client::connect(&address).and_then(|mut client| client.ping()).is_ok()
    });
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));

    fs::write(&path, "precious").unwrap();
    let refused = serve(home.path()).args(["--listen", &address]).output().unwrap();
    assert_eq!(refused.status.code(), Some(73));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}
