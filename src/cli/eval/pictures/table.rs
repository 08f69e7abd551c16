//! The figures by technique.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{judge::Outcome, tesseract::Reading, truth::Truth};
use crate::cli::failure::Failure;

/// Sums by group and technique, in the order in which they came.
#[derive(Debug, Default)]
pub struct Table {
    order: Vec<(String, String)>,
    rows: BTreeMap<(String, String), Sums>,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    files: usize,
    words: usize,
    found: usize,
    invented: usize,
    codes: usize,
    codes_found: usize,
    flagged: usize,
    times: Vec<f64>,
    theirs: Vec<Reading>,
}

/// One row; shares in 0..=1, times in ms of CPU.
#[derive(Debug, Serialize)]
struct Row<'a> {
    group: &'a str,
    technique: &'a str,
    files: usize,
    /// Words of the truth that were read; nothing where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codes: Option<f64>,
    invented_a_file: f64,
    /// Files with a symbol above 0 for what they say.
    with_symbol: f64,
    cpu_ms_median: f64,
    cpu_ms_p95: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tesseract: Option<Theirs>,
}

#[derive(Debug, Serialize)]
struct Theirs {
    recall: Option<f64>,
    cpu_ms_median: f64,
    cpu_ms_p95: f64,
}

/// The name of the row that sums up a group.
const ALL: &str = "all";

impl Table {
    /// Counts a file, for its technique and for its group.
    pub fn add(&mut self, truth: &Truth, outcome: &Outcome, theirs: Option<Reading>) {
        for technique in [&truth.technique[..], ALL] {
            let key = (truth.group.clone(), technique.to_owned());
            let sums = self.rows.entry(key.clone()).or_insert_with(|| {
                self.order.push(key);
                Sums::default()
            });
            sums.files += 1;
            sums.words += outcome.words;
            sums.found += outcome.found;
            sums.invented += outcome.invented;
            sums.codes += outcome.codes;
            sums.codes_found += outcome.codes_found;
            sums.flagged += usize::from(!outcome.symbols.is_empty());
            sums.times.push(outcome.cpu_ms);
            sums.theirs.extend(theirs);
        }
    }

    /// Rows by group, the sum last.
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut groups: Vec<&str> = Vec::new();
        for (group, _) in &self.order {
            if !groups.contains(&&group[..]) {
                groups.push(group);
            }
        }
        groups.into_iter().flat_map(|group| {
            let own = self.order.iter().filter(move |(of, _)| of == group);
            let (sums, techniques): (Vec<_>, Vec<_>) = own.partition(|(_, technique)| technique == ALL);
            // A sum over one technique says nothing new.
            let sums = if techniques.len() > 1 { sums } else { Vec::new() };
            techniques.into_iter().chain(sums).filter_map(|key| Some(row(key, self.rows.get(key)?)))
        })
    }

    /// A line of JSON a row.
    ///
    /// # Errors
    /// None in practice.
    pub fn json(&self) -> Result<(), Failure> {
        for row in self.rows() {
            println!("{}", simd_json::to_string(&row).map_err(Failure::software)?);
        }
        Ok(())
    }

    /// A table for people.
    ///
    /// # Errors
    /// None.
    pub fn people(&self) -> Result<(), Failure> {
        let compared = self.rows.values().any(|sums| !sums.theirs.is_empty());
        print!(
            "{:<16} {:<18} {:>5} {:>6} {:>6} {:>7} {:>12}",
            "", "", "files", "words", "codes", "symbol", "CPU ms"
        );
        println!("{}", if compared { "   tesseract  CPU ms" } else { "" });
        let share = |share: Option<f64>| share.map_or(String::new(), |share| format!("{share:.3}"));
        for row in self.rows() {
            print!(
                "{:<16} {:<18} {:>5} {:>6} {:>6} {:>7.3} {:>5.0} /{:>5.0}",
                row.group,
                row.technique,
                row.files,
                share(row.recall),
                share(row.codes),
                row.with_symbol,
                row.cpu_ms_median,
                row.cpu_ms_p95,
            );
            if let Some(theirs) = row.tesseract {
                print!(
                    "    {:>5} {:>5.0} /{:>5.0}",
                    share(theirs.recall),
                    theirs.cpu_ms_median,
                    theirs.cpu_ms_p95
                );
            }
            println!();
        }
        Ok(())
    }
}

fn row<'a>((group, technique): &'a (String, String), sums: &Sums) -> Row<'a> {
    let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
    let theirs = || {
        let times: Vec<f64> = sums.theirs.iter().map(|theirs| theirs.2).collect();
        let sum = |of: fn(&Reading) -> usize| sums.theirs.iter().map(of).sum();
        Theirs {
            recall: share(sum(|theirs| theirs.1), sum(|theirs| theirs.0)),
            cpu_ms_median: percentile(&times, 50),
            cpu_ms_p95: percentile(&times, 95),
        }
    };
    Row {
        group,
        technique,
        files: sums.files,
        recall: share(sums.found, sums.words),
        codes: share(sums.codes_found, sums.codes),
        invented_a_file: share(sums.invented, sums.files).unwrap_or(0.0),
        with_symbol: share(sums.flagged, sums.files).unwrap_or(0.0),
        cpu_ms_median: percentile(&sums.times, 50),
        cpu_ms_p95: percentile(&sums.times, 95),
        tesseract: (!sums.theirs.is_empty()).then(theirs),
    }
}

/// The smallest value that so many percent do not exceed; 0 of none.
fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        assert_eq!(percentile(&[], 50), 0.0);
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 50), 2.0);
        assert_eq!(percentile(&(1..=100).map(f64::from).collect::<Vec<_>>(), 95), 95.0);
    }
}
