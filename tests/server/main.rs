//! The engine as a process on its sockets, asked by raw bytes, by the Rust client, and by Python.

mod activation;
mod adversarial;
mod chaos;
mod clients;
mod dialects;
mod frames;
mod learn;
mod lifecycle;
mod load;
mod tls;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use criba::client::Client;
use simd_json::{OwnedValue, prelude::*};

/// Long enough for the slowest machine; only an engine that hangs makes a test wait for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of `criba serve` on a Unix socket and on a TCP port, killed when it is dropped.
struct Engine {
    process: Child,
    home: tempfile::TempDir,
    tcp: String,
}

impl Engine {
    /// `configuration` is TOML; there are no rules.
    fn start(configuration: &str) -> Engine {
        Engine::start_with(configuration, &["--no-default-rules"])
    }

    fn start_with(configuration: &str, options: &[&str]) -> Engine {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("criba.toml"), configuration).unwrap();
        let mut process = serve_with(home.path(), options)
            .args(["--listen", "127.0.0.1:0", "--listen"])
            .arg(format!("unix:{}", socket(home.path()).display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let (found, port) = mpsc::channel();
        thread::spawn(move || {
            let mut all = String::new();
            // Read to the end, so that the engine never waits for its log.
            for line in log.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on tcp:") {
                    let _ = found.send(Ok(address.trim().to_owned()));
                }
                all.push_str(&line);
            }
            let _ = found.send(Err(all));
        });
        let tcp = port.recv_timeout(PATIENCE).unwrap().unwrap();
        let engine = Engine { process, home, tcp };
        wait_for("the Unix socket", || engine.socket().exists());
        engine
    }

    fn socket(&self) -> PathBuf {
        socket(self.home.path())
    }

    fn unix(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn client(&self) -> Client {
        Client::connect(&self.unix()).unwrap()
    }

    /// A raw connection; odd ones are TCP.
    fn connect(&self, number: usize) -> Box<dyn Socket> {
        if number.is_multiple_of(2) {
            let stream = UnixStream::connect(self.socket()).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            Box::new(stream)
        } else {
            let stream = TcpStream::connect(&self.tcp).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            Box::new(stream)
        }
    }

    /// Body of the reply to STATUS.
    fn status(&self) -> OwnedValue {
        json(&self.client().status().unwrap().json)
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Whether the engine answers, and nothing of earlier requests is left in it.
    fn assert_sound(&self) {
        assert_eq!(self.client().ping().unwrap().status, 0);
        wait_for("the requests in flight to end", || {
            let status = self.status();
            let left = |key| status.get("in_flight").unwrap().get_u64(key);
            left("requests") == Some(0) && left("bytes") == Some(0)
        });
        assert_eq!(self.status().get_u64("panics"), Some(0));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn socket(home: &Path) -> PathBuf {
    home.join("criba.sock")
}

/// `criba serve` with the configuration in `home` and no rules: most of these tests are not about them.
fn serve(home: &Path) -> Command {
    serve_with(home, &["--no-default-rules"])
}

fn serve_with(home: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_criba"));
    command.arg("serve").args(options).args(["--workers", "2", "--config"]);
    command.arg(home.join("criba.toml")).env("XDG_CACHE_HOME", home).env_remove("RUST_LOG");
    command
}

fn json(text: &str) -> OwnedValue {
    simd_json::from_slice(&mut text.as_bytes().to_vec()).unwrap()
}

fn wait_for(what: &str, mut come: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 5 {
        if come() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain for {what}");
}

/// A connection of either kind.
trait Socket: Read + Write {
    /// Says that no more requests will come.
    fn finish(&self);
}

impl Socket for UnixStream {
    fn finish(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

impl Socket for TcpStream {
    fn finish(&self) {
        self.shutdown(Shutdown::Write).unwrap();
    }
}

/// A request, put together by hand from DESIGN's table and not by the code under test.
fn request(kind: u8, id: u32, budget: u32, metadata: &str, message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&((16 + metadata.len() + message.len()) as u32).to_be_bytes());
    frame.extend_from_slice(&[1, kind, 0, 0]);
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(&budget.to_be_bytes());
    frame.extend_from_slice(&(metadata.len() as u32).to_be_bytes());
    frame.extend_from_slice(metadata.as_bytes());
    frame.extend_from_slice(message);
    frame
}

#[derive(Debug)]
struct Reply {
    kind: u8,
    status: u16,
    id: u32,
    json: OwnedValue,
}

/// The next reply; `None` when the engine closed the connection between two.
fn reply(socket: &mut dyn Socket) -> Option<Reply> {
    let mut head = [0; 12];
    let mut have = 0;
    while have < head.len() {
        match socket.read(&mut head[have..]) {
            Ok(0) if have == 0 => return None,
            Ok(0) => panic!("closed in the middle of a reply"),
            Ok(more) => have += more,
            Err(error) if have == 0 && error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no reply and no close: {error}"),
        }
    }
    let length = u32::from_be_bytes(head[0..4].try_into().unwrap()) as usize;
    let mut body = vec![0; length - 8];
    socket.read_exact(&mut body).unwrap();
    assert_eq!(head[4], 1, "version");
    Some(Reply {
        kind: head[5],
        status: u16::from_be_bytes([head[6], head[7]]),
        id: u32::from_be_bytes(head[8..12].try_into().unwrap()),
        json: simd_json::from_slice(&mut body).unwrap(),
    })
}

/// All replies until the engine closes the connection.
fn replies(socket: &mut dyn Socket) -> Vec<Reply> {
    std::iter::from_fn(|| reply(socket)).collect()
}
