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
    report::{self, Report, Section},
};
use crate::{
    budget::{Budget, Stage},
    config::Settings,
    media,
    ocr::{self, Backend, Pool},
    pipeline::{Looked, ReadPage},
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
    /// Write a page, index.html in this folder, that shows what was seen and read
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// What was read from a file.
#[derive(Debug, Default, Serialize)]
struct Answer {
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
    /// What the report shows of it.
    #[serde(skip)]
    section: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: &'a Answer,
}

/// Runs the command.
///
/// # Errors
/// Some file could not be read; the others were still printed.
pub fn run(args: Args) -> Result<(), Failure> {
    let mut settings = match &args.config {
        Some(path) => Settings::load(path).map_err(Failure::config)?,
        None => Settings::default(),
    };
    settings.media.shown = if args.report.is_some() { report::SHOWN } else { 0 };
    let inputs = inputs::messages(&args.paths)?;
    let mut page = args.report.as_deref().map(Report::create).transpose()?;
    let pool = Pool::start(&settings.ocr);
    pool.warm();
    let budget = Duration::from_millis(args.budget.into());
    let read = |(): &mut (), input: &Input| look(input, &pool, &settings.media, budget);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut wrong: Option<Failure> = None;
    let emit = |input: &Input, report: Result<Answer, Failure>| {
        let name = input.name();
        if let (Some(page), Some(section)) =
            (&mut page, report.as_ref().ok().and_then(|read| read.section.as_ref()))
        {
            page.add(&name, section)?;
        }
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
    page.map_or(Ok(()), Report::finish)?;
    match wrong {
        Some(first) => Err(Failure { message: "some files could not be read".into(), ..first }),
        None => Ok(()),
    }
}

fn look(input: &Input, pool: &Pool, limits: &media::Limits, budget: Duration) -> Result<Answer, Failure> {
    let started = Instant::now();
    let bytes = match input {
        Input::Mbox { .. } => return Err(Failure::data("a mailbox is no picture: use criba scan")),
        input => input.read().map_err(Failure::no_input)?,
    };
    let kind = media::sniff(&bytes).ok_or_else(|| Failure::data("neither a picture nor a PDF"))?;
    let budget = Budget::starting_at(started, budget);
    let extract = media::extract(kind, &bytes, limits, &budget).map_err(Failure::data)?;
    let mut report =
        Answer { frames: extract.frames, text: extract.text, confidence: 100, ..Answer::default() };
    report.codes = extract.codes.into_iter().map(|(_, code)| code).collect();
    let extracted = started.elapsed();
    let mut looked = Looked { place: String::new(), seen: extract.seen, pages: Vec::new() };
    for (label, mut page, again) in extract.pages {
        let began = Instant::now();
        let mut words = None;
        match pool.read_twice(&page, || again.page(), budget.deadline()) {
            Ok((reading, other)) => {
                if !reading.text.is_empty() {
                    if !report.text.is_empty() {
                        report.text.push('\n');
                    }
                    report.text.push_str(&reading.text);
                    report.confidence = report.confidence.min(reading.confidence);
                }
                words = Some(reading.words);
                page = other.unwrap_or(page);
            }
            Err(ocr::Error::Unavailable(why)) => return Err(Failure::unavailable(why)),
            Err(error) => report.skipped.push(format!("{label} {error}").trim_start().to_owned()),
        }
        if limits.shown > 0 {
            looked.pages.push(ReadPage { label, page, words, time: began.elapsed() });
        }
    }
    if report.text.is_empty() {
        report.confidence = 0;
    }
    let all = started.elapsed();
    report.ms = all.as_secs_f64() * 1e3;
    if limits.shown > 0 {
        let mut section = Section::default();
        section.show(&looked);
        let stage = if kind == media::Kind::Pdf { Stage::Pdf } else { Stage::Media };
        let times = [(stage.name(), extracted), (Stage::Ocr.name(), all.saturating_sub(extracted))];
        let times = times.map(|(name, time)| (name, time.as_secs_f64() * 1e3));
        report.section = Some(section.of_file(&input.name(), &report.text, &times, &report.skipped));
    }
    Ok(report)
}

fn json(output: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    let text = simd_json::to_string(line).map_err(io::Error::other)?;
    writeln!(output, "{text}")
}

fn people(output: &mut impl Write, name: &str, report: &Answer) -> io::Result<()> {
    let Answer { frames, confidence, ms, .. } = report;
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
    /// Read with PP-OCR by rten, whose models are in this directory, and not with Tesseract
    #[arg(long, value_name = "DIR")]
    rten: Option<PathBuf>,
}

/// Runs a worker process until its socket closes.
///
/// # Errors
/// The socket broke in the middle of something.
pub fn run_worker(args: WorkerArgs) -> Result<(), Failure> {
    // Standard input and standard output are the same socket.
    let socket = Socket { input: io::stdin(), output: io::stdout() };
    let backend = args.rten.map_or(Backend::Tesseract, Backend::Rten);
    ocr::serve_worker(socket, &backend, &args.languages).map_err(Failure::io)
}

struct Socket {
    input: io::Stdin,
    output: io::Stdout,
}

impl io::Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

impl Write for Socket {
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
