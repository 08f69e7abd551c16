//! Many requests, many connections, and clients that behave badly.

use std::{collections::BTreeSet, fs, io::ErrorKind, process::Command};

use simd_json::prelude::*;

use super::{Engine, reply, request, wait_for};

const MAIL: &[u8] = b"Subject: hello\r\n\r\nhello\r\n";

#[test]
fn many_requests_in_flight_are_all_answered() {
    let engine = Engine::start("");
    for number in 0..2 {
        let mut socket = engine.connect(number);
        // Those with later deadlines come first, so that the order of the replies is not that of the requests.
        let burst: Vec<u8> = (0..64).flat_map(|id| request(1, id, 60_000 - id, "", MAIL)).collect();
        socket.write_all(&burst).unwrap();
        let mut ids = BTreeSet::new();
        for _ in 0..64 {
            let reply = reply(&mut *socket).unwrap();
            assert_eq!(reply.status, 0, "{}", reply.json);
            assert_eq!(reply.json.get_u64("budget_ms"), Some(60_000 - u64::from(reply.id)));
            ids.insert(reply.id);
        }
        assert_eq!(ids, (0..64).collect());
    }
}

#[test]
fn connections_leave_no_descriptor_behind() {
    let engine = Engine::start("[ocr]\nworkers = 1\n");
    let directory = format!("/proc/{}/fd", engine.process.id());
    let open = || fs::read_dir(&directory).unwrap().count();
    // a worker has descriptors, too, and on a busy machine it starts later than the engine answers
    wait_for("the OCR worker", || engine.status().get("ocr").unwrap().get_u64("started") == Some(1));
    engine.assert_sound();
    let before = open();
    let frame = request(1, 1, 60_000, "", MAIL);
    for number in 0..1000 {
        let mut socket = engine.connect(number);
        match number % 5 {
            // Asked and answered; asked and gone; gone in the middle; only knocked; nonsense.
            0 => {
                socket.write_all(&frame).unwrap();
                assert_eq!(reply(&mut *socket).unwrap().status, 0);
            }
            1 => socket.write_all(&frame).unwrap(),
            2 => socket.write_all(&frame[..frame.len() / 2]).unwrap(),
            3 => {}
            _ => socket.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap(),
        }
    }
    wait_for("the descriptors to be closed", || open() <= before);
    engine.assert_sound();
}

#[test]
fn a_client_that_never_reads_is_cut_off() {
    let engine = Engine::start("[server]\nframe_timeout_ms = 200\n");
    for number in 0..2 {
        let mut socket = engine.connect(number);
        let burst: Vec<u8> = (0..100).flat_map(|id| request(3, id, 0, "", b"")).collect();
        // A megabyte of replies and what the kernel buffers; after that the engine does not read either.
        let cut = (0..10_000).find_map(|_| socket.write_all(&burst).err());
        let kind = cut.expect("the engine took in a million requests without being able to answer").kind();
        assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{kind}");
    }
    engine.assert_sound();
}

#[test]
fn one_connection_too_many_is_told_to_come_back() {
    let engine = Engine::start("[server]\nmax_connections = 2\n");
    let mut first = [engine.connect(0), engine.connect(1)];
    for socket in &mut first {
        socket.write_all(&request(2, 1, 0, "", b"")).unwrap();
        assert_eq!(reply(&mut **socket).unwrap().status, 0);
    }
    let mut third = engine.connect(0);
    assert_eq!(reply(&mut *third).unwrap().status, 3);
    assert!(reply(&mut *third).is_none());
    drop(first);
    wait_for("room", || engine.client().ping().is_ok_and(|reply| reply.status == 0));
}

#[test]
fn bench_measures_both_loops_and_draws_a_sweep() {
    let engine = Engine::start("");
    let file = engine.home.path().join("mail.eml");
    fs::write(&file, MAIL).unwrap();
    let svg = engine.home.path().join("sweep.svg");
    let address = engine.unix();
    let bench = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_criba"));
        command.args(["bench", "--json", "--duration", "0.3", "--server", &address]).args(options).arg(&file);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(super::json).collect::<Vec<_>>()
    };
    let before = engine.status().get("requests").unwrap().get_u64("scan").unwrap();
    let closed = &bench(&["--connections", "2", "--budget", "60000"])[0];
    assert_eq!(closed.get_str("mode"), Some("closed loop"));
    let open = &bench(&["--rate", "200", "--mix", "external:0.5,internal:0.5", "--budget", "60000"])[0];
    let of = |name| open.get("profiles").unwrap().get(name).unwrap().get_u64("messages").unwrap();
    assert!(of("external") > 0 && of("internal") > 0, "{open}");
    let count = |report: &simd_json::OwnedValue| report.get_u64("messages").unwrap();
    assert_eq!(of("external") + of("internal"), count(open));
    for report in [closed, open] {
        assert!(count(report) > 0);
        assert_eq!(report.get_u64("complete"), Some(count(report)), "{report}");
    }
    // The engine counted the same messages.
    let after = engine.status().get("requests").unwrap().get_u64("scan").unwrap();
    assert_eq!(after - before, count(closed) + count(open));

    let steps = bench(&["--sweep", "0.1,0.2", "--svg", svg.to_str().unwrap(), "--budget", "60000"]);
    assert_eq!(steps.len(), 3);
    let offered = |step: usize| steps[step].get_f64("rate").unwrap();
    assert!((offered(2) / offered(1) - 2.0).abs() < 1e-6, "{} {}", offered(1), offered(2));
    assert!(fs::read_to_string(&svg).unwrap().contains("messages a second offered"));
}
