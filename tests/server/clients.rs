//! The clients that come with criba, against a real engine.

use std::{
    fs,
    process::{Command, Output},
};

use criba::{
    client::{Client, Cluster, Error},
    wire::{frame::Kind, request::Envelope},
};
use simd_json::prelude::*;

use super::{Engine, json};

const MAIL: &[u8] = b"Message-Id: <1@test>\r\nSubject: hello\r\n\r\nhello\r\n";

fn lines(output: &Output) -> Vec<simd_json::OwnedValue> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(json).collect()
}

#[test]
fn the_rust_client_speaks_over_both_sockets() {
    let engine = Engine::start("");
    for address in [engine.unix(), engine.tcp.clone()] {
        let mut client = Client::connect(&address).unwrap();
        assert!(client.ping().unwrap().json.contains("pong"));
        let envelope = Envelope { queue_id: "4tX".into(), ..Envelope::default() };
        let reply = client.scan(MAIL, &envelope, 60_000).unwrap();
        assert!(reply.is_verdict());
        assert_eq!(json(&reply.json).get_str("queue_id"), Some("4tX"));
        let ids: Vec<u32> =
            (0..50).map(|_| client.send(Kind::Scan, MAIL, &envelope, 60_000).unwrap()).collect();
        let mut answered: Vec<u32> = (0..50).map(|_| client.receive().unwrap().id).collect();
        answered.sort_unstable();
        assert_eq!(answered, ids);
    }
    assert!(matches!(Client::connect("nonsense"), Err(Error::Address(_))));
    assert!(matches!(Client::connect("unix:/no/such/socket"), Err(Error::Connect(_))));
}

#[test]
fn the_python_example_judges_mail() {
    let engine = Engine::start("");
    let file = engine.home.path().join("mail.eml");
    fs::write(&file, MAIL).unwrap();
    for address in [engine.unix(), engine.tcp.clone()] {
        let output = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/criba_client.py"))
            .arg(&address)
            .args([&file, &file])
            .output()
            .expect("python3 is among the packages that packaging/setup installs for tests");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let verdicts = lines(&output);
        assert_eq!(verdicts.len(), 2);
        assert_eq!(verdicts[0].get_str("status"), Some("complete"));
        assert_eq!(verdicts[0].get_str("action"), Some("no action"));
        assert_eq!(verdicts[0].get_str("message_id"), Some("<1@test>"));
    }
}

#[test]
fn scan_asks_a_server_and_prints_in_input_order() {
    let engine = Engine::start("");
    let mut files = Vec::new();
    for number in 0..100 {
        let file = engine.home.path().join(format!("{number}.eml"));
        fs::write(&file, format!("Message-Id: <{number}@test>\n\nhello\n")).unwrap();
        files.push(file);
    }
    let scan = |address: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_criba"));
        command.args(["scan", "--json", "--budget", "60000", "--server", address]).args(&files);
        command.output().unwrap()
    };
    for address in [engine.unix(), engine.tcp.clone()] {
        let output = scan(&address);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (number, verdict) in lines(&output).iter().enumerate() {
            assert_eq!(verdict.get_str("message_id"), Some(&*format!("<{number}@test>")));
        }
    }
    let nobody = scan("unix:/no/such/socket");
    assert_eq!(nobody.status.code(), Some(69));
}

#[test]
fn a_cluster_answers_while_one_engine_is_left() {
    let mut engines = [Engine::start(""), Engine::start("")];
    let addresses = format!("{},{}", engines[0].unix(), engines[1].tcp);
    let cluster = Cluster::new(&addresses).unwrap();
    let scan = |budget| cluster.scan(MAIL, &Envelope::default(), budget);
    let scanned = |engine: &Engine| engine.status().get("requests").unwrap().get_u64("scan").unwrap();
    for _ in 0..20 {
        assert_eq!(scan(60_000).unwrap().status, 0);
    }
    assert!(engines.iter().all(|engine| scanned(engine) > 0), "both take part");

    // Killed under load: whatever it had in flight is asked of the other one.
    let lost = std::thread::scope(|scope| {
        let askers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..200).filter(|_| scan(60_000).is_err()).count())).collect();
        let before = scanned(&engines[1]);
        while scanned(&engines[1]) < before + 20 {
            std::thread::yield_now();
        }
        engines[0].signal("-KILL");
        askers.into_iter().map(|asker| asker.join().unwrap()).sum::<usize>()
    });
    assert_eq!(lost, 0);
    engines[0].wait();

    // Both gone: said so, and what happened to each.
    engines[1].signal("-KILL");
    engines[1].wait();
    let Err(Error::Unavailable(why)) = scan(60_000) else { panic!("nobody is there") };
    assert!(why.contains("criba.sock") && why.contains("127.0.0.1"), "{why}");
}

#[test]
fn a_cluster_does_not_wait_for_an_engine_that_hangs() {
    let engines = [Engine::start(""), Engine::start("")];
    let cluster = Cluster::new(&format!("{},{}", engines[0].unix(), engines[1].unix())).unwrap();
    engines[0].signal("-STOP");
    for _ in 0..4 {
        let reply = cluster.scan(MAIL, &Envelope::default(), 3000).unwrap();
        assert_eq!(reply.status, 0, "{}", reply.json);
    }
    engines[1].signal("-STOP");
    let both = cluster.scan(MAIL, &Envelope::default(), 100);
    assert!(matches!(both, Err(Error::Unavailable(_))), "{both:?}");
    for engine in &engines {
        engine.signal("-CONT");
    }
}

#[test]
fn a_cluster_hands_on_what_one_engine_sheds_or_will_not_take() {
    // The first has no room for any mail, the second is all right.
    let engines = [Engine::start("[server]\nmax_in_flight_bytes = 1024\n"), Engine::start("")];
    let mail = vec![b'x'; 2000];
    let both = Cluster::new(&format!("{},{}", engines[0].unix(), engines[1].unix())).unwrap();
    for _ in 0..10 {
        assert_eq!(both.scan(&mail, &Envelope::default(), 60_000).unwrap().status, 0);
    }
    let busy = Cluster::new(&engines[0].unix()).unwrap();
    assert_eq!(busy.scan(&mail, &Envelope::default(), 60_000).unwrap().status, 2, "better than nothing");
    assert!(matches!(Cluster::new("unix:/a,nonsense"), Err(Error::Address(_))));
}
