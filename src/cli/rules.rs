//! `criba rules`: checks rule files, and shows which rules hit.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    failure::Failure,
    inputs::{self, Input},
    parallel,
    settings::{EngineArgs, load_engine},
};
use crate::{
    budget::Budget,
    engine::{Engine, default_rules},
    pipeline::{self, RuleHits},
    rules::{Loss, Matching, Options, Report, RuleSet, Source, Summary},
    wire::request::Envelope,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compile rules and report what they are, how they are matched, and what was dropped
    Check(Check),
    /// Print for each message which rules hit, with SpamAssassin's names
    Hits(ShowHits),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Check the rules that come with criba, too
    #[arg(long)]
    default_rules: bool,
    /// Keep compiled databases here, and take them from here
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// List so many patterns that grow largest when they are compiled
    #[arg(long, value_name = "N", default_value_t = 0)]
    largest: usize,
    /// Use the score set for mail filters without Bayes
    #[arg(long)]
    no_bayes: bool,
    /// Directories of .pre and .cf files, or single files
    #[arg(value_name = "DIR", required_unless_present = "default_rules")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ShowHits {
    /// One JSON object a message and line, in input order; the only format there is
    #[arg(long)]
    json: bool,
    /// Messages scanned at once; without it one a core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// Use the score set for mail filters without Bayes
    #[arg(long)]
    no_bayes: bool,
    /// Run rules with %{NAME}, too; a SpamAssassin process compares them with the captures of its first message
    /// only, so that they are left out here
    #[arg(long)]
    captures: bool,
    #[command(flatten)]
    engine: EngineArgs,
    /// Files, directories, maildirs, mbox files, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// `check`: something was dropped. `hits`: a message cannot be read.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => check(&args),
        Command::Hits(args) => hits(&args),
    }
}

fn check(args: &Check) -> Result<(), Failure> {
    let mut sources = if args.default_rules { default_rules() } else { Vec::new() };
    sources.extend(args.paths.iter().cloned().map(Source::Path));
    let options = Options { cache: args.cache.clone(), bayes: !args.no_bayes, ..Options::default() };
    let started = Instant::now();
    let (rules, report) = RuleSet::load(&sources, &options).map_err(Failure::no_input)?;
    let spent = started.elapsed();
    let mut out = BufWriter::new(io::stdout());
    print_report(&mut out, &report, &rules.summary(), spent)
        .and_then(|()| print_largest(&mut out, &rules, args.largest))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::io(format!("standard output: {error}")))?;
    match report.remarks.iter().filter(|remark| remark.loss == Loss::Dropped).count() {
        0 => Ok(()),
        dropped => Err(Failure::data(format!("{dropped} lines or rules were dropped (see above)"))),
    }
}

fn print_report(out: &mut impl Write, report: &Report, summary: &Summary, spent: Duration) -> io::Result<()> {
    for remark in &report.remarks {
        let loss = match remark.loss {
            Loss::Dropped => "dropped",
            Loss::NotRun => "not run",
            Loss::Ignored => "ignored",
        };
        writeln!(out, "{}:{}: {loss}: {}", remark.file, remark.line, remark.what)?;
    }
    writeln!(out, "{:11} {:>7} {:>7}", "kind", "scored", "sub")?;
    let (mut scored, mut sub) = (0, 0);
    for (kind, (with, without)) in &summary.kinds {
        writeln!(out, "{kind:11} {with:>7} {without:>7}")?;
        (scored, sub) = (scored + with, sub + without);
    }
    writeln!(out, "{:11} {scored:>7} {sub:>7}\n", "all")?;
    writeln!(
        out,
        "{:11} {:>7} {:>8} {:>9} {:>7} {:>7} {:>7} {:>9}",
        "patterns", "exact", "literals", "prefilter", "piece", "alone", "fuzzy", "KB"
    )?;
    for (view, Matching { exact, literals, prefilter, piece, alone, fuzzy, bytes }) in &summary.views {
        let (alone, kilobytes) = (alone.len(), bytes.div_ceil(1024));
        writeln!(
            out,
            "{view:11} {exact:>7} {literals:>8} {prefilter:>9} {piece:>7} {alone:>7} {fuzzy:>7} {kilobytes:>9}"
        )?;
    }
    for (view, matching) in summary.views.iter().filter(|(_, matching)| !matching.alone.is_empty()) {
        writeln!(out, "{view}: tried on every text: {}", matching.alone.join(" "))?;
    }
    writeln!(out, "\nloaded in {:.2} s", spent.as_secs_f64())
}

fn print_largest(out: &mut impl Write, rules: &RuleSet, most: usize) -> io::Result<()> {
    if most == 0 {
        return Ok(());
    }
    writeln!(out, "\n{:>9} {:>8}  largest patterns", "KB", "ms")?;
    for (rule, view, bytes, spent) in rules.costs().iter().take(most) {
        let kilobytes = bytes.div_ceil(1024);
        writeln!(out, "{kilobytes:>9} {:>8.1}  {view} {rule}", spent.as_secs_f64() * 1e3)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    score: f64,
    tests: &'a [String],
    subtests: &'a [String],
}

fn hits(args: &ShowHits) -> Result<(), Failure> {
    if !args.json {
        return Err(Failure::usage("`criba rules hits` prints JSON only: say --json"));
    }
    let inputs = inputs::messages(&args.paths)?;
    let mut settings = args.engine.settings()?;
    settings.bayes.enabled &= !args.no_bayes;
    settings.rules.captures &= args.captures;
    let engine = load_engine(&settings)?;
    let workers = args.workers.map_or_else(parallel::cores, usize::from);
    let mut out = BufWriter::new(io::stdout());
    let mut failed = 0;
    let work = |scratch: &mut pipeline::Scratch, input: &Input| one(&engine, scratch, input);
    parallel::in_order(
        &inputs,
        workers,
        || engine.scratch(),
        work,
        |input, result| {
            let name = input.name();
            match result {
                Ok(RuleHits { score, tests, subtests }) => {
                    let line = Line { file: &name, score, tests: &tests, subtests: &subtests };
                    let line = simd_json::to_string(&line).map_err(Failure::software)?;
                    writeln!(out, "{line}").map_err(|error| Failure::io(format!("standard output: {error}")))
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("criba: {name}: {error}");
                    Ok(())
                }
            }
        },
    )?;
    out.flush().map_err(|error| Failure::io(format!("standard output: {error}")))?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::io(format!("{failed} of {} messages could not be read", inputs.len()))),
    }
}

/// Comparing rules is no matter of milliseconds.
const ALLOWANCE: Duration = Duration::from_secs(60);

fn one(engine: &Engine, scratch: &mut pipeline::Scratch, input: &Input) -> io::Result<RuleHits> {
    let raw = input.read()?;
    Ok(pipeline::rule_hits(engine, scratch, &raw, &Envelope::default(), Budget::new(ALLOWANCE)))
}
