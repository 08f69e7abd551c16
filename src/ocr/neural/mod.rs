//! PP-OCR: one network says where lines of text are, another reads a line.
//!
//! The networks are PP-OCRv6 small (Apache-2.0) in the format of the crate `rten`, which runs them; `packaging/ocr-models`
//! fetches them. Only `networks.rs` needs them.

mod ctc;

mod lines;

#[cfg(feature = "rten")]
mod networks;

#[cfg(feature = "rten")]
pub use networks::{Neural, on_its_thread};
