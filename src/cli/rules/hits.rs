//! `criba rules hits`: which rules hit, with SpamAssassin's names.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;

use crate::{
    budget::Budget,
    cli::{
        failure::Failure,
        inputs::{self, Input},
        parallel,
        settings::{EngineArgs, load_engine},
    },
    engine::Engine,
    pipeline::{self, RuleHits},
    wire::request::Envelope,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
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

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    score: f64,
    tests: &'a [String],
    subtests: &'a [String],
}

/// Runs the command.
///
/// # Errors
/// A message cannot be read.
pub fn run(args: &Args) -> Result<(), Failure> {
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
                Ok(RuleHits { score, tests, subtests, .. }) => {
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

/// What the rules say of one message.
pub(super) fn one(engine: &Engine, scratch: &mut pipeline::Scratch, input: &Input) -> io::Result<RuleHits> {
    let raw = input.read()?;
    Ok(pipeline::rule_hits(engine, scratch, &raw, &Envelope::default(), Budget::new(ALLOWANCE)))
}
