//! The configuration file: read as written (`raw.rs`), then checked and typed ([`checked`]).

pub mod checked;
pub mod listen;

mod listener;

mod raw;

pub use checked::{Error, Server as ServerSettings, Settings};
pub use listen::{Access, Dialect, Endpoint, Listen};
