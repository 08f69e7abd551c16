//! What do the pixels say?
//!
//! A recogniser runs in worker processes (criba re-executing itself) that see nothing but grey
//! pixels, and give up a page at its deadline. [`Pool`] owns them; `protocol.rs` is what both sides say;
//! `worker.rs` and `sandbox.rs` are the other side, `tesseract.rs` and `neural/` what reads there.

use std::{io, path::PathBuf};

use crate::budget::Why;

pub use pool::{Counts, Pool};

mod bands;

mod pool;

mod process;

mod protocol;

mod scripts;

mod twice;

mod worker;

mod sandbox;

mod tesseract;

// Without the feature its tests run all the same: most of it needs no model.
#[cfg(any(feature = "rten", test))]
mod neural;

/// Why a program that was built without the feature `rten` cannot use that backend.
pub(crate) const WITHOUT_RTEN: &str =
    "this criba was built without the backend `rten` (cargo build --release --features rten)";

/// What reads the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    #[default]
    Tesseract,
    /// PP-OCR run by `rten`, where criba was built with it; its models are in this directory.
    Rten(PathBuf),
}

/// How the recogniser runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Worker processes; 0 is one a core.
    pub workers: usize,
    pub backend: Backend,
    /// Tesseract language packs, for example `eng`.
    pub languages: Vec<String>,
    /// The criba program that is run as `ocr-worker`; without it the program that runs.
    pub program: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options { workers: 0, backend: Backend::Tesseract, languages: vec!["eng".into()], program: None }
    }
}

/// A grey picture, one byte a pixel, rows from the top without padding; 0 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<u8>,
}

/// A word of a page, and the box around it in pixels of the page from its top left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
    /// 0 to 100.
    pub confidence: u8,
    pub text: String,
}

/// What was read from a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Words in reading order, lines separated by LF.
    pub text: String,
    /// Mean confidence of the words, 0 to 100.
    pub confidence: u8,
    /// The same words, one by one.
    pub words: Vec<Word>,
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
            Error::Unavailable(_) => Why::Unavailable("OCR worker"),
        }
    }
}

/// Runs this process as a worker for the engine on the other end of `socket`, until that hangs up.
/// `languages` are Tesseract's packs, joined by `+`.
///
/// # Errors
/// What the socket says.
pub fn serve_worker(
    mut socket: impl io::Read + io::Write + Send,
    backend: &Backend,
    languages: &str,
) -> io::Result<()> {
    worker::serve(&mut socket, backend, languages)
}
