//! `criba eval --pictures` on what `corpora/make-pictures` makes.

use std::{path::Path, process::Command};

use serde::Deserialize;

/// What the test looks at of a row.
#[derive(Debug, Deserialize)]
struct Row {
    group: String,
    technique: String,
    recall: Option<f64>,
    codes: Option<f64>,
    with_symbol: f64,
    cpu_ms_median: f64,
}

fn generator() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/make-pictures"))
}

#[test]
fn generated_pictures_are_made_read_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = generator().args(["--seed", "7", "--each", "1", "--out"]).arg(folder.path()).status();
    assert!(made.expect("python3").success());
    let output = Command::new(env!("CARGO_BIN_EXE_criba"))
        .args(["eval", "--json", "--budget", "60000", "--pictures"])
        .arg(folder.path())
        .output()
        .expect("criba runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Row> = output
        .stdout
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| simd_json::serde::from_slice(&mut line.to_vec()).expect("a row"))
        .collect();
    let row = |group: &str, technique: &str| {
        let found = rows.iter().find(|row| row.group == group && row.technique == technique);
        found.unwrap_or_else(|| panic!("{group} {technique}: {rows:?}"))
    };
    for (group, least) in
        [("picture", 0.8), ("animation", 0.85), ("document", 0.95), ("broken document", 0.9)]
    {
        let row = row(group, "all");
        assert!(row.recall >= Some(least) && row.with_symbol >= 0.8, "{row:?}");
    }
    assert!(row("code", "all").codes >= Some(0.8));
    assert!(row("without text", "all").recall.is_none());
    assert!(row("picture", "clean").cpu_ms_median > 0.0);
}

#[test]
fn a_folder_without_truth_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_criba"))
        .args(["eval", "--pictures"])
        .arg(folder.path())
        .output()
        .expect("criba runs");
    assert_eq!(output.status.code(), Some(66));
    assert!(String::from_utf8_lossy(&output.stderr).contains("truth.jsonl"));
}
