//! The whole way: an engine on a Unix socket, `criba scan --server` in front of it, SIGTERM at the end.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use common::{CRIBA, cache_folder, engine, judge, samples, samples_folder};
use simd_json::{OwnedValue, prelude::*};
use tempfile::TempDir;

mod common;

/// `criba serve` on a socket of its own; killed when a test fails.
struct Server {
    child: Child,
    socket: PathBuf,
    folder: TempDir,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (socket, config) = (folder.path().join("criba.sock"), folder.path().join("criba.toml"));
        let written = format!(
            "[server]\nlisten = [\"unix:{}\"]\n[rules]\ncache = \"{}\"\n",
            socket.display(),
            cache_folder().display()
        );
        fs::write(&config, written).expect("the configuration can be written");
        let log = File::create(folder.path().join("log")).expect("the log can be written");
        let child = Command::new(CRIBA)
            .args([Path::new("serve"), Path::new("--config"), &config])
            .stderr(log)
            .spawn()
            .expect("criba starts");
        let mut server = Server { child, socket, folder };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        while UnixStream::connect(&self.socket).is_err() {
            if let Some(status) = self.child.try_wait().expect("the state of a child") {
                panic!("criba serve ended with {status}: {}", self.said());
            }
            assert!(started.elapsed() < Duration::from_secs(120), "criba serve does not open its socket");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn address(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// SIGTERM, and what came of it.
    fn stop(mut self) -> (ExitStatus, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server is there");
        let status = self.child.wait().expect("the state of a child");
        (status, self.said())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `criba scan --json` over all samples; the verdicts by file below `corpora/samples`.
fn scan(arguments: &[&str]) -> BTreeMap<String, OwnedValue> {
    let folder = samples_folder();
    let done = Command::new(CRIBA)
        .args(["scan", "--json", "--budget", "60000"])
        .args(arguments)
        .args([folder.join("spam"), folder.join("ham")])
        .output()
        .expect("criba starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "criba scan ended with {}: {said}", done.status);
    let verdict = |line: &str| {
        let verdict: OwnedValue = simd_json::from_slice(&mut line.as_bytes().to_vec())
            .unwrap_or_else(|error| panic!("{error} in {line}"));
        let file = verdict.get_str("file").expect("a file name");
        let file = Path::new(file).strip_prefix(&folder).expect("below corpora/samples");
        (file.display().to_string(), verdict)
    };
    String::from_utf8(done.stdout).expect("UTF-8").lines().map(verdict).collect()
}

fn symbols(verdict: &OwnedValue) -> Vec<(String, f64)> {
    let all = verdict.get_array("symbols").expect("symbols");
    let symbol =
        |symbol: &OwnedValue| Some((symbol.get_str("name")?.to_owned(), symbol.get("score")?.cast_f64()?));
    all.iter().map(|found| symbol(found).expect("a name and a score")).collect()
}

#[test]
fn the_engine_on_a_socket_judges_as_the_one_in_this_process() {
    let server = Server::start();
    let remote = scan(&["--server", &server.address()]);
    let (status, said) = server.stop();
    assert_eq!(status.code(), Some(0), "SIGTERM ends the server in good order; it said: {said}");

    let engine = engine();
    let mut scratch = engine.scratch();
    let samples = samples();
    assert_eq!(remote.len(), samples.len(), "every message is answered");
    for sample in &samples {
        let there = remote.get(&sample.file).unwrap_or_else(|| panic!("{}: no answer", sample.file));
        let score = there.get("score").and_then(|score| score.cast_f64()).expect("a score");
        assert_eq!(there.get_bool("complete"), Some(true), "{}: {there}", sample.file);
        let here = judge(&engine, &mut scratch, &sample.read());
        let names: Vec<_> = here.symbols.iter().map(|s| (s.name.to_string(), s.score)).collect();
        assert_eq!(symbols(there), names, "{}", sample.file);
        assert_eq!(score, here.score, "{}", sample.file);
        assert_eq!(there.get_str("action"), Some(here.action.name()), "{}", sample.file);
        assert_eq!(there.get_str("message_id"), Some(here.message_id.as_str()), "{}", sample.file);
    }
}

#[test]
fn a_client_that_finds_no_engine_says_so() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let address = format!("unix:{}/nobody.sock", folder.path().display());
    let done = Command::new(CRIBA)
        .args(["scan", "--server", &address])
        .arg(samples_folder().join("ham"))
        .output()
        .expect("criba starts");
    assert_eq!(done.status.code(), Some(69), "EX_UNAVAILABLE");
    assert!(done.stdout.is_empty());
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("nobody.sock"), "the address is named: {said}");
}
