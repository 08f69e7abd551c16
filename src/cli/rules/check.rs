//! `criba rules check`: what rules are, how they are matched, what was dropped, and what they cost.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use super::hits;
use crate::{
    cli::{failure::Failure, inputs, settings::EngineArgs},
    engine::Engine,
    ocr::Pool,
    rules::{Cost, Costs, Loss, Matching, Remark, RuleSet, Summary},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check the rules that come with criba, too
    #[arg(long)]
    default_rules: bool,
    /// Keep compiled databases here, and take them from here
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// List so many patterns that grow largest when they are compiled
    #[arg(long, value_name = "N", default_value_t = 0)]
    largest: usize,
    /// Run the rules over this mail and list the patterns that cost most; may be given several times
    #[arg(long, value_name = "PATH")]
    corpus: Vec<PathBuf>,
    /// List so many of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    slowest: usize,
    /// Use the score set for mail filters without Bayes
    #[arg(long)]
    no_bayes: bool,
    /// Directories of .pre and .cf files, or single files
    #[arg(value_name = "DIR", required_unless_present = "default_rules")]
    paths: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Something was dropped.
pub fn run(args: &Args) -> Result<(), Failure> {
    let engine = EngineArgs {
        rules: args.paths.clone(),
        no_default_rules: !args.default_rules,
        ..EngineArgs::default()
    };
    let mut settings = engine.settings()?;
    settings.bayes.enabled = !args.no_bayes;
    settings.rules.cache.clone_from(&args.cache);
    let started = Instant::now();
    let pool = Pool::start(&settings.ocr).into();
    let (engine, remarks) = Engine::load(&settings, pool).map_err(Failure::no_input)?;
    let spent = started.elapsed();
    let measured = measure(&engine, &args.corpus)?;
    let rules = &engine.rules;
    let mut out = BufWriter::new(io::stdout());
    print_report(&mut out, &remarks, &rules.summary(), spent)
        .and_then(|()| print_largest(&mut out, rules, args.largest))
        .and_then(|()| measured.iter().try_for_each(|it| print_costs(&mut out, rules, it, args.slowest)))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::io(format!("standard output: {error}")))?;
    match remarks.iter().filter(|remark| remark.loss == Loss::Dropped).count() {
        0 => Ok(()),
        dropped => Err(Failure::data(format!("{dropped} lines or rules were dropped (see above)"))),
    }
}

fn print_report(
    out: &mut impl Write,
    remarks: &[Remark],
    summary: &Summary,
    spent: Duration,
) -> io::Result<()> {
    for remark in remarks {
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
        "{:11} {:>7} {:>8} {:>8} {:>9} {:>7} {:>7} {:>7} {:>9}",
        "patterns", "exact", "literals", "squeezed", "prefilter", "piece", "alone", "fuzzy", "KB"
    )?;
    for (view, Matching { exact, literals, squeezed, prefilter, piece, alone, fuzzy, bytes }) in
        &summary.views
    {
        let (alone, kilobytes) = (alone.len(), bytes.div_ceil(1024));
        writeln!(
            out,
            "{view:11} {exact:>7} {literals:>8} {squeezed:>8} {prefilter:>9} {piece:>7} {alone:>7} {fuzzy:>7} {kilobytes:>9}"
        )?;
    }
    for (view, matching) in summary.views.iter().filter(|(_, matching)| !matching.alone.is_empty()) {
        writeln!(out, "{view}: tried on every text: {}", matching.alone.join(" "))?;
    }
    if !summary.undefined.is_empty() {
        writeln!(out, "\nnames in metas that no rule has; they count 0:")?;
    }
    for (name, meta) in &summary.undefined {
        writeln!(out, "  {name} (in {meta})")?;
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

/// What the rules cost over a corpus.
struct Measured {
    messages: usize,
    /// All of a scan by rules, text views included.
    whole: Duration,
    costs: Costs,
}

/// Scans each message once, in one thread.
fn measure(engine: &Engine, corpus: &[PathBuf]) -> Result<Option<Measured>, Failure> {
    if corpus.is_empty() {
        return Ok(None);
    }
    let inputs = inputs::messages(corpus)?;
    let mut scratch = engine.scratch();
    // what is made when it is needed first is no cost of a message
    for input in &inputs {
        hits::one(engine, &mut scratch, input)
            .map_err(|error| Failure::io(format!("{}: {error}", input.name())))?;
    }
    scratch.rules.measure();
    let started = Instant::now();
    for input in &inputs {
        hits::one(engine, &mut scratch, input)
            .map_err(|error| Failure::io(format!("{}: {error}", input.name())))?;
    }
    let whole = started.elapsed();
    let costs = scratch.rules.costs().cloned().unwrap_or_default();
    Ok(Some(Measured { messages: inputs.len(), whole, costs }))
}

fn print_costs(out: &mut impl Write, rules: &RuleSet, measured: &Measured, most: usize) -> io::Result<()> {
    let Measured { messages, whole, costs } = measured;
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / (*messages).max(1) as f64;
    let alone: Duration = costs.rules.values().map(|cost| cost.spent).sum();
    writeln!(
        out,
        "\n{messages} messages, {:.0} us each: Hyperscan over shared databases {:.0} us, single patterns {:.0} us",
        each(*whole),
        each(costs.shared),
        each(alone)
    )?;
    let mut slowest: Vec<(&str, Cost)> =
        costs.rules.iter().map(|(rule, cost)| (rules.name(*rule), *cost)).collect();
    slowest.sort_by_key(|(name, cost)| (std::cmp::Reverse(cost.spent), *name));
    writeln!(out, "{:>11} {:>10}  slowest patterns beside those databases", "us/message", "searches")?;
    for (name, cost) in slowest.into_iter().take(most) {
        writeln!(out, "{:>11.3} {:>10}  {name}", each(cost.spent), cost.searched)?;
    }
    Ok(())
}
