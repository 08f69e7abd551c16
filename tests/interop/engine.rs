//! An engine for other programs to ask, with criba's own rules and model.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub const CRIBA: &str = env!("CARGO_BIN_EXE_criba");
/// For things that come soon or never, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Killed with the test.
pub struct Engine(Child);

impl Engine {
    /// An engine in `folder` that listens at `addresses`, for example `spamd:127.0.0.1:1783`, and has the rest of its
    /// configuration from `toml`.
    pub fn start(folder: &Path, addresses: &[&str], toml: &str) -> Engine {
        let ready = folder.join("ready.sock");
        let mut options: Vec<_> =
            addresses.iter().flat_map(|&address| ["--listen".into(), address.to_owned()]).collect();
        // Sockets are opened in order: when this one answers, the others do.
        options.extend(["--listen".into(), format!("unix:{}", ready.display())]);
        Engine::spawn(folder, &options, toml, &ready)
    }

    /// An engine in `folder` that listens where the `[[listener]]`s of `toml` say.
    pub fn configured(folder: &Path, toml: &str) -> Engine {
        let ready = folder.join("ready.sock");
        let ready_at = format!("address = \"unix:{}\"\n", ready.display());
        Engine::spawn(folder, &[], &format!("server.listen = []\n{toml}\n[[listener]]\n{ready_at}"), &ready)
    }

    fn spawn(folder: &Path, options: &[String], toml: &str, ready: &Path) -> Engine {
        let config = folder.join("criba.toml");
        let mut toml = toml.to_owned();
        for profile in ["external", "internal"] {
            // A busy machine needs longer, and nothing here is about time.
            if !toml.contains(&format!("[profile.{profile}]")) {
                toml += &format!("[profile.{profile}]\nbudget_ms = 60000\n");
            }
        }
        fs::write(&config, toml).expect("a folder of ours");
        let mut criba = Command::new(CRIBA);
        criba.arg("serve").arg("--config").arg(&config).args(options);
        // One cache for all: the rules are compiled once.
        criba.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        let mut child = criba.stderr(Stdio::null()).spawn().expect("criba starts");
        wait_for("the engine", || {
            assert!(child.try_wait().expect("a child").is_none(), "the engine ended");
            UnixStream::connect(ready).is_ok()
        });
        Engine(child)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// A TCP address of this machine that was free a moment ago.
pub fn free() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address")
}

pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A sample mail of criba's own, for example `spam/gtube`.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/samples").join(name).with_extension("eml")
}

/// Configuration of a feedback spool below `folder`.
pub fn spool(folder: &Path) -> String {
    format!("[bayes]\nspool = \"{}\"\n", folder.join("spool").display())
}
