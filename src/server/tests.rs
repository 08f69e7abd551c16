//! Servers inside of the test, with messages that make their worker misbehave.

use std::{fs, path::Path, sync::mpsc, thread, time::Duration};

use simd_json::{OwnedValue, prelude::*};
use tokio::sync::oneshot;

use super::{Reload, Server};
use crate::{
    client::{Client, Reply},
    config::Settings,
    engine::Engine,
    ocr::Pool,
    wire::{
        frame::{Kind, Status},
        request::Envelope,
    },
};

/// What a message can make its worker do, where a real one would need a fault of the engine.
pub(super) fn provoke(raw: &[u8]) {
    if raw.starts_with(b"X-Provoke: panic") {
        panic!("provoked by a test");
    }
    if raw.starts_with(b"X-Provoke: slow") {
        thread::sleep(Duration::from_millis(30));
    }
    let first = raw.split(|&byte| byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    if let Some(gate) = first.and_then(|line| line.strip_prefix("X-Provoke: wait ")) {
        while !Path::new(gate).exists() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

const PLAIN: &[u8] = b"Subject: hello\r\n\r\nhello\r\n";
const PANIC: &[u8] = b"X-Provoke: panic\r\n\r\nx\r\n";

/// A server in a thread of its own; stopped and drained when it is dropped.
struct Running {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    home: tempfile::TempDir,
}

impl Running {
    /// A server with one worker; `configuration` is TOML.
    fn start(configuration: &str) -> Running {
        let same: Reload = Box::new(|_| Err("nothing to load in this test".into()));
        Running::start_with(configuration, same)
    }

    fn start_with(configuration: &str, reload: Reload) -> Running {
        let home = tempfile::tempdir().unwrap();
        let address = format!("unix:{}/criba.sock", home.path().display());
        let mut settings = Settings::parse("test", configuration).unwrap();
        settings.server.listen = vec![address.parse().unwrap()];
        settings.server.workers = 1;
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server =
                    Server::start(engine(&settings), &settings.server, 1, reload, Vec::new()).unwrap();
                ready.send(()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        is_ready.recv().unwrap();
        Running { address, stop: Some(stop), thread: Some(thread), home }
    }

    fn client(&self) -> Client {
        Client::connect(&self.address).unwrap()
    }

    /// A message over which a worker hangs until [`Running::release`].
    fn hang(&self) -> Vec<u8> {
        format!("X-Provoke: wait {}/gate\n\nx\n", self.home.path().display()).into()
    }

    /// Has the one worker hang to the end, and its spare until [`Running::release`].
    fn hold(&self, client: &mut Client) {
        let to_the_end = format!("X-Provoke: wait {}/end\n\nx\n", self.home.path().display());
        client.send(Kind::Scan, to_the_end.as_bytes(), &Envelope::default(), 60_000).unwrap();
        client.send(Kind::Scan, &self.hang(), &Envelope::default(), 60_000).unwrap();
        client.ping().unwrap();
        while json(&self.client().status().unwrap()).get("queued").unwrap().get_u64("fast") != Some(0) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn release(&self) {
        fs::write(self.home.path().join("gate"), "").unwrap();
    }

    /// Tells the server to stop, and does not wait for it.
    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::write(self.home.path().join("end"), "");
        self.release();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn engine(settings: &Settings) -> Engine {
    let mut settings = settings.clone();
    settings.rules.default = false;
    let pool = Pool::start(&settings.ocr).into();
    Engine::load(&settings, pool).unwrap().0
}

fn json(reply: &Reply) -> OwnedValue {
    simd_json::from_slice(&mut reply.json.clone().into_bytes()).unwrap()
}

fn scan(client: &mut Client, raw: &[u8], budget: u32) -> Reply {
    client.scan(raw, &Envelope::default(), budget).unwrap()
}

#[test]
fn a_stage_that_hangs_gets_a_partial_reply_at_the_deadline() {
    let server = Running::start("[profile.internal]\non_partial = \"accept\"\n");
    let mut client = server.client();
    for (profile, action) in [("external", "soft reject"), ("internal", "no action")] {
        let envelope =
            Envelope { profile: Some(profile.into()), queue_id: "4tX".into(), ..Envelope::default() };
        let reply = client.scan(&server.hang(), &envelope, 20).unwrap();
        let verdict = json(&reply);
        assert_eq!(reply.status, Status::Partial as u16, "{verdict}");
        assert_eq!(verdict.get_str("action"), Some(action));
        assert_eq!(verdict.get_bool("complete"), Some(false));
        assert_eq!(verdict.get_str("queue_id"), Some("4tX"));
        let skipped = verdict.get_array("skipped").unwrap();
        assert!(skipped.iter().any(|one| one.get_str("stage") == Some("rules")), "{verdict}");
        assert!(skipped.iter().all(|one| one.get_str("why") == Some("deadline")), "{verdict}");
    }
    // Both were answered while the one worker hung over the first; now it goes on.
    server.release();
    assert_eq!(scan(&mut client, PLAIN, 5000).status, Status::Complete as u16);
    assert_eq!(json(&client.status().unwrap()).get("replies").unwrap().get_u64("partial"), Some(2));
}

#[test]
fn a_scan_that_panics_costs_its_own_message_only() {
    let server = Running::start("");
    let mut client = server.client();
    for _ in 0..3 {
        let reply = scan(&mut client, PANIC, 5000);
        assert_eq!(reply.status, Status::Internal as u16);
        assert!(!reply.is_verdict() && json(&reply).get_str("error").is_some());
        assert_eq!(scan(&mut client, PLAIN, 5000).status, Status::Complete as u16);
    }
    let status = json(&client.status().unwrap());
    assert_eq!(status.get_u64("panics"), Some(3));
}

#[test]
fn what_does_not_fit_is_shed_at_once_as_the_profile_says() {
    let server =
        Running::start("[server]\nmax_in_flight_bytes = 4096\n[profile.internal]\non_overload = \"tag\"\n");
    let mut client = server.client();
    let large = vec![b'x'; 5000];
    for (profile, action) in [("external", "soft reject"), ("internal", "add header")] {
        let envelope = Envelope { profile: Some(profile.into()), ..Envelope::default() };
        let reply = client.scan(&large, &envelope, 60_000).unwrap();
        let verdict = json(&reply);
        assert_eq!((reply.status, verdict.get_str("action")), (Status::Shed as u16, Some(action)));
        assert_eq!(verdict.get_array("skipped").unwrap()[0].get_str("why"), Some("overload"), "{verdict}");
    }
    // The stream is still in step.
    assert_eq!(scan(&mut client, PLAIN, 5000).status, Status::Complete as u16);
}

#[test]
fn a_connection_over_its_share_is_shed_and_the_others_are_served() {
    let server = Running::start("[server]\nmax_requests_per_connection = 2\n");
    let mut greedy = server.client();
    let ids: Vec<u32> = (0..4)
        .map(|_| greedy.send(Kind::Scan, &server.hang(), &Envelope::default(), 5000).unwrap())
        .collect();
    let (first, second) = (greedy.receive().unwrap(), greedy.receive().unwrap());
    assert_eq!([first.id, second.id], ids[2..], "those that were shed come first");
    assert_eq!([first.status, second.status], [Status::Shed as u16; 2]);
    server.release();
    assert_eq!(scan(&mut server.client(), PLAIN, 5000).status, Status::Complete as u16);
}

#[test]
fn a_message_whose_turn_would_come_too_late_is_shed_at_once() {
    let server = Running::start("");
    let mut client = server.client();
    let envelope = Envelope::default();
    let slow = [&b"X-Provoke: slow\n\n"[..], &[b'x'; 600]].concat();
    assert_eq!(scan(&mut client, &slow, 60_000).status, Status::Complete as u16);
    // The one worker hangs and so does its spare, and ten messages wait that are known to take 30 ms each.
    server.hold(&mut client);
    for _ in 0..10 {
        client.send(Kind::Scan, &slow, &envelope, 60_000).unwrap();
    }
    let hasty = client.send(Kind::Scan, &slow, &envelope, 100).unwrap();
    let reply = client.receive().unwrap();
    assert_eq!((reply.id, reply.status), (hasty, Status::Shed as u16), "{}", reply.json);
    server.release();
    assert!((0..11).all(|_| client.receive().unwrap().status == Status::Complete as u16));
}

#[test]
fn a_mail_that_turns_out_to_be_slow_holds_no_others_up() {
    let server = Running::start("");
    let mut client = server.client();
    client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    client.ping().unwrap();
    let reply = scan(&mut server.client(), PLAIN, 60_000);
    assert_eq!(reply.status, Status::Complete as u16, "{}", reply.json);
}

#[test]
fn the_reserved_class_does_not_wait_for_the_others() {
    let server = Running::start("");
    let mut client = server.client();
    for _ in 0..50 {
        client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    }
    client.ping().unwrap();
    // The one worker hangs over external mail, and there is more of it.
    let internal = Envelope { profile: Some("internal".into()), ..Envelope::default() };
    let reply = server.client().scan(PLAIN, &internal, 60_000).unwrap();
    assert_eq!(reply.status, Status::Complete as u16);
    server.release();
    assert!((0..50).all(|_| client.receive().unwrap().status == Status::Complete as u16));
}

#[test]
fn the_earlier_deadline_overtakes() {
    let server = Running::start("");
    let mut client = server.client();
    let envelope = Envelope::default();
    server.hold(&mut client);
    let late = client.send(Kind::Scan, PLAIN, &envelope, 60_000).unwrap();
    let early = client.send(Kind::Scan, PLAIN, &envelope, 30_000).unwrap();
    client.ping().unwrap();
    server.release();
    let order: Vec<u32> = (0..3).map(|_| client.receive().unwrap().id).collect();
    assert_eq!(order[1..], [early, late]);
}

#[test]
fn work_whose_client_left_is_not_done() {
    let server = Running::start("");
    let mut client = server.client();
    for _ in 0..20 {
        client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    }
    // The engine has read them all once it answers this.
    client.send(Kind::Ping, &[], &Envelope::default(), 0).unwrap();
    client.receive().unwrap();
    drop(client);
    let open = || json(&server.client().status().unwrap()).get("in_flight").unwrap().get_u64("requests");
    while open() != Some(0) {
        thread::sleep(Duration::from_millis(1));
    }
    // The one worker was busy with the first, and now finds that the 19 others are void.
    server.release();
    let reply = scan(&mut server.client(), PLAIN, 60_000);
    assert_eq!(reply.status, Status::Complete as u16);
    let status = || json(&server.client().status().unwrap());
    let all_gone = |_: &i32| {
        thread::sleep(Duration::from_millis(1));
        status().get_u64("cancelled") == Some(20)
    };
    assert!((0..1000).any(|turn| all_gone(&turn)), "{}", status());
    assert_eq!(status().get("in_flight").unwrap().get_u64("bytes"), Some(0));
}

#[test]
fn a_drain_answers_what_is_in_flight_and_turns_away_the_rest() {
    let mut server = Running::start("");
    let mut client = server.client();
    let first = client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    client.ping().unwrap();
    server.stop();
    // The name of the socket goes when the drain begins.
    while Client::connect(&server.address).is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    let second = client.send(Kind::Scan, PLAIN, &Envelope::default(), 60_000).unwrap();
    let refused = client.receive().unwrap();
    server.release();
    let answered = client.receive().unwrap();
    assert_eq!((refused.id, refused.status), (second, Status::Unavailable as u16));
    assert_eq!((answered.id, answered.status), (first, Status::Complete as u16));
    assert!(client.receive().is_err(), "closed in the end");
}

#[test]
fn a_drain_is_bounded() {
    let mut server = Running::start("[server]\ndrain_seconds = 0\n");
    let mut client = server.client();
    client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    client.send(Kind::Ping, &[], &Envelope::default(), 0).unwrap();
    client.receive().unwrap();
    server.stop();
    assert!(client.receive().is_err(), "its reply did not come, and neither did it hang");
}

#[test]
fn a_reload_swaps_the_engine_and_a_broken_one_is_refused() {
    let (send, versions) = mpsc::channel::<Result<Engine, String>>();
    let versions = std::sync::Mutex::new(versions);
    let server = Running::start_with("", Box::new(move |_| versions.lock().unwrap().recv().unwrap()));
    let mut client = server.client();
    let partners = Envelope { profile: Some("partners".into()), ..Envelope::default() };

    send.send(Err("rules/x.cf: broken".into())).unwrap();
    let reply = client.reload().unwrap();
    assert_eq!(reply.status, Status::Internal as u16);
    assert!(json(&reply).get_str("error").unwrap().contains("rules/x.cf: broken"));
    assert_eq!(scan(&mut client, PLAIN, 5000).status, Status::Complete as u16);
    let unknown = server.client().scan(PLAIN, &partners, 0).unwrap();
    assert_eq!(unknown.status, Status::BadRequest as u16, "{}", unknown.json);

    // A scan that began before the swap ends after it.
    let settings = Settings::parse("new", "[profile.partners]\nbudget_ms = 900\n").unwrap();
    let before = client.send(Kind::Scan, &server.hang(), &Envelope::default(), 60_000).unwrap();
    send.send(Ok(engine(&settings))).unwrap();
    let swap = client.send(Kind::Reload, &[], &Envelope::default(), 0).unwrap();
    let first = client.receive().unwrap();
    server.release();
    let replies = [first, client.receive().unwrap()];
    for reply in &replies {
        assert_eq!(reply.status, Status::Complete as u16, "{}", reply.json);
    }
    assert_eq!(replies.each_ref().map(|reply| reply.id), [swap, before]);
    assert_eq!(client.scan(PLAIN, &partners, 0).unwrap().status, Status::Complete as u16);
}

#[test]
fn a_message_gets_the_profile_of_whoever_brings_it() {
    let uid = nix::unistd::getuid();
    let server = Running::start(&format!(
        "[profile.submission]\nclients = [\"10.0.0.0/8\"]\n[profile.local]\npeers = [\"user:{uid}\"]\n"
    ));
    let mut client = server.client();
    let mut profile = |envelope: Envelope| {
        let verdict = json(&client.scan(PLAIN, &envelope, 60_000).unwrap());
        verdict.get_str("profile").unwrap().to_owned()
    };
    let asked = Some("external".to_owned());
    let user = Some("joe".to_owned());
    let inside = Some("10.1.2.3".parse().unwrap());
    let nothing = Envelope::default();
    assert_eq!(profile(nothing.clone()), "local");
    assert_eq!(profile(Envelope { client_ip: inside, ..nothing.clone() }), "submission");
    assert_eq!(profile(Envelope { client_ip: inside, user: user.clone(), ..nothing.clone() }), "internal");
    assert_eq!(profile(Envelope { client_ip: inside, user, profile: asked, ..nothing }), "external");
}
