//! `criba rules diff`: the dry run before rules are changed.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use serde::Serialize;

use super::hits;
use crate::{
    cli::{
        failure::Failure,
        inputs::{self, Input},
        parallel,
        settings::{EngineArgs, load_engine},
    },
    engine::Engine,
    pipeline::RuleHits,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rules of now, then the rules to come: give it twice
    #[arg(long, value_name = "DIR", required = true)]
    rules: Vec<PathBuf>,
    /// Load these rules on both sides; may be given several times
    #[arg(long, value_name = "DIR")]
    common: Vec<PathBuf>,
    /// Load criba's own rules on both sides, too
    #[arg(long)]
    default_rules: bool,
    /// Leave Bayes out
    #[arg(long)]
    no_bayes: bool,
    /// A message is spam from this score on
    #[arg(long, value_name = "SCORE", default_value_t = 5.0)]
    required: f64,
    /// One JSON object a message and line
    #[arg(long)]
    json: bool,
    /// Files, directories, maildirs, mbox files, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// A message whose verdict changes.
#[derive(Serialize)]
struct Change<'a> {
    file: &'a str,
    before: f64,
    after: f64,
    /// What each rule that is to blame adds, before and after.
    rules: BTreeMap<&'a str, (f64, f64)>,
}

/// Runs the command.
///
/// # Errors
/// Rules or a message cannot be read.
pub fn run(args: &Args) -> Result<(), Failure> {
    let [before, after] = args.rules.as_slice() else {
        return Err(Failure::usage("say --rules twice: the rules of now and the rules to come"));
    };
    let inputs = inputs::messages(&args.paths)?;
    let engines = (load(args, before)?, load(args, after)?);
    let mut out = BufWriter::new(io::stdout());
    let (mut failed, mut to_spam, mut to_ham) = (0, 0, 0);
    let mut blamed: BTreeMap<String, usize> = BTreeMap::new();
    parallel::in_order(
        &inputs,
        parallel::cores(),
        || (engines.0.scratch(), engines.1.scratch()),
        |scratch, input: &Input| {
            let before = hits::one(&engines.0, &mut scratch.0, input)?;
            Ok((before, hits::one(&engines.1, &mut scratch.1, input)?))
        },
        |input, result: io::Result<(RuleHits, RuleHits)>| {
            let name = input.name();
            let (before, after) = match result {
                Ok(both) => both,
                Err(error) => {
                    failed += 1;
                    eprintln!("criba: {name}: {error}");
                    return Ok(());
                }
            };
            let is_spam = |hits: &RuleHits| hits.score >= args.required;
            match (is_spam(&before), is_spam(&after)) {
                (false, true) => to_spam += 1,
                (true, false) => to_ham += 1,
                _ => return Ok(()),
            }
            let change = Change {
                file: &name,
                before: before.score,
                after: after.score,
                rules: changed(&before, &after),
            };
            for rule in change.rules.keys() {
                *blamed.entry((*rule).to_owned()).or_default() += 1;
            }
            print(&mut out, &change, args.json)
        },
    )?;
    if !args.json {
        summarise(&mut out, inputs.len() - failed, to_spam, to_ham, &blamed).map_err(output)?;
    }
    out.flush().map_err(output)?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::io(format!("{failed} of {} messages could not be read", inputs.len()))),
    }
}

fn load(args: &Args, rules: &PathBuf) -> Result<Engine, Failure> {
    let rules = args.common.iter().chain([rules]).cloned().collect();
    let engine = EngineArgs { rules, no_default_rules: !args.default_rules, ..EngineArgs::default() };
    let mut settings = engine.settings()?;
    settings.bayes.enabled &= !args.no_bayes;
    load_engine(&settings)
}

/// The rules that do not add the same on both sides.
fn changed<'a>(before: &'a RuleHits, after: &'a RuleHits) -> BTreeMap<&'a str, (f64, f64)> {
    let mut rules: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (name, score) in before.tests.iter().zip(&before.scores) {
        rules.entry(name).or_default().0 += score;
    }
    for (name, score) in after.tests.iter().zip(&after.scores) {
        rules.entry(name).or_default().1 += score;
    }
    rules.retain(|_, (before, after)| before != after);
    rules
}

fn print(out: &mut impl Write, change: &Change<'_>, json: bool) -> Result<(), Failure> {
    if json {
        let line = simd_json::to_string(change).map_err(Failure::software)?;
        return writeln!(out, "{line}").map_err(output);
    }
    let rules: Vec<String> = change
        .rules
        .iter()
        .map(|(rule, (before, after))| format!("{rule} {:+}", rounded(after - before)))
        .collect();
    let Change { file, before, after, .. } = change;
    writeln!(out, "{file}: {before} -> {after}: {}", rules.join(", ")).map_err(output)
}

fn summarise(
    out: &mut impl Write,
    messages: usize,
    to_spam: usize,
    to_ham: usize,
    blamed: &BTreeMap<String, usize>,
) -> io::Result<()> {
    writeln!(out, "{messages} messages: {to_spam} become spam, {to_ham} are spam no more")?;
    let mut blamed: Vec<_> = blamed.iter().collect();
    blamed.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (rule, count) in blamed {
        writeln!(out, "{count:>7}  {rule}")?;
    }
    Ok(())
}

fn rounded(score: f64) -> f64 {
    (score * 1e3).round() / 1e3
}

fn output(error: io::Error) -> Failure {
    Failure::io(format!("standard output: {error}"))
}
