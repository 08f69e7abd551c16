//! `criba scan`: judges messages, in this process on all cores or by an engine that runs.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    mem,
    path::PathBuf,
    time::Duration,
};

use indicatif::ProgressBar;
use simd_json::{OwnedValue, prelude::*};

use super::{
    failure::Failure,
    inputs::{self, Input},
    parallel,
    report::{self, Report, Watch},
    settings::{EngineArgs, load_engine},
};
use crate::{
    budget::Budget,
    client::Cluster,
    engine::Engine,
    pipeline::{self, Mail, Publish},
    verdict::Verdict,
    wire::request::Envelope,
};

/// Options of `criba scan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask the engine at this address (unix:/path, host:port or tls://host:port/folder) instead of scanning here; of several, separated
    /// by commas, another is asked when one is gone, slow or busy
    #[arg(long, value_name = "ADDR[,ADDR...]", conflicts_with_all = ["config", "rules", "no_default_rules", "model"])]
    server: Option<String>,
    /// Client class: external, internal, or one of the configuration
    #[arg(long, value_name = "P")]
    profile: Option<String>,
    /// Time for one message; without it the profile's
    #[arg(long, value_name = "MS")]
    budget: Option<u32>,
    /// Print one JSON verdict a message and line, in input order
    #[arg(long)]
    json: bool,
    /// Messages scanned at once; without it one a core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// Write a page, index.html in this folder, that shows what was seen of pictures and documents
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    report: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Files, directories, maildirs, mbox files, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// The verdict's JSON, or why there is none.
type Answer = Result<String, String>;
/// An answer, and what the report shows of the message.
type Shown = (Answer, Option<String>);

/// Runs the command.
///
/// # Errors
/// Some message could not be read or was not answered; the others were still printed.
pub fn run(args: Args) -> Result<(), Failure> {
    let inputs = inputs::messages(&args.paths)?;
    let workers = args.workers.map_or_else(parallel::cores, usize::from);
    let mut printer = Printer::new(&inputs, args.json);
    let mut report = args.report.as_deref().map(Report::create).transpose()?;
    let print = |input: &Input, (answer, section): Shown| {
        if let (Some(report), Some(section)) = (&mut report, section) {
            report.add(&input.name(), &section)?;
        }
        printer.print(input, answer)
    };
    match &args.server {
        Some(server) => {
            // Before any mail is read: is anyone there at all?
            let engines = Cluster::new(server).map_err(Failure::usage)?;
            engines.ping().map_err(Failure::unavailable)?;
            let ask = |(): &mut (), input: &Input| (remote(&engines, &args, input), None);
            parallel::in_order(&inputs, workers, || (), ask, print)?;
        }
        None => {
            let mut settings = args.engine.settings()?;
            settings.media.shown = if args.report.is_some() { report::SHOWN } else { 0 };
            let engine = load_engine(&settings)?;
            if engine.profile(args.profile.as_deref()).is_none() {
                let name = args.profile.as_deref().unwrap_or_default();
                return Err(Failure::usage(format!(
                    "--profile {name}: there is no such profile in the configuration"
                )));
            }
            let judge = |scratch: &mut _, input: &Input| local(&engine, scratch, &args, input);
            parallel::in_order(&inputs, workers, || engine.scratch(), judge, print)?;
        }
    }
    report.map_or(Ok(()), Report::finish)?;
    match printer.finish()? {
        0 => Ok(()),
        failed => {
            Err(Failure::io(format!("{failed} of {} messages were not scanned (see above)", inputs.len())))
        }
    }
}

fn local(engine: &Engine, scratch: &mut pipeline::Scratch, args: &Args, input: &Input) -> Shown {
    let watch = args.report.as_ref().map(|_| Watch::default());
    let slot: &dyn Publish = watch.as_ref().map_or(&(), |watch| watch);
    match judged(engine, scratch, args, input, slot) {
        Ok(verdict) => {
            let section = watch.map(|watch| watch.into_section().of_mail(&input.name(), &verdict));
            (simd_json::to_string(&verdict).map_err(|error| error.to_string()), section)
        }
        Err(why) => (Err(why), None),
    }
}

fn judged(
    engine: &Engine,
    scratch: &mut pipeline::Scratch,
    args: &Args,
    input: &Input,
    slot: &dyn Publish,
) -> Result<Verdict, String> {
    let raw = input.read().map_err(|error| error.to_string())?;
    let envelope = Envelope::default();
    let profile = engine.profile(args.profile.as_deref()).ok_or("no such profile")?;
    let allowance = args.budget.map_or(profile.budget, |ms| Duration::from_millis(ms.into()));
    let mail = Mail { raw: &raw, envelope: &envelope, profile };
    Ok(pipeline::scan(engine, scratch, mail, Budget::new(allowance), slot))
}

fn remote(engines: &Cluster, args: &Args, input: &Input) -> Answer {
    let raw = input.read().map_err(|error| error.to_string())?;
    let envelope = Envelope { profile: args.profile.clone(), ..Envelope::default() };
    let reply = engines.scan(&raw, &envelope, args.budget.unwrap_or(0)).map_err(|error| error.to_string())?;
    match reply.is_verdict() {
        true => Ok(reply.json),
        false => Err(reply.json),
    }
}

/// Prints answers: JSON lines, or a table for people.
struct Printer {
    out: BufWriter<io::Stdout>,
    json: bool,
    width: usize,
    /// Whether the head of the table is printed.
    headed: bool,
    bar: ProgressBar,
    failed: usize,
}

impl Printer {
    fn new(inputs: &[Input], json: bool) -> Printer {
        let width = inputs.iter().map(|input| input.name().chars().count()).max().unwrap_or(0).clamp(4, 60);
        // The bar would overwrite the answers when both go to one terminal.
        let bar = match io::stderr().is_terminal() && !io::stdout().is_terminal() {
            true => ProgressBar::new(inputs.len() as u64),
            false => ProgressBar::hidden(),
        };
        Printer { out: BufWriter::new(io::stdout()), json, width, headed: false, bar, failed: 0 }
    }

    fn print(&mut self, input: &Input, answer: Answer) -> Result<(), Failure> {
        self.bar.inc(1);
        let name = input.name();
        let written = match answer {
            Ok(verdict) if self.json => self.line(&name, &verdict),
            Ok(verdict) => self.row(&name, verdict),
            Err(why) => {
                self.failed += 1;
                eprintln!("criba: {name}: {why}");
                Ok(())
            }
        };
        written.map_err(broken_output)
    }

    // The file name goes in front of the verdict's own keys.
    fn line(&mut self, name: &str, verdict: &str) -> io::Result<()> {
        let name = simd_json::to_string(name).map_err(io::Error::other)?;
        writeln!(self.out, "{{\"file\":{name},{}", &verdict[1..])
    }

    fn row(&mut self, name: &str, verdict: String) -> io::Result<()> {
        let verdict: OwnedValue =
            simd_json::from_slice(&mut verdict.into_bytes()).map_err(io::Error::other)?;
        let width = self.width;
        if !mem::replace(&mut self.headed, true) {
            writeln!(
                self.out,
                "{:width$}  {:>7}  {:15}  {:>6}  {:>7}  why",
                "mail", "score", "action", "bayes", "ms"
            )?;
        }
        let bayes = verdict.get("bayes").and_then(|bayes| bayes.get_f64("probability"));
        writeln!(
            self.out,
            "{:width$}  {:>7.1}  {:15}  {:>6}  {:>7.1}  {}",
            shortened(name, width),
            verdict.get_f64("score").unwrap_or_default(),
            verdict.get_str("action").unwrap_or_default(),
            bayes.map_or(String::from("-"), |probability| format!("{probability:.3}")),
            verdict.get_f64("elapsed_ms").unwrap_or_default(),
            reasons(&verdict),
        )
    }

    fn finish(mut self) -> Result<usize, Failure> {
        self.bar.finish_and_clear();
        self.out.flush().map_err(broken_output)?;
        Ok(self.failed)
    }
}

/// The end of a name tells more than its beginning.
fn shortened(name: &str, width: usize) -> String {
    match name.char_indices().rev().nth(width - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &name[at..].chars().skip(1).collect::<String>()),
        _ => name.to_owned(),
    }
}

/// The symbols that weigh most, and what was skipped.
fn reasons(verdict: &OwnedValue) -> String {
    const SHOWN: usize = 4;
    let empty = Vec::new();
    let symbols = verdict.get_array("symbols").unwrap_or(&empty);
    let mut named: Vec<(f64, &str)> = symbols
        .iter()
        .filter_map(|symbol| Some((symbol.get_f64("score")?, symbol.get_str("name")?)))
        .collect();
    named.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(b.1)));
    let mut text = named.iter().take(SHOWN).map(|(_, name)| *name).collect::<Vec<_>>().join(" ");
    if named.len() > SHOWN {
        text.push_str(&format!(" +{}", named.len() - SHOWN));
    }
    for skipped in verdict.get_array("skipped").unwrap_or(&empty) {
        let of = |key| skipped.get_str(key).unwrap_or_default();
        text.push_str(&format!(" [{} not done: {}]", of("stage"), of("why")));
    }
    text
}

fn broken_output(error: io::Error) -> Failure {
    Failure::io(format!("standard output: {error}"))
}
