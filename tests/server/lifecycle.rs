//! Start, reload and stop of the process.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixDatagram, UnixListener},
    },
    process::{Command, Stdio},
};

use criba::{client::Client, wire::request::Envelope};
use simd_json::prelude::*;

use super::{Engine, activation::with_sockets, json, reply, request, serve, socket};

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

#[test]
fn the_service_manager_hands_over_sockets_and_hears_of_each_step() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("criba.toml"), "").unwrap();
    let path = socket(home.path());
    let manager = UnixDatagram::bind(home.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let heard = || {
        let mut buffer = [0; 200];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut process = with_sockets(&serve(home.path()), &[path.display().to_string()])
        .env("NOTIFY_SOCKET", home.path().join("notify"))
        .env("WATCHDOG_USEC", "20000")
        .spawn()
        .unwrap();
    assert_eq!(heard(), "READY=1");
    let mut client = criba::client::Client::connect(&format!("unix:{}", path.display())).unwrap();
    assert_eq!(client.ping().unwrap().status, 0);
    assert_eq!((heard(), heard()), ("WATCHDOG=1".into(), "WATCHDOG=1".into()));
    assert_eq!(client.reload().unwrap().status, 0);
    let next = || std::iter::repeat_with(heard).find(|state| state != "WATCHDOG=1").unwrap();
    let reloading = next();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(next(), "READY=1");
    Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert_eq!(next(), "STOPPING=1");
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert!(path.exists(), "the name is the manager's");
}

#[test]
fn a_listener_has_its_own_profile_mode_and_guests() {
    let home = tempfile::tempdir().unwrap();
    let private = home.path().join("private.sock");
    // A port that was free a moment ago.
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let configuration = format!(
        "[server]\nlisten = []\n[[listener]]\naddress = \"unix:{}\"\nprofile = \"internal\"\nsocket_mode = \"0600\"\n\
         [[listener]]\naddress = \"{tcp}\"\nallow = [\"192.0.2.0/24\"]\n",
        private.display()
    );
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let mut process = serve(home.path()).stderr(Stdio::null()).spawn().unwrap();
    super::wait_for("the socket", || private.exists());
    assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    let mut client = Client::connect(&format!("unix:{}", private.display())).unwrap();
    let verdict = json(&client.scan(b"x", &Envelope::default(), 60_000).unwrap().json);
    assert_eq!(verdict.get_str("profile"), Some("internal"));
    // Let in by the kernel, and sent away.
    let mut stranger = TcpStream::connect(tcp).unwrap();
    let _ = stranger.write_all(&request(2, 1, 0, "", b""));
    assert!(reply(&mut stranger).is_none());
    process.kill().unwrap();
    process.wait().unwrap();
}
