//! `criba rules explain`: one rule resolved.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use crate::{
    cli::failure::Failure,
    engine::default_rules,
    rules::{Explanation, Options, Source, explain},
};

/// Longer patterns are cut, unless all of it is asked for.
const CUT: usize = 2000;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Load the rules of this directory (or file) too; may be given several times
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Leave out the rules that come with criba
    #[arg(long)]
    no_default_rules: bool,
    /// Use the score set for mail filters without Bayes
    #[arg(long)]
    no_bayes: bool,
    /// Show all of a pattern that tags made very long
    #[arg(long)]
    full: bool,
    /// The rule
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs the command.
///
/// # Errors
/// There is no such rule.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut sources = if args.no_default_rules { Vec::new() } else { default_rules() };
    sources.extend(args.rules.iter().cloned().map(Source::Path));
    let options = Options { bayes: !args.no_bayes, ..Options::default() };
    match explain(&sources, &options, &args.name).map_err(Failure::no_input)? {
        Some(explanation) => print(&mut io::stdout(), &explanation, args.full)
            .map_err(|error| Failure::io(format!("standard output: {error}"))),
        None => {
            Err(Failure::data(format!("no rule is named {}; give its directory with --rules", args.name)))
        }
    }
}

fn print(out: &mut impl Write, rule: &Explanation, full: bool) -> io::Result<()> {
    let Explanation { name, file, line, kind, .. } = rule;
    writeln!(out, "{name}: {}", rule.description)?;
    writeln!(out, "defined     {file}:{line}")?;
    match rule.test.char_indices().nth(CUT).filter(|_| !full) {
        Some((cut, _)) => {
            writeln!(out, "{kind:11} {} ... ({} bytes)", &rule.test[..cut], rule.test.len())?;
        }
        None => writeln!(out, "{kind:11} {}", rule.test)?,
    }
    if let Some(matching) = &rule.matching {
        writeln!(out, "matched     {matching}")?;
    }
    let [plain, net, bayes, both] = rule.scores;
    match name.starts_with("__") {
        true => writeln!(out, "score       none: a sub-rule")?,
        false => writeln!(out, "score       {plain} (plain) {net} (net) {bayes} (Bayes) {both} (both)")?,
    }
    if !rule.tflags.is_empty() {
        writeln!(out, "tflags      {}", rule.tflags)?;
    }
    if rule.priority != 0 {
        writeln!(out, "priority    {}", rule.priority)?;
    }
    for (index, (other, standing)) in rule.names.iter().enumerate() {
        writeln!(out, "{:11} {other} ({standing})", if index == 0 { "names" } else { "" })?;
    }
    for (index, other) in rule.named_by.iter().enumerate() {
        writeln!(out, "{:11} {other}", if index == 0 { "named by" } else { "" })?;
    }
    for remark in &rule.remarks {
        writeln!(out, "remark      {}", remark.what)?;
    }
    Ok(())
}
