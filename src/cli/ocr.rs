//! `criba ocr`: reads pictures, animated GIFs and PDFs.

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
};
use crate::{
    budget::Budget,
    config::Settings,
    media,
    ocr::{self, Pool},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object a file and line, in input order
    #[arg(long)]
    json: bool,
    /// Time for one file
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    budget: u32,
    /// Configuration file; without it the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Pictures, animated GIFs, PDFs, or directories of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What was read from a file.
#[derive(Debug, Default, Serialize)]
struct Report {
    text: String,
    frames: usize,
    /// Mean confidence of what was read, 0 to 100; 100 for text that needed no reading.
    confidence: u8,
    ms: f64,
    /// What QR codes say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    codes: Vec<String>,
    /// What could not be read and why; nothing where all is well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: &'a Report,
}

/// Runs the command.
///
/// # Errors
/// Some file could not be read; the others were still printed.
pub fn run(args: Args) -> Result<(), Failure> {
    let settings = match &args.config {
        Some(path) => Settings::load(path).map_err(Failure::config)?,
        None => Settings::default(),
    };
    let inputs = inputs::messages(&args.paths)?;
    let pool = Pool::start(&settings.ocr);
    pool.warm();
    let budget = Duration::from_millis(args.budget.into());
    let read = |(): &mut (), input: &Input| look(input, &pool, &settings.media, budget);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut wrong: Option<Failure> = None;
    let emit = |input: &Input, report: Result<Report, Failure>| {
        let name = input.name();
        let written = match report {
            Ok(report) if args.json => json(&mut output, &Line { file: &name, report: &report }),
            Ok(report) => people(&mut output, &name, &report),
            Err(failure) => {
                eprintln!("criba: {name}: {failure}");
                wrong.get_or_insert(failure);
                Ok(())
            }
        };
        written
            .and_then(|()| output.flush())
            .map_err(|error| Failure::io(format!("standard output: {error}")))
    };
    parallel::in_order(&inputs, parallel::cores(), || (), read, emit)?;
    match wrong {
        Some(first) => Err(Failure { message: "some files could not be read".into(), ..first }),
        None => Ok(()),
    }
}

fn look(input: &Input, pool: &Pool, limits: &media::Limits, budget: Duration) -> Result<Report, Failure> {
    let started = Instant::now();
    let bytes = match input {
        Input::Mbox { .. } => return Err(Failure::data("a mailbox is no picture: use criba scan")),
        input => input.read().map_err(Failure::no_input)?,
    };
    let kind = media::sniff(&bytes).ok_or_else(|| Failure::data("neither a picture nor a PDF"))?;
    let budget = Budget::starting_at(started, budget);
    let extract = media::extract(kind, &bytes, limits, &budget).map_err(Failure::data)?;
    let mut report =
        Report { frames: extract.frames, text: extract.text, confidence: 100, ..Report::default() };
    report.codes = extract.codes.into_iter().map(|(_, code)| code).collect();
    for (label, page) in extract.pages {
        match pool.read(&page, budget.deadline()) {
            Ok(reading) if reading.text.is_empty() => {}
            Ok(reading) => {
                if !report.text.is_empty() {
                    report.text.push('\n');
                }
                report.text.push_str(&reading.text);
                report.confidence = report.confidence.min(reading.confidence);
            }
            Err(ocr::Error::Unavailable(why)) => return Err(Failure::unavailable(why)),
            Err(error) => report.skipped.push(format!("{label} {error}").trim_start().to_owned()),
        }
    }
    if report.text.is_empty() {
        report.confidence = 0;
    }
    report.ms = started.elapsed().as_secs_f64() * 1e3;
    Ok(report)
}

fn json(output: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    let text = simd_json::to_string(line).map_err(io::Error::other)?;
    writeln!(output, "{text}")
}

fn people(output: &mut impl Write, name: &str, report: &Report) -> io::Result<()> {
    let Report { frames, confidence, ms, .. } = report;
    let frames = if *frames == 1 { String::new() } else { format!("{frames} frames, ") };
    writeln!(output, "{name}: {frames}confidence {confidence}, {ms:.0} ms")?;
    for line in report.text.lines() {
        writeln!(output, "    {line}")?;
    }
    for code in &report.codes {
        writeln!(output, "    QR code: {code}")?;
    }
    for skipped in &report.skipped {
        writeln!(output, "    (not read: {skipped})")?;
    }
    Ok(())
}

/// Options of the worker process.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {
    /// Tesseract language packs, joined by +
    #[arg(long, default_value = "eng")]
    languages: String,
}

/// Runs a worker process until its socket closes.
///
/// # Errors
/// The socket broke in the middle of something.
pub fn run_worker(args: WorkerArgs) -> Result<(), Failure> {
    // Standard input and standard output are the same socket.
    let socket = Socket { input: io::stdin().lock(), output: io::stdout().lock() };
    ocr::serve_worker(socket, &args.languages).map_err(Failure::io)
}

struct Socket<'a> {
    input: io::StdinLock<'a>,
    output: io::StdoutLock<'a>,
}

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.output.write(bytes)?;
        // Standard output keeps what has no line end.
        self.output.flush()?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
