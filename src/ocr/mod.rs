//! What do the pixels say?
//!
//! Tesseract runs in worker processes (criba re-executing itself) that see nothing but grey
//! pixels, and are killed at the deadline.

use std::time::Instant;

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

/// Worker processes, shared by all scans.
#[derive(Debug)]
pub struct Pool {}

impl Pool {
    /// Reads `page`; returns by `deadline` whatever the worker does.
    pub fn read(&self, _page: &Page, _deadline: Instant) -> Result<Reading, Error> {
        unimplemented!()
    }
}
