//! Where the third-party data lies, and how to run other programs over it.

use std::{
    env,
    fmt::Display,
    fs,
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::engine::wait_for;

/// Says that a test did not run, and why. Straight to stderr: what `eprintln!` prints in a test that passes is
/// kept back, and nobody would see it.
pub fn skipped(why: impl Display) {
    say(format_args!("SKIPPED: {why}"));
}

/// Says something that shall be seen whether the test passes or not.
pub fn say(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// A folder of the third-party suites: below `CRIBA_SUITES`, or below `../shared/suites`. Says so where it
/// is missing.
pub fn suite(name: &str) -> Option<PathBuf> {
    let root = env::var_os("CRIBA_SUITES").map_or_else(|| PathBuf::from("../shared/suites"), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(format_args!("no test suite at {}; set CRIBA_SUITES", folder.display()));
    None
}

/// A program of others that `packaging/interop-roots` unpacked into a root of its own. Says so where it is missing.
pub fn root(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(format_args!("{} is not there: run packaging/interop-roots", folder.display()));
    None
}

/// Libraries of a program that was unpacked into a root of its own.
pub fn libraries(root: &Path) -> PathBuf {
    // There is one folder for each architecture, and here for one only.
    let folders = fs::read_dir(root.join("usr/lib")).expect("a root has libraries");
    let mut triplets = folders.filter_map(|entry| Some(entry.ok()?.path()));
    triplets.find(|path| path.to_string_lossy().ends_with("-linux-gnu")).expect("libraries of this machine")
}

/// Whether `script` succeeds in a mount namespace of its own. Says so where it does not.
pub fn can_mount(script: &str) -> bool {
    let script = format!("exec 2>/dev/null; {script}");
    let mounted = Command::new("unshare").args(["--mount", "sh", "-c", &script]).status();
    let can = mounted.is_ok_and(|status| status.success());
    if !can {
        skipped("this is not root, or such mounts are not allowed here");
    }
    can
}

/// A server of others; ended with the test.
pub struct Server(Child);

impl Server {
    /// Starts what knows its folders, users or the name of its host only by fixed names: `script` runs in namespaces of
    /// its own, until somebody answers at `address`. In it FOLDER and ROOT stand for these, and USERS for the mounts by which `users`
    /// (`name:uid:home`) exist besides those of the machine.
    pub fn start(folder: &Path, root: &Path, users: &[String], script: &str, address: SocketAddr) -> Server {
        let system = |path: &str| fs::read_to_string(path).expect("a file of the system");
        let (mut passwd, mut group) = (system("/etc/passwd"), system("/etc/group"));
        for user in users {
            let [name, uid, home] = user.split(':').collect::<Vec<_>>()[..] else { panic!("{user}") };
            passwd.push_str(&format!("{name}:x:{uid}:{uid}::{home}:/bin/sh\n"));
            group.push_str(&format!("{name}:x:{uid}:\n"));
        }
        let mounts = "mount --bind FOLDER/passwd /etc/passwd && mount --bind FOLDER/group /etc/group";
        let script = script
            .replace("USERS", mounts)
            .replace("FOLDER", &folder.display().to_string())
            .replace("ROOT", &root.display().to_string());
        for (name, text) in [("passwd", passwd), ("group", group), ("run", script)] {
            fs::write(folder.join(name), text).expect("a folder of ours");
        }
        let log = folder.join("server.log");
        let file = fs::File::create(&log).expect("a folder of ours");
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--uts", "sh"]).arg(folder.join("run"));
        unshare.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let mut server = unshare.spawn().expect("unshare");
        wait_for("the server", || {
            let ended = server.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended: {}", fs::read_to_string(&log).unwrap_or_default());
            TcpStream::connect(address).is_ok()
        });
        Server(server)
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Runs commands where the server is.
    pub fn run(&self, script: &str) {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--mount", "--uts", "--target", &self.0.id().to_string(), "sh", "-e", "-c", script]);
        let output = nsenter.output().expect("nsenter");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked politely, it takes its other processes along.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// The block of a page of `examples/front-ends` that begins with the line `head`, so that what people copy is what
/// is tested.
pub fn block(page: &str, head: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/front-ends").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let start = format!("\n{head}\n");
    let (_, after) = text.split_once(&start).unwrap_or_else(|| panic!("{page} has no block {head}"));
    let (block, _) = after.split_once("```").expect("a block ends");
    block.to_owned()
}

/// All files below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// What a Python script says when it is fed `input`; `None`, and said so, without Python.
pub fn python(script: &str, input: &str) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    let child = Command::new("python3").arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        skipped(format_args!("no python3 to run {}", script.display()));
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("no panic").expect("python3 reads its input");
    assert!(output.status.success(), "{} failed", script.display());
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}
