//! The configuration file: read as written (`raw.rs`), then checked and typed ([`checked`]).

pub mod checked;

mod raw;

pub use checked::{Dialect, Endpoint, Error, Listen, Server as ServerSettings, Settings};
