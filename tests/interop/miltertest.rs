//! miltertest in the place of an MTA: with our milter listener, and with spamass-milter, whose spamc asks our spamd
//! listener.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    engine::{Engine, wait_for},
    support::{libraries, root, skipped},
};

fn run(root: &Path, script: &str, socket: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(script);
    let mut miltertest = Command::new(root.join("usr/bin/miltertest"));
    miltertest.env("LD_LIBRARY_PATH", libraries(root)).arg("-v").arg("-s").arg(script);
    miltertest.arg("-D").arg(format!("socket=unix:{}", socket.display()));
    let output = miltertest.output().expect("miltertest");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}

#[test]
fn scripts_find_the_milter_as_it_should_be() {
    let Some(root) = root("miltertest") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("milter.sock");
    let _engine = Engine::start(folder.path(), &[&format!("milter:unix:{}", socket.display())], "");
    run(&root, "milter.lua", &socket);
}

/// Killed with the test.
struct SpamassMilter(Child);

impl Drop for SpamassMilter {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn spamass_milter_finds_a_spamd() {
    let (Some(miltertest), Some(spamass)) = (root("miltertest"), root("spamass-milter")) else { return };
    if Command::new("spamc").arg("-V").stdout(Stdio::null()).status().is_err() {
        skipped("spamc is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (spamd, socket) = (folder.path().join("spamd.sock"), folder.path().join("spamass.sock"));
    let _engine = Engine::start(folder.path(), &[&format!("spamd:unix:{}", spamd.display())], "");
    let mut milter = Command::new(spamass.join("usr/sbin/spamass-milter"));
    milter.env("LD_LIBRARY_PATH", libraries(&spamass)).arg("-p").arg(&socket);
    // The score from which mail is refused, and after the dashes what spamc is told.
    milter.args(["-r", "15", "--", "-U"]).arg(&spamd);
    let _milter = SpamassMilter(milter.spawn().expect("spamass-milter"));
    wait_for("spamass-milter", || socket.exists());
    run(&miltertest, "spamass_milter.lua", &socket);
}
