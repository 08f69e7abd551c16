//! Sorted mail to token counts, on all cores.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::{
    failure::Failure,
    inputs::{self, Input},
};
use crate::{
    bayes::{Corpus, Tokens},
    mime::{self, Arena, Message},
    render,
};

/// Messages that one task counts.
const CHUNK: usize = 64;
/// Failures that are told one by one.
const SHOWN: usize = 5;

/// Messages of both classes, counted: spam first, each class in the order of its inputs.
pub(super) struct Counted {
    pub corpus: Corpus,
    /// The inputs behind the rows of `corpus`.
    pub inputs: Vec<Input>,
    /// Messages that could not be read.
    pub unreadable: usize,
    pub elapsed: Duration,
}

/// Counts the messages below `spam` and `ham`. Those that cannot be read are told on stderr and left out.
///
/// # Errors
/// A path is not there or cannot be listed.
pub(super) fn count(spam: &[PathBuf], ham: &[PathBuf]) -> Result<Counted, Failure> {
    let started = Instant::now();
    let mut inputs: Vec<(Input, bool)> = Vec::new();
    for (paths, is_spam) in [(spam, true), (ham, false)] {
        inputs.extend(inputs::messages(paths)?.into_iter().map(|input| (input, is_spam)));
    }
    let today = today();
    let bar = progress(inputs.len() as u64, "messages");
    let failed: Mutex<Vec<String>> = Mutex::default();
    let chunks: Vec<(Corpus, Vec<Input>)> = inputs
        .par_chunks(CHUNK)
        .map_init(Counter::default, |counter, chunk| {
            let mut counted = (Corpus::default(), Vec::with_capacity(chunk.len()));
            for (input, is_spam) in chunk {
                match input.read() {
                    Ok(raw) => {
                        counted.0.push(counter.count(&raw), *is_spam, today);
                        counted.1.push(input.clone());
                    }
                    Err(error) => {
                        // A poisoned lock still holds the list.
                        let mut failed = failed.lock().unwrap_or_else(|poison| poison.into_inner());
                        failed.push(format!("{}: {error}", input.name()));
                    }
                }
            }
            bar.inc(chunk.len() as u64);
            counted
        })
        .collect();
    bar.finish_and_clear();
    let failed = failed.into_inner().unwrap_or_else(|poison| poison.into_inner());
    tell(failed.clone());
    let mut counted = Counted {
        corpus: Corpus::default(),
        inputs: Vec::new(),
        unreadable: failed.len(),
        elapsed: started.elapsed(),
    };
    for (corpus, inputs) in chunks {
        counted.corpus.append(&corpus);
        counted.inputs.extend(inputs);
    }
    Ok(counted)
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
    arena: Arena,
    limits: mime::Limits,
    tokens: Tokens,
}

impl Counter {
    fn count(&mut self, raw: &[u8]) -> &Tokens {
        self.arena.reset();
        let message = Message::parse(raw, &self.arena, &self.limits);
        let rendered = render::render(&message);
        self.tokens.collect(&message, &rendered, &[]);
        &self.tokens
    }
}
