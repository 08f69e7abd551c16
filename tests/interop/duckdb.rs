//! Counted messages are plain columns: DuckDB merges them, and the model is the same to the byte.

use std::{fs, path::Path, process::Command};

use crate::support;

/// Where its Python module is looked for.
fn python() -> String {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop/duckdb/bin/python3");
    let found = || if own.exists() { own.display().to_string() } else { "python3".into() };
    std::env::var("CRIBA_PYTHON").unwrap_or_else(|_| found())
}

fn write_mail(folder: &Path, words: [&str; 4], numbers: std::ops::Range<usize>) {
    fs::create_dir_all(folder).unwrap();
    for number in numbers {
        let word = |salt: usize| words[(number / 3 + number * salt) % 4];
        let (a, b, c, d) = (word(1), word(2), word(3), word(5));
        let mail = format!(
            "From: writer{number}@example.org\nSubject: {a} {b}\n\n{c} please {d} today {a} {} {number}x\n",
            number % 7
        );
        fs::write(folder.join(format!("{number:03}.eml")), mail).unwrap();
    }
}

fn criba(root: &Path, arguments: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_criba"))
        .current_dir(root)
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "criba {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn counts_that_duckdb_merges_make_the_same_model() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let (spam, ham) = (["pills", "winner", "casino", "loan"], ["patch", "lunch", "kernel", "minutes"]);
    // The two machines have ten messages of each class in common.
    for (machine, numbers) in [("one", 0..40), ("two", 30..70)] {
        write_mail(&root.join(machine).join("spam"), spam, numbers.clone());
        write_mail(&root.join(machine).join("ham"), ham, numbers);
        criba(
            root,
            &format!("train count --spam {machine}/spam --ham {machine}/ham --out {machine}.parquet"),
        );
    }
    let merge = "import duckdb
from_both = \"from read_parquet(['one.parquet', 'two.parquet'])\"
duckdb.sql('copy (select digest, spam, max(day) as day, max(tokens_version) as tokens_version, min(tokens) as tokens '
    + from_both + ' group by digest, spam) to \\'merged.parquet\\' (format parquet)')
duckdb.sql('copy (select * ' + from_both + ') to \\'together.parquet\\' (format parquet)')
print(duckdb.sql('select count(*) from read_parquet(\\'merged.parquet\\')').fetchall()[0][0])";
    let output = Command::new(python()).current_dir(root).args(["-c", merge]).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("No module named") => {
            return support::skipped(
                "no Python module duckdb: packaging/interop-roots installs it; CRIBA_PYTHON names another Python",
            );
        }
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => return support::skipped(format_args!("no {}: {error}", python())),
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "140");
    criba(root, "train build one.parquet two.parquet --out own.model");
    criba(root, "train build merged.parquet --out merged.model");
    criba(root, "train build together.parquet --out together.model");
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    assert!(read("own.model") == read("merged.model"));
    assert!(read("own.model") == read("together.model"));
}
