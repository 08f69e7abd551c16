//! Sorted mail to token counts, on all cores.

use std::{
    io::{self, IsTerminal},
    mem,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    failure::Failure,
    inputs::{self, Input},
    parallel,
};
use crate::{
    bayes::{Corpus, Memory},
    mime::{self, Arena, Message},
};

/// Files that one task counts, at most: neighbours share their dictionary.
const CHUNK: usize = 256;
/// Tasks that each core has at least, if there are files enough, so that all are done at about the same time.
const TASKS: usize = 8;
/// Bytes of an mbox that all cores read together; one task reads smaller ones to their end. What tasks have counted lies in
/// memory until those before them are done, whatever the bound.
const LARGE: usize = 64 << 10;
/// Messages that are counted together, and bytes from which on fewer are.
const GROUP: usize = 8;
const GROUP_BYTES: usize = 1 << 20;
/// Failures that are told one by one.
const SHOWN: usize = 5;

/// Messages of both classes, counted: spam first, each class in the order of its inputs.
pub(super) struct Counted {
    pub corpus: Corpus,
    /// The inputs behind the rows of `corpus`; empty if they were not to be kept.
    pub inputs: Vec<Input>,
    /// Messages that were read.
    pub messages: usize,
    /// Messages that could not be read.
    pub unreadable: usize,
    pub elapsed: Duration,
}

/// Whether [`Counted::inputs`] are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Inputs,
    Nothing,
}

/// What one task counted, up to the next large mbox.
#[derive(Default)]
struct Chunk {
    corpus: Corpus,
    inputs: Vec<Input>,
    failed: Vec<String>,
    /// The mbox that comes then, and whether it is spam: it has to be taken apart first.
    mbox: Option<(Input, bool)>,
}

/// Counts the messages below `spam` and `ham`. Those that cannot be read are told on stderr and left out.
///
/// # Errors
/// A path is not there or cannot be listed, or what is beyond the bound of memory cannot be written.
pub(super) fn count(
    spam: &[PathBuf],
    ham: &[PathBuf],
    memory: &Memory,
    keep: Keep,
) -> Result<Counted, Failure> {
    let started = Instant::now();
    let mut files: Vec<(Input, bool)> = Vec::new();
    for (paths, is_spam) in [(spam, true), (ham, false)] {
        files.extend(inputs::files(paths)?.into_iter().map(|input| (input, is_spam)));
    }
    let today = today();
    let bar = progress(files.len() as u64, "files");
    let mut counted = Counted {
        corpus: Corpus::within(memory),
        inputs: Vec::new(),
        messages: 0,
        unreadable: 0,
        elapsed: Duration::ZERO,
    };
    let mut failed = Vec::new();
    let workers = rayon::current_num_threads();
    let count = |counter: &mut Counter, files: &&[(Input, bool)]| {
        let mut chunks = Vec::new();
        let mut chunk = Chunk::default();
        for (file, is_spam) in *files {
            if !counter.count(file, *is_spam, today, keep, &mut chunk) {
                let mbox = Some((file.clone(), *is_spam));
                let before = mem::take(&mut chunk);
                chunks.push(Chunk { corpus: counter.take(today), mbox, ..before });
            }
        }
        chunks.push(Chunk { corpus: counter.take(today), ..chunk });
        chunks
    };
    let mut add = |chunk: Chunk| {
        counted.messages += chunk.corpus.len();
        counted.corpus.append(chunk.corpus);
        counted.inputs.extend(chunk.inputs);
        failed.extend(chunk.failed);
        counted.corpus.relieve().map_err(|error| cannot_spill(memory, &error))
    };
    parallel::in_order(&chunks(&files, workers), workers, Counter::default, count, |files, found| {
        bar.inc(files.len() as u64);
        found.into_iter().try_for_each(|mut chunk| {
            let mbox = chunk.mbox.take();
            add(chunk)?;
            let Some((mbox, is_spam)) = mbox else { return Ok(()) };
            // One after another: an mbox may be as large as memory allows.
            let messages: Vec<_> = mbox.messages().into_iter().map(|input| (input, is_spam)).collect();
            parallel::in_order(&chunks(&messages, workers), workers, Counter::default, count, |_, found| {
                found.into_iter().try_for_each(&mut add)
            })
        })
    })?;
    bar.finish_and_clear();
    counted.unreadable = failed.len();
    tell(failed);
    counted.elapsed = started.elapsed();
    Ok(counted)
}

fn chunks(files: &[(Input, bool)], workers: usize) -> Vec<&[(Input, bool)]> {
    files.chunks((files.len() / (TASKS * workers)).clamp(1, CHUNK)).collect()
}

/// What is beyond the bound of memory has no place.
pub(super) fn cannot_spill(memory: &Memory, error: &io::Error) -> Failure {
    Failure::cannot_create(format!("{}: {error}", memory.directory.display()))
}

/// Days since 1970.
#[allow(clippy::disallowed_methods)] // the time of day is meant
pub(super) fn today() -> i32 {
    const DAY: u64 = 24 * 60 * 60;
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| (time.as_secs() / DAY) as i32)
}

fn tell(mut failed: Vec<String>) {
    failed.sort();
    for line in failed.iter().take(SHOWN) {
        eprintln!("criba: {line}");
    }
    if failed.len() > SHOWN {
        eprintln!("criba: ... and {} more messages that cannot be read", failed.len() - SHOWN);
    }
}

/// A progress bar on long work, when someone is there to see it.
pub(super) fn progress(length: u64, what: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(&format!("{{wide_bar}} {{pos}}/{{len}} {what}, {{per_sec}}"));
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What a thread needs to make tokens of messages.
#[derive(Default)]
struct Counter {
    /// Messages that were read, each with whether it is spam, and are not yet counted.
    waiting: Vec<(Vec<u8>, bool)>,
    /// Room for the next ones.
    buffers: Vec<Vec<u8>>,
    arena: Arena,
    limits: mime::Limits,
    /// What was counted of one chunk so far.
    corpus: Corpus,
}

impl Counter {
    /// Adds a message, or those of a small mbox; `false` where the file holds many.
    fn count(&mut self, file: &Input, is_spam: bool, day: i32, keep: Keep, chunk: &mut Chunk) -> bool {
        let mut raw = self.buffers.pop().unwrap_or_default();
        match file.read_one(&mut raw) {
            Ok(false) if raw.len() <= LARGE => {
                let messages = file.taken_apart(raw);
                return messages.iter().all(|message| self.count(message, is_spam, day, keep, chunk));
            }
            Ok(false) => return false,
            Ok(true) => {
                self.waiting.push((raw, is_spam));
                if keep == Keep::Inputs {
                    chunk.inputs.push(file.clone());
                }
                let bytes: usize = self.waiting.iter().map(|(raw, _)| raw.len()).sum();
                if self.waiting.len() == GROUP || bytes > GROUP_BYTES {
                    self.count_waiting(day);
                }
            }
            Err(error) => {
                chunk.failed.push(format!("{}: {error}", file.name()));
                self.buffers.push(raw);
            }
        }
        true
    }

    fn count_waiting(&mut self, day: i32) {
        self.arena.reset();
        let parsed = |raw| Message::parse(raw, &self.arena, &self.limits);
        let messages: Vec<_> = self.waiting.iter().map(|(raw, spam)| (parsed(raw), *spam)).collect();
        self.corpus.push(&messages, day);
        drop(messages);
        let buffers = self.waiting.drain(..).map(|(raw, _)| raw);
        // One that was huge is not kept.
        self.buffers.extend(buffers.filter(|raw| raw.capacity() <= GROUP_BYTES));
    }

    /// All that was counted.
    fn take(&mut self, day: i32) -> Corpus {
        self.count_waiting(day);
        self.corpus.take()
    }
}
