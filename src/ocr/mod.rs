//! What do the pixels say?
//!
//! Tesseract runs in worker processes (criba re-executing itself) that see nothing but grey
//! pixels, and are killed at the deadline.

use std::time::Instant;

use crate::budget::Why;

/// How the recogniser runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Worker processes; 0 is one a core.
    pub workers: usize,
    /// Tesseract language packs, for example `eng`.
    pub languages: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { workers: 0, languages: vec!["eng".into()] }
    }
}

/// A grey picture, one byte a pixel, rows from the top without padding; 0 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<u8>,
}

/// What was read from a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Words in reading order, lines separated by LF.
    pub text: String,
    /// Mean confidence of the words, 0 to 100.
    pub confidence: u8,
    /// Whether all of the page was read.
    pub complete: bool,
}

/// Why a page could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("out of time")]
    Deadline,
    #[error("the OCR worker died: {0}")]
    Crashed(String),
    #[error("no OCR worker could be started: {0}")]
    Unavailable(String),
}

impl Error {
    /// How the verdict names it.
    pub fn why(&self) -> Why {
        match self {
            Error::Deadline => Why::Deadline,
            Error::Crashed(_) => Why::Crashed,
            Error::Unavailable(_) => Why::Unreadable("no OCR worker"),
        }
    }
}

/// Worker processes, shared by all scans; they end with it.
#[derive(Debug)]
pub struct Pool {}

impl Pool {
    /// A pool whose workers start when the first page comes ([`Pool::warm`] starts them ahead of need).
    pub fn start(_options: &Options) -> Pool {
        Pool {}
    }

    /// Starts all workers now, so that the first picture does not wait for Tesseract to load.
    pub fn warm(&self) {}

    /// Reads `page`; returns by `deadline` whatever the worker does.
    pub fn read(&self, _page: &Page, _deadline: Instant) -> Result<Reading, Error> {
        unimplemented!()
    }
}
