//! What do the rule files say? SpamAssassin's .cf language, read into `Definitions`.
//!
//! `lines` makes directives of bytes, `conditions` decides which of them count, `directives`
//! reads what each says, `tags` puts the strings of `replace_tag` into the patterns. Nothing here
//! is fatal: what cannot be used becomes a `Remark`(super::Remark) with file and line.

mod conditions;
mod definitions;
mod directives;
mod features;
mod files;
mod lines;
mod settings;
mod tags;
#[cfg(test)]
mod tests;
mod trust;

pub use definitions::{
    Argument, Attributes, Comparison, Definition, Definitions, Kind, Literal, Test, Tflags,
};
pub use directives::{read, read_text};
