//! Rules: SpamAssassin itself, run local-only with the rules it comes with, against `criba rules hits`.
//!
//! By default a fixed sample; `CRIBA_RULES_SAMPLE=all` compares everything that is there. `CRIBA_RULES_GOLDEN` names a
//! file of answers of SpamAssassin to the public corpus (JSON lines, may be packed with xz) that stands in for running it.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{self, skipped};

const CRIBA: &str = env!("CARGO_BIN_EXE_criba");
const RULES: &str = "/usr/share/spamassassin";
const SITE: &str = "/etc/spamassassin";
/// One public mail in so many is compared.
const EVERY: usize = 20;
/// Least shares that must agree: hits of rules, scores, verdicts. All 6,046 public mails
/// gave 99.999%, 100% and 100%.
const FLOOR: [(&str, &str); 3] =
    [("--min-hits", "0.999"), ("--min-scores", "0.99"), ("--min-verdicts", "0.995")];

/// The public corpus, fetched where it is not there yet.
fn public() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
    let folder = env::var_os("CRIBA_PUBLIC").map_or_else(|| root.join("public"), PathBuf::from);
    let fetched = Command::new(root.join("fetch-public")).arg(&folder).stdout(Stdio::null()).output();
    match fetched {
        Ok(output) if output.status.success() => Some(folder),
        Ok(output) => {
            skipped(String::from_utf8_lossy(&output.stderr).trim());
            None
        }
        Err(error) => {
            skipped(format_args!("corpora/fetch-public: {error}"));
            None
        }
    }
}

/// Whether SpamAssassin and its rules are there. Says so where they are not.
pub fn spamassassin() -> bool {
    let perl = Command::new("perl").args(["-MMail::SpamAssassin", "-e", "1"]).stderr(Stdio::null()).status();
    let is_there = perl.is_ok_and(|status| status.success()) && Path::new(RULES).is_dir();
    if !is_there {
        skipped("spamassassin is not installed");
    }
    is_there
}

fn sample(files: Vec<PathBuf>) -> Vec<PathBuf> {
    match env::var("CRIBA_RULES_SAMPLE").as_deref() {
        Ok("all") => files,
        _ => files.into_iter().step_by(EVERY).collect(),
    }
}

fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut files = support::files(folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt" || extension == "eml"));
    files
}

/// A folder with nothing but the plugins that the package loads: an admin's own rules are not compared.
pub fn plugins(folder: &Path) -> PathBuf {
    let site = folder.join("site");
    fs::create_dir(&site).expect("a folder");
    for path in support::files(Path::new(SITE)) {
        if path.extension().is_some_and(|extension| extension == "pre") {
            fs::copy(&path, site.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    site
}

pub fn ask_spamassassin(files: &[PathBuf], site: &Path, answers: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/spamassassin_hits.pl");
    let list: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let names = answers.with_extension("names");
    fs::write(&names, list.join("\n")).expect("a list of names");
    let status = Command::new("perl")
        .arg(script)
        .args([Path::new(RULES), site])
        .stdin(File::open(&names).expect("the list"))
        .stdout(File::create(answers).expect("a file"))
        .status();
    assert!(status.expect("perl runs").success(), "SpamAssassin failed");
}

pub fn ask_criba(files: &[PathBuf], site: &Path, options: &[&str], answers: &Path) {
    let status = Command::new(CRIBA)
        .args(["rules", "hits", "--json", "--no-bayes", "--no-default-rules", "--rules", RULES, "--rules"])
        .arg(site)
        .args(options)
        .args(files)
        .stdout(File::create(answers).expect("a file"))
        .status();
    assert!(status.expect("criba runs").success(), "criba failed");
}

/// Compares two files of answers; `floors` are the least shares that must agree, as `compare_hits.py` takes them.
pub fn compare(reference: &Path, ours: &Path, floors: &[(&str, &str)]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/compare_hits.py");
    let floors = floors.iter().flat_map(|(option, floor)| [option, floor]);
    let output = Command::new("python3").arg(script).args(floors).args([reference, ours]).output();
    let Ok(output) = output else { return skipped("no python3 to compare hits with") };
    let (table, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // a table that only failures show is no use to who works on the rules
    support::say(&table);
    assert!(output.status.success(), "{why}");
}

#[test]
fn the_stock_rules_hit_as_in_spamassassin() {
    if !spamassassin() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let site = plugins(folder.path());
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    // The samples are mail of today; the public corpus is twenty years old.
    let mut files = mails(Path::new("corpora/samples"));
    if let Some(public) = public() {
        let chosen = sample(mails(&public));
        assert!(chosen.len() >= 300, "only {} mails in {}", chosen.len(), public.display());
        files.extend(chosen);
    }
    let files: Vec<PathBuf> = files.iter().map(|path| fs::canonicalize(path).expect("a path")).collect();
    ask_spamassassin(&files, &site, &theirs);
    ask_criba(&files, &site, &["--captures"], &ours);
    compare(&theirs, &ours, &FLOOR);
}

#[test]
fn the_public_corpus_hits_as_spamassassin_once_said() {
    let Some(golden) = env::var_os("CRIBA_RULES_GOLDEN").map(PathBuf::from) else {
        return skipped("no answers of SpamAssassin to compare with; name them in CRIBA_RULES_GOLDEN");
    };
    if !Path::new(RULES).is_dir() {
        return skipped("spamassassin is not installed: no rules to run");
    }
    let Some(public) = public() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (site, ours) = (plugins(folder.path()), folder.path().join("ours"));
    ask_criba(&sample(mails(&public)), &site, &[], &ours);
    compare(&golden, &ours, &FLOOR);
}
