//! criba: what is this message? Answered while the SMTP client is still waiting.
//!
//! A front end hands over a raw message and a latency budget. The bytes arrive on a socket
//! ([`server`]) as a length-prefixed frame ([`wire`]); admission gives them a [`profile`] and a
//! [`budget`]. A worker thread then runs the [`pipeline`]: [`mime`] finds the parts without
//! copying, [`render`] makes of them what a reader would see, [`relays`] tells which way it came, [`rules`] and [`bayes`] judge the
//! text. [`media`] turns pictures, animated GIFs and PDFs into text and grey pages, [`ocr`] reads
//! the pages in worker processes, and what they say goes back through rules and Bayes. The
//! [`verdict`] adds up the symbols, picks the action and names every stage that was skipped. The
//! reply leaves at the deadline, complete or not. Everything that was loaded for this lives in
//! one immutable [`engine`], swapped whole on reload.

pub mod cli;

pub mod client;

pub mod server;

pub mod wire;

pub mod config;

pub mod engine;

pub mod pipeline;

pub mod mime;

pub mod render;

pub mod relays;

pub mod rules;

pub mod bayes;

pub mod media;

pub mod ocr;

pub mod verdict;

pub mod profile;

pub mod budget;

#[allow(unsafe_code)]
mod precedence_ffi;

pub mod network;

pub mod tls;

pub mod log;
