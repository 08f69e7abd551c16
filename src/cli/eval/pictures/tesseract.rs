//! What plain Tesseract makes of the same pictures: the program as it comes, page segmentation 3.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::truth::Truth;
use crate::{
    cli::failure::Failure,
    media::{self, Kind},
};

/// Words that are there, words of them that were read, CPU time in ms.
pub type Reading = (usize, usize, f64);

/// Whether the program knows the kind of file.
pub fn reads(bytes: &[u8]) -> bool {
    media::sniff(bytes).is_some_and(|kind| kind != Kind::Pdf)
}

/// Has a picture read by the program. What it cannot read has no words.
///
/// # Errors
/// The program is not there.
pub fn read(path: &Path, truth: &Truth) -> Result<Reading, Failure> {
    let before = children_ms()?;
    let output = Command::new("tesseract")
        .arg(path)
        .args(["stdout", "--psm", "3"])
        .env("OMP_THREAD_LIMIT", "1")
        .stderr(Stdio::null())
        .output()
        .map_err(|error| Failure::unavailable(format!("tesseract: {error}: install tesseract-ocr")))?;
    let cpu = children_ms()? - before;
    let (words, found, _) = truth.compare(&String::from_utf8_lossy(&output.stdout));
    Ok((words, found, cpu))
}

/// CPU time of the children that were waited for, in ms: fields 16 and 17 of proc_pid_stat(5), in ticks of which
/// Linux shows programs 100 a second.
fn children_ms() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(Failure::io)?;
    // The second field is the program's name in brackets, whatever it holds.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0)
}
