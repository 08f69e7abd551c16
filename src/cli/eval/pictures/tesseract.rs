//! What plain Tesseract makes of the same pictures: the program as it comes, page segmentation 3.

use std::{path::Path, process::Command};

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

/// A shell whose only child is the program says what CPU time its children took: this process has others.
const SCRIPT: &str =
    "tesseract \"$0\" stdout --psm 3 2>/dev/null || [ $? != 127 ] || exit; cat /proc/$$/stat >&2";

/// Has a picture read by the program. What it cannot read has no words.
///
/// # Errors
/// The program is not there.
pub fn read(path: &Path, truth: &Truth) -> Result<Reading, Failure> {
    let output = Command::new("sh")
        .args(["-c", SCRIPT])
        .arg(path)
        .env("OMP_THREAD_LIMIT", "1")
        .output()
        .map_err(|error| Failure::unavailable(format!("sh: {error}")))?;
    let cpu = children_ms(&String::from_utf8_lossy(&output.stderr))
        .ok_or_else(|| Failure::unavailable("the program tesseract is missing: install tesseract-ocr"))?;
    let (words, found, _) = truth.compare(&String::from_utf8_lossy(&output.stdout));
    Ok((words, found, cpu))
}

/// CPU time of the children that were waited for, in ms: fields 16 and 17 of proc_pid_stat(5), in ticks of which
/// Linux shows programs 100 a second.
fn children_ms(stat: &str) -> Option<f64> {
    // The second field is the program's name in brackets, whatever it holds.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_children_stand_after_the_name() {
        let stat = "7 (a (b) 1 2) S 1 7 7 0 -1 4194304 90 80 0 0 3 4 11 2 20 0 1 0 99";
        assert_eq!(children_ms(stat), Some(130.0));
        assert_eq!(children_ms(""), None);
    }
}
