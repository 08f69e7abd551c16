//! What pictures say, as their maker wrote it down.

use std::{fs, path::Path};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::cli::failure::Failure;

/// A line of `truth.jsonl`.
#[derive(Debug, Deserialize)]
pub struct Truth {
    /// Below the folder.
    pub file: String,
    /// `picture`, `animation`, `document`, ...
    pub group: String,
    pub technique: String,
    /// `None` where only the codes are known.
    pub text: Option<String>,
    pub codes: Vec<String>,
}

impl Truth {
    /// How many words there are, and how many of them were read: each as often as it is there, without regard
    /// to case and to marks at its ends. The third number are words read that are not there.
    pub fn compare(&self, read: &str) -> (usize, usize, usize) {
        let Some(text) = &self.text else { return (0, 0, 0) };
        let mut left: FxHashMap<String, usize> = FxHashMap::default();
        let mut all = 0;
        for word in words(text) {
            *left.entry(word).or_default() += 1;
            all += 1;
        }
        let (mut found, mut invented) = (0, 0);
        for word in words(read) {
            match left.get_mut(&word) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    found += 1;
                }
                _ => invented += 1,
            }
        }
        (all, found, invented)
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let bare = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty())
}

/// The truth of a folder.
///
/// # Errors
/// It is not there, or not in that form.
pub fn read(folder: &Path) -> Result<Vec<Truth>, Failure> {
    let path = folder.join("truth.jsonl");
    let text = fs::read_to_string(&path)
        .map_err(|error| Failure::no_input(format!("{}: {error}", path.display())))?;
    let parse = |(number, line): (usize, &str)| {
        simd_json::serde::from_slice(&mut line.as_bytes().to_vec())
            .map_err(|error| Failure::data(format!("{}, line {}: {error}", path.display(), number + 1)))
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_often_as_they_are_there() {
        let truth = Truth {
            file: String::new(),
            group: String::new(),
            technique: String::new(),
            text: Some("Buy now, buy pills!\nOnly $1.90".into()),
            codes: Vec::new(),
        };
        assert_eq!(truth.compare("buy NOW pi11s only 1.90 only"), (6, 4, 2));
        assert_eq!(Truth { text: None, ..truth }.compare("words"), (0, 0, 0));
    }
}
