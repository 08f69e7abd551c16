//! Certificates that openssl makes as the page says, between an engine and its clients.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use super::{
    engine::{CRIBA, Engine, free, sample},
    support::{block, skipped},
};

fn is_installed(program: &str, version: &str) -> bool {
    let is_there = Command::new(program).arg(version).stdout(Stdio::null()).status().is_ok();
    if !is_there {
        skipped(format_args!("{program} is not installed"));
    }
    is_there
}

/// Makes an authority, and certificates for `localhost` and another machine.
fn make_certificates(folder: &Path) {
    let script = block("machines.md", "# certificates").replace("engine.example.org", "localhost");
    let made = Command::new("sh").args(["-e", "-c", &script]).current_dir(folder).output().expect("sh");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn certificates_of_the_page_open_the_engine() {
    if !is_installed("openssl", "version") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    make_certificates(folder.path());

    let (address, path) = (free(), folder.path().display().to_string());
    let listener = block("machines.md", "# criba.toml")
        .replace("0.0.0.0:11330", &address.to_string())
        .replace("/etc/criba/tls", &format!("{path}/localhost"));
    let _engine = Engine::configured(folder.path(), &listener);
    let scan = |folder: &str| {
        let command = block("machines.md", "# criba")
            .replace("engine.example.org:11330", &format!("localhost:{}{path}/{folder}", address.port()))
            .replace("criba scan", &format!("{CRIBA} scan --json"))
            .replace("mail.eml", &sample("spam/gtube").display().to_string());
        Command::new("sh").args(["-e", "-c", &command]).output().expect("sh")
    };
    let output = scan("mx1.example.org");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("GTUBE"));

    // Another authority's node is nobody here.
    fs::create_dir(folder.path().join("other")).expect("a folder");
    let elsewhere = folder.path().join("other");
    make_certificates(&elsewhere);
    fs::copy(folder.path().join("ca.pem"), elsewhere.join("mx1.example.org/ca.pem")).expect("a certificate");
    assert_eq!(scan("other/mx1.example.org").status.code(), Some(69));
}

#[test]
fn spamc_asks_over_tls_with_a_certificate_of_its_own() {
    if !is_installed("openssl", "version") || !is_installed("spamc", "-V") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    make_certificates(folder.path());
    let (address, path) = (free(), folder.path().display().to_string());
    let listener = format!("[[listener]]\naddress = \"spamd:{address}\"\ntls = \"{path}/localhost\"\n");
    let _engine = Engine::configured(folder.path(), &listener);
    let spamc = |options: &str, mail: &Path| {
        let options = options.replace("FOLDER", &format!("{path}/mx1.example.org"));
        let mut spamc = Command::new("spamc");
        spamc.args([
            "-F",
            "/dev/null",
            "-4",
            "-x",
            "-E",
            "-d",
            "localhost",
            "-p",
            &address.port().to_string(),
        ]);
        spamc.args(options.split_whitespace()).stdin(File::open(mail).expect("a mail"));
        spamc.output().expect("spamc")
    };
    let page = block("machines.md", "# spamc").replace("/etc/criba/tls", "FOLDER");
    let options = page.trim().split_once(" -S").map(|(_, rest)| format!("-S{rest}")).expect("options");
    let output = spamc(&options, &sample("spam/gtube"));
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"X-Spam-Flag: YES"));
    // Many records of TLS, in both directions.
    let large = folder.path().join("large.eml");
    let text =
        fs::read_to_string(sample("ham/personal-en")).expect("a sample") + &"A line more.\n".repeat(20_000);
    fs::write(&large, &text).expect("a folder of ours");
    let output = spamc(&options, &large);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"X-Spam-Status: No") && output.stdout.ends_with(text.as_bytes()));
    // An authority found in a folder by its hash; where there is none, the engine is not believed.
    for (name, code) in [("ca.pem", 1), ("localhost/request.pem", 69)] {
        let authorities = folder.path().join(format!("authorities-{code}"));
        fs::create_dir(&authorities).expect("a folder");
        fs::copy(folder.path().join(name), authorities.join("ca.pem")).expect("a certificate");
        let hashed = Command::new("openssl").arg("rehash").arg(&authorities).output().expect("openssl");
        assert!(hashed.status.success(), "{}", String::from_utf8_lossy(&hashed.stderr));
        let by_path = format!("--ssl-ca-path {}", authorities.display());
        let by_path = options.replace("--ssl-ca-file FOLDER/ca.pem", &by_path);
        assert_ne!(by_path, options);
        assert_eq!(spamc(&by_path, &sample("spam/gtube")).status.code(), Some(code), "{name}");
    }
    // Without one it gets nothing, and neither does it without TLS.
    for options in ["-S", ""] {
        let output = spamc(options, &sample("spam/gtube"));
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(74), &b""[..]), "spamc {options}");
    }
}
